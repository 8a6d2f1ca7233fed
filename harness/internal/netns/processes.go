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
func (s *site) lives(inodes map[uint64]bool) func(pid int) bool {
	return func(pid int) bool {
		if inode, ok := namespaceOf(pid, "net"); ok && inodes[inode] {
			return true
		}
		if !s.shared {
			if inode, ok := namespaceOf(pid, "mnt"); ok && inode == s.places.inodes.mounts {
				return true
			}
		}
		return tagged(pid, s.id)
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
func tagged(pid int, id string) (found bool) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	want := []byte(tag + "=" + id)
	await(execLasts, func() error {
		environ, err := os.ReadFile(proc + "/environ")
		if err != nil {
			return nil
		}
		if len(environ) > 0 {
			for entry := range bytes.SplitSeq(environ, []byte{0}) {
				found = found || bytes.Equal(entry, want)
			}
			return nil
		}
		// In the middle of an execve(2) a process has a program and no environment yet. A kernel thread has neither.
		if _, err := os.Readlink(proc + "/exe"); err != nil {
			return nil
		}
		return errors.New("an empty environment, so far")
	})
	return found
}

// execLasts is how long an empty environment is taken for one that is being made.
const execLasts = 10 * time.Millisecond

// endProcesses kills all processes but this one for which chosen is true, again and again until there is none.
func endProcesses(chosen func(pid int) bool, limit time.Duration) error {
	return await(limit, func() error {
		pids, err := processes(chosen, limit)
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

// processes are those, without this one, for which chosen is true. One that forks and ends while it is looked for leaves a child that
// the list does not have yet: so it lists until nothing new comes up, limit at most, for a busy machine has new ones all the time.
func processes(chosen func(pid int) bool, limit time.Duration) (found []int, err error) {
	seen := map[int]bool{os.Getpid(): true}
	for end := time.Now().Add(limit); ; {
		pids, err := listProcesses()
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, pid := range pids {
			if seen[pid] {
				continue
			}
			fresh++
			seen[pid] = true
			if chosen(pid) {
				found = append(found, pid)
			}
		}
		if fresh == 0 || time.Now().After(end) {
			return found, nil
		}
	}
}

func listProcesses() (pids []int, err error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer proc.Close()
	entries, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// endProcess kills the process and waits for its end. The error says that it has been there, so that the caller looks again: it
// may have left children, also when it has ended by itself.
func endProcess(pid int, chosen func(pid int) bool, limit time.Duration) error {
	found := fmt.Errorf("end process %d (%s): it is still there", pid, commandLine(pid))
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return found
	}
	defer unix.Close(pidfd)
	if !chosen(pid) {
		return found // the number may have passed to another process before the pidfd held on to it
	}
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
