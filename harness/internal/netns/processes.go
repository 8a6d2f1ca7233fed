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

// namespaceOf returns the inode of a process's namespace of that kind. ok is false if the process has exited or may not
// be inspected.
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

// endProcesses kills all processes but this one for which chosen is true, again and again until there are none. It
// first kills what a single listing shows: processes that fork all the time have to die before a listing can be
// complete.
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

// endAll kills the processes and waits for their end. It opens a pidfd of each before it kills the first, since the
// death of one may hide whose descendant another one is. If there were any, it always returns an error, so that the
// caller looks again: even a process that ended by itself may have left children.
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
		if !chosen(pid) { // the id may have been reused before the pidfd was opened
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

// processes returns the processes, without this one, for which chosen is true. A process that forks and exits during
// the listing leaves a child that the listing lacks, so processes lists until there is nothing new, at most for limit:
// on a busy host there are new processes all the time.
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

// commandLine returns the command line of a process, "?" if it cannot be read.
func commandLine(pid int) string {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(line) == 0 {
		return "?"
	}
	return strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
}
