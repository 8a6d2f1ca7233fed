package netns

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Keep makes this process the keeper of another one that it starts, this same program with these arguments and files,
// and waits for its end; then it ends whatever is left below itself. It is to what runs on the machine what the init
// of a sandbox is to what runs inside: all orphans of the other one's programs come to it, however these have left
// their parents, their sessions and their environments. So a process below it was started by this run, and by nobody
// else (Options.Ancestor). Call it in a process that has no children.
//
// The other one is killed when the keeper is, and when it gets the signal end. What it left is ended however it
// ended; the status is its own, or 128+N when signal N ended it. The error is for what could not be done.
func Keep(argv []string, files []uintptr, end syscall.Signal) (status int, err error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("become the parent of orphans: %w", err)
	}
	// Whoever sends these to all of a group means the other one, which has them too. A caught signal is a plain one
	// again in what is executed.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, end)
	runtime.LockOSThread() // what it starts is killed when this thread ends, which is to be when this process does
	pid, err := syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
		Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", argv[len(argv)-1], err)
	}
	for _, fd := range files {
		if fd != uintptr(syscall.Stderr) {
			syscall.Close(int(fd)) // their other ends are to hear of its end
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
		return 0, fmt.Errorf("end what %s has left: %w", argv[len(argv)-1], err)
	}
	if ended.Signaled() {
		return 128 + int(ended.Signal()), nil
	}
	return ended.ExitStatus(), nil
}

// reap takes in orphans until the process has ended.
func reap(pid int) (status syscall.WaitStatus, err error) {
	for {
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		if err != syscall.EINTR && (err != nil || ended == pid) {
			return status, err
		}
	}
}
