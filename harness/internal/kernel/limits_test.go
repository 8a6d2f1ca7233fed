package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // "" for none
	}{
		{unix.EMFILE, "RLIMIT_NOFILE"},
		{fmt.Errorf("start: %w", &fs.PathError{Op: "open", Path: "/x", Err: unix.ENFILE}), "fs.file-max"},
		{os.NewSyscallError("fork", unix.EAGAIN), "RLIMIT_NPROC"},
		{unix.ENOMEM, "out of memory"},
		{unix.EDQUOT, "quota"},
		{&fs.PathError{Op: "write", Path: "/x", Err: unix.ENOSPC}, "the disk is full"},
		{&fs.PathError{Op: "fork/exec", Path: "/x", Err: unix.ENOSPC}, "user.max_net_namespaces"},
		{unix.EUSERS, "user.max_user_namespaces"},
		{unix.EPERM, ""},
		{fs.ErrNotExist, ""},
	} {
		why, remedy, ok := Limit(c.err)
		if ok != (c.want != "") || !strings.Contains(why, c.want) || ok && remedy == "" {
			t.Errorf("%v: %q, %q, %v; want %q", c.err, why, remedy, ok, c.want)
		}
	}
}

func TestWhoKilled(t *testing.T) {
	for _, c := range []struct {
		before, now OOMKills
		want        string
	}{
		{OOMKills{5, 0}, OOMKills{5, 0}, "by somebody: "},
		{OOMKills{5, -1}, OOMKills{5, -1}, "by somebody: "},
		{OOMKills{5, 0}, OOMKills{6, 0}, "probably by the OOM killer, "},
		{OOMKills{5, 0}, OOMKills{6, 1}, "by the OOM killer: "},
		{OOMKills{-1, 0}, OOMKills{-1, 1}, "by the OOM killer: "},
		{OOMKills{-1, -1}, OOMKills{-1, -1}, "by the OOM killer, or by somebody"},
		{OOMKills{-1, 0}, OOMKills{-1, 0}, "by the OOM killer, or by somebody"},
	} {
		if got := c.before.whoKilled(c.now); !strings.HasPrefix(got, c.want) {
			t.Errorf("from %+v to %+v: %q, want %q", c.before, c.now, got, c.want)
		}
	}
	if vmstat, err := os.ReadFile("/proc/vmstat"); err == nil && strings.Contains(string(vmstat), "\noom_kill ") {
		if now := CountOOMKills(); now.machine < 0 {
			t.Errorf("the machine's counter was not read: %+v", now)
		}
	}
}
