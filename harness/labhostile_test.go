package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLabHostileEnds: whatever ends a lab, nothing of it stays, and it can be started again.
func TestLabHostileEnds(t *testing.T) {
	type way struct {
		needs string // a program
		end   func(l *learner)
	}
	types := func(keys string) way { return way{"bash", func(l *learner) { l.types(keys) }} }
	for name, w := range map[string]way{
		"kill everything":  types("kill -9 -1; kill -9 $$\n"),
		"kill the shell":   types("kill -9 $$\n"),
		"exec it away":     types("exec true\n"),
		"a server stays":   types("sleep 4711 & disown; exit\n"),
		"umount the names": types("ip netns add a; umount -l /run/netns; exit\n"),
		"delete everything": types("ip netns add a; ip netns add b; ip -all netns delete; ip link set lo down; " +
			"ip link del ens192; ip addr flush ens224; ip rule flush; rm -rf /run; exit\n"),
		"a full disk": types("cat /dev/zero >/tmp/a; cat /dev/zero >/run/b; cat /dev/zero >~/c; exit\n"),
		"a fork bomb": {"bash", func(l *learner) {
			l.types("bomb() { bomb | bomb & }; bomb; exit\n")
			l.expects(`fork|exit`)
			l.cmd.Process.Signal(syscall.SIGHUP)
		}},
		"tmux stays": {"tmux", func(l *learner) {
			l.types("tmux -f /dev/null new-session -d 'sleep 4712'; tmux ls; exit\n")
			l.expects(`1 windows`)
		}},
		"in tmux": {"tmux", func(l *learner) {
			l.types("tmux -f /dev/null new-session\n")
			l.expects(`\[veth-pair\] ~ # `)
			l.says("ip netns add testns; ip netns list", `testns`)
			l.says("lab check >~/said; echo status $?", `status 0`)
			l.master.Close()
		}},
		"in vim": {"vim", func(l *learner) {
			l.types("vim -u NONE\n")
			l.expects(`~`)
			l.cmd.Process.Signal(syscall.SIGHUP)
		}},
		"vim stopped": {"vim", func(l *learner) {
			l.types("vim -u NONE\n")
			l.expects(`~`)
			l.types("\x1a")
			l.expects(`Stopped`)
			l.expects(prompt)
			l.types("exit\nexit\n")
		}},
		"a daemon stays": types("ip netns add a; setsid -f ip netns exec a setsid -f sleep 4713; exit\n"),
		"nothing is executable": types("chmod -R 0 /run /tmp ~; mount -t tmpfs none /usr; mount -t tmpfs none /proc; " +
			"exit\n"),
		"Ctrl-D": types("\x04"),
		"another lab at once": {"bash", func(l *learner) {
			other := l.joins(l.TB, int(uidOf(l)), "lab", "start", "bridge")
			other.expects(`\[bridge\] ~ # `)
			l.types("kill -9 -1; exit\n")
			other.says("ip netns list | wc -l", `4\r\n`)
			other.types("exit\n")
			other.ends()
		}},
		"a second terminal": {"bash", func(l *learner) {
			second := l.joins(l.TB, int(uidOf(l)), "lab", "attach")
			second.expects(prompt)
			second.types("kill -9 -1\n")
			second.ends()
			l.cmd.Process.Kill()
		}},
		"a closed terminal": {"bash", func(l *learner) { l.master.Close() }},
		"a closed terminal, full": {"bash", func(l *learner) {
			l.types("yes\n")
			l.expects(`y\r\ny`)
			l.master.Close()
		}},
		"SIGHUP":  {"bash", func(l *learner) { l.cmd.Process.Signal(syscall.SIGHUP) }},
		"SIGTERM": {"bash", func(l *learner) { l.cmd.Process.Signal(syscall.SIGTERM) }},
		"SIGKILL": {"bash", func(l *learner) { l.cmd.Process.Kill() }},
		"SIGKILL of one that waits": {"bash", func(l *learner) {
			l.cmd.Process.Signal(syscall.SIGSTOP)
			l.cmd.Process.Kill()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachLearner(t, func(t *testing.T, uid int) {
				needPrograms(t, "bash")
				needPrograms(t, "ip")
				needPrograms(t, w.needs)
				endsHostile(t, uid, w.end)
			})
		})
	}
}

