package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lives tells whether a process lives in the lab: by the tag that Start gave it or a parent of it, by its network namespace, or by
// its mount namespace, which in the sandbox is the lab's alone.
func (w *World) lives(inodes map[uint64]bool) func(pid int) bool {
	return func(pid int) bool {
		if inode, ok := namespaceOf(pid, "net"); ok && inodes[inode] {
			return true
		}
		if !w.shared {
			if inode, ok := namespaceOf(pid, "mnt"); ok && inode == w.places.inodes.mounts {
				return true
			}
		}
		return tagged(pid, w.id)
	}
}

// namespaceOf is the inode of a process's namespace of that kind; not ok for one that has exited or is hidden from us.
func namespaceOf(pid int, kind string) (inode uint64, ok bool) {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil {
		return 0, false
	}
	number, ok := strings.CutPrefix(strings.TrimSuffix(link, "]"), kind+":[")
	if !ok {
		return 0, false
	}
	inode, err = strconv.ParseUint(number, 10, 64)
	return inode, err == nil
}

// tagged tells whether the process was started with the tag of the lab in its environment.
func tagged(pid int, id string) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	want := []byte(tag + "=" + id)
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(entry, want) {
			return true
		}
	}
	return false
}

// endProcesses kills all processes but this one for which chosen is true, again and again until there is none.
func endProcesses(chosen func(pid int) bool, limit time.Duration) error {
	return await(limit, func() error {
		pids, err := processes(chosen)
		if err != nil {
			return err
		}
		var errs []error
		for _, pid := range pids {
			errs = append(errs, endProcess(pid, chosen, limit))
		}
		return errors.Join(errs...)
	})
}

// processes are those, without this one, for which chosen is true.
func processes(chosen func(pid int) bool) ([]int, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer proc.Close()
	entries, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry)
		if err == nil && pid != os.Getpid() && chosen(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// endProcess kills the process and waits for its end. The error says that it has been found, so that the caller looks again:
// it may have left children.
func endProcess(pid int, chosen func(pid int) bool, limit time.Duration) error {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // it has ended by itself
	}
	defer unix.Close(pidfd)
	if !chosen(pid) {
		return nil // the number has passed to another process before the pidfd held on to it
	}
	found := fmt.Errorf("end process %d (%s): it is still there", pid, commandLine(pid))
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
		return fmt.Errorf("%w: %w", found, err)
	}
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	unix.Poll(fds, int(limit.Milliseconds()))
	return found
}

// commandLine is what the process was started as.
func commandLine(pid int) string {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(line) == 0 {
		return "?"
	}
	return strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
}
