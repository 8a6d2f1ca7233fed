package netns

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Keep makes this process a keeper: it starts this program again as its child, with these arguments and files, waits
// for its end, and then kills all of its own descendants. Without a sandbox it takes the place of init: as a subreaper
// (PR_SET_CHILD_SUBREAPER, prctl(2)) it becomes the parent of all orphans of the child's programs, whatever sessions
// and environments they have. So every process below it was started by this run (Options.Ancestor). Call it in a
// process that has no children.
//
// The child is killed when the keeper dies, and when the keeper gets the signal end. The status is the child's exit
// status, or 128+N if signal N ended it. The error is for a child that could not be started or waited for, and for
// descendants that could not be killed.
func Keep(argv []string, files []uintptr, end syscall.Signal) (status int, err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("become the reaper of orphans: %w", err)
	}
	// A signal to the process group reaches the child, too, and is meant for it. The keeper catches it and goes on;
	// execve(2) resets a caught signal to its default action in the child.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, end)
	runtime.LockOSThread() // the child is killed when this thread ends, which must not happen before the process ends
	pid, err := syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
		Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", argv[len(argv)-1], err)
	}
	for _, fd := range files {
		if fd != uintptr(syscall.Stderr) {
			syscall.Close(int(fd)) // so that the other ends see when the child closes its own
		}
	}
	go func() {
		for s := range signals {
			if s == end {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}()
	ended, err := reap(pid)
	if err != nil {
		return 0, fmt.Errorf("wait for %s: %w", argv[len(argv)-1], err)
	}
	if err := endDescendants(); err != nil {
		return 0, fmt.Errorf("end the processes that %s left: %w", argv[len(argv)-1], err)
	}
	if ended.Signaled() {
		return 128 + int(ended.Signal()), nil
	}
	return ended.ExitStatus(), nil
}

// reap waits for children, orphans among them, until the process has ended.
func reap(pid int) (status syscall.WaitStatus, err error) {
	for {
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		if err != syscall.EINTR && (err != nil || ended == pid) {
			return status, err
		}
	}
}