func endsHostile(t *testing.T, uid int, end func(l *learner)) {
	t.Helper()
	l := sits(t, uid, "lab", "start", "veth-pair")
	l.expects(prompt)
	end(l)
	l.ends()
	areGone(t, "HOME="+l.cmd.Dir)
	again := l.joins(t, uid, "lab", "start", "veth-pair")
	again.expects(prompt)
	again.types("exit\n")
	if status := again.ends(); status != 0 {
		t.Errorf("the next time: status %d\n%s", status, again.all())
	}
	if _, err := os.Lstat("/run/netns"); err == nil && !hadNames {
		t.Error("there is a /run/netns on the machine")
	}
}

// TestLabComesUpAgain: a command that harms what the lab itself uses is run again when the lab goes on, and the lab
// comes up all the same.
func TestLabComesUpAgain(t *testing.T) {
	for name, harm := range map[string]string{
		"a pipe for a file":     "rm -f /run/netnscheck/bashrc; mkfifo /run/netnscheck/bashrc",
		"a link for a folder":   "rm -rf /run/netnscheck; ln -s /tmp /run/netnscheck",
		"a folder for a socket": "rm -f /run/netnscheck/lab.sock; mkdir -p /run/netnscheck/lab.sock/in",
		"a mount":               "mount -t tmpfs none /run/netnscheck",
		"no files":              "rm -rf /run/netnscheck ~/.bashrc",
		"a full disk":           "cat /dev/zero >/run/full",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needPrograms(t, "bash")
			needPrograms(t, "ip")
			uid := anOrdinaryUserIfRoot()
			l := sits(t, uid, "lab", "start", "veth-pair")
			l.expects(prompt)
			l.says(harm+"; echo d''one", `done\r\n`)
			l.expects(prompt)
			l.types("exit\n")
			l.ends()
			again := l.joins(t, uid, "lab", "start", "veth-pair")
			again.expects(prompt)
			again.says("lab check", `namespace .testns. exists`)
			again.expects(prompt)
			again.types("exit\n")
			if status := again.ends(); status != 0 {
				t.Errorf("status %d\n%s", status, again.all())
			}
		})
	}
}

// hadNames is set if there was a /run/netns before the tests.
var hadNames = func() bool { _, err := os.Lstat("/run/netns"); return err == nil }()

// areGone waits for the end of the processes that have a variable in their environment.
func areGone(t *testing.T, variable string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for left := processesWith(t, variable); len(left) > 0; left = processesWith(t, variable) {
		for pid, line := range left {
			fd, err := unix.PidfdOpen(pid, 0)
			if errors.Is(err, unix.ESRCH) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} // pidfd_open(2)
			var n int
			for err = unix.EINTR; errors.Is(err, unix.EINTR); {
				n, err = unix.Poll(ended, int(max(time.Until(deadline), 0)/time.Millisecond))
			}
			unix.Close(fd)
			if err != nil || n == 0 {
				t.Fatalf("process %d stays: %q, %v", pid, line, err)
			}
		}
	}
}

// processesWith are the processes that have a variable in their environment, with their command lines.
func processesWith(t *testing.T, variable string) map[int]string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]string{}
	for _, dir := range dirs {
		environ, err := os.ReadFile(dir + "/environ")
		if err != nil || !strings.Contains("\x00"+string(environ), "\x00"+variable+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			t.Fatal(err)
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		all[pid] = strings.ReplaceAll(string(line), "\x00", " ")
	}
	return all
}

// uidOf is the user who a learner is.
func uidOf(l *learner) uint32 {
	if c := l.cmd.SysProcAttr.Credential; c != nil {
		return c.Uid
	}
	return uint32(os.Geteuid())
}

// TestLabProgram: what runs in a lab cannot change the program that serves it, whose file is the machine's own.
func TestLabProgram(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		before, err := os.ReadFile(buildHarness(t))
		if err != nil {
			t.Fatal(err)
		}
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("mount -o remount,bind,rw /.program; mount -o remount,rw /; chmod 777 /.program; rm -f /.program; "+
			"echo x >/.program; echo x >/run/netnscheck/bin/lab; echo st''ill", `still\r\n`)
		l.expects(prompt)
		l.says("lab check", `namespace .testns. exists`)
		l.expects(prompt)
		l.types("exit\n")
		l.ends()
		if after, err := os.ReadFile(buildHarness(t)); err != nil || !slices.Equal(before, after) {
			t.Errorf("the program was changed: %v", err)
		}
	})
}
