package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// keeperWord as the only argument makes this program the keeper of a worker that has no sandbox. It is no subcommand.
const keeperWord = "keeper-of-a-worker"

// endWorker is the signal by which the keeper is told to end its worker at once.
const endWorker = syscall.SIGUSR1

func isKeeper(args []string) bool { return len(args) == 2 && args[1] == keeperWord }

// keep is to a worker on the machine what the init of a sandbox is to one inside: the worker's parent, to whom all orphans of its programs
// come, however these have left their parents, their sessions and their environments. So what runs below it is what this run has
// started, and nobody else's; and when the worker has ended, in whatever way, it ends what is left of that. It hands the files and the
// status of the worker through.
func keep() int {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return keeperFailed("become the parent of orphans", err)
	}
	// These are for the worker, to which the run that is outside speaks. A caught signal is a plain one again in what is executed.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, endWorker)
	runtime.LockOSThread() // the worker is killed when the thread ends that started it, which is to be when this process does
	worker, err := syscall.ForkExec("/proc/self/exe", []string{os.Args[0], workerWord}, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2, resultsFD},
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return keeperFailed("start the worker", err)
	}
	for _, fd := range []int{0, resultsFD} {
		syscall.Close(fd) // the worker's end of these is to be theirs
	}
	go func() {
		for s := range signals {
			if s == endWorker {
				syscall.Kill(worker, syscall.SIGKILL)
			}
		}
	}()
	status, err := reap(worker)
	if err != nil {
		return keeperFailed("wait for the worker", err)
	}
	if err := netns.EndDescendants(); err != nil {
		return keeperFailed("end what the worker has left", err)
	}
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func keeperFailed(what string, err error) int {
	fmt.Fprintf(os.Stderr, "harness: keeper: %s: %v\n", what, err)
	return statusFailed
}

// reap takes in orphans until the worker has ended.
func reap(worker int) (status syscall.WaitStatus, err error) {
	for {
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != syscall.EINTR && (err != nil || pid == worker) {
			return status, err
		}
	}
}
