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

// endProcesses kills all processes but this one for which chosen is true, again and again until there is none. It kills
// what one look shows before it takes the next: who forks all the time has to end before nobody new comes up.
func endProcesses(chosen func(pid int) bool, limit time.Duration) error {
	return await(limit, func() error {
		pids, err := processes(chosen, 0)
		if err == nil && len(pids) == 0 {
			pids, err = processes(chosen, limit)
		}
		if err != nil {
			return err
		}
		return endAll(pids, chosen, limit)
	})
}

// endAll kills the processes and waits for their end. It holds on to all of them before it kills the first: with that
// one might go what tells whose another one is. The error says that they have been there, so that the caller looks
// again: they may have left children, also when they have ended by themselves.
func endAll(pids []int, chosen func(pid int) bool, limit time.Duration) error {
	if len(pids) == 0 {
		return nil
	}
	err := fmt.Errorf("end process %d (%s): it is still there", pids[0], commandLine(pids[0]))
	if len(pids) > 1 {
		err = fmt.Errorf("%w, and %d others", err, len(pids)-1)
	}
	errs := []error{err}
	var held []unix.PollFd
	defer func() {
		for _, h := range held {
			unix.Close(int(h.Fd))
		}
	}()
	for _, pid := range pids {
		pidfd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if !chosen(pid) { // the number may have passed to another process before the pidfd held on to it
			unix.Close(pidfd)
			continue
		}
		held = append(held, unix.PollFd{Fd: int32(pidfd), Events: unix.POLLIN})
	}
	for _, h := range held {
		if err := unix.PidfdSendSignal(int(h.Fd), unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
			errs = append(errs, fmt.Errorf("kill a process: %w", err))
		}
	}
	for i := range held {
		unix.Poll(held[i:i+1], int(limit.Milliseconds()))
	}
	return errors.Join(errs...)
}

// processes are those, without this one, for which chosen is true. One that forks and ends while it is looked for
// leaves a child that the list does not have yet: so it lists until nothing new comes up, limit at most, for a busy
// machine has new ones all the time.
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

// commandLine is what the process was started as.
func commandLine(pid int) string {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(line) == 0 {
		return "?"
	}
	return strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
}
