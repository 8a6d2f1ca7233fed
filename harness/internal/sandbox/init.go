package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter makes this process what Start started it as. Call it first thing in main, before any other goroutine. Outside
// it only marks inherited descriptors close-on-exec. In init, in the helper and in a trial it does not return. In the
// worker it returns when the sandbox is ready; Inside tells the worker from a process outside.
func Enter() {
	switch {
	case received == nil:
		keepDescriptors()
	case received.Stage == stageInit:
		beInit(*received)
	case received.Stage == stageHelper:
		beHelper(*received)
	case received.Stage == stageNested:
		beNested()
	case received.Control > 0:
		unix.CloseOnExec(received.Control)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// beInit is process 1 of the first layer. It builds the layer, starts the helper and the worker, reaps orphans, and
// exits when the worker does; then the kernel kills everything else in the PID namespace (pid_namespaces(7)).
func beInit(o orders) {
	unix.Umask(0o022)
	runtime.LockOSThread() // a worker that is started from this thread is killed when the thread ends
	control := os.NewFile(uintptr(o.Control), "control")
	unix.CloseOnExec(o.Control)
	// Signals are meant for the worker, which gets them through control. They are caught, not ignored, since execve(2)
	// resets a caught signal to its default action.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	p, err := receivePlan(control)
	if err != nil {
		reply(control, failed("receive the plan of the sandbox", err))
		exit(0)
	}
	// Build the first layer and start helper and worker, on a thread of its own with the layer's mounts.
	furnished := make(chan layer)
	OnNewThread(func() {
		furnished <- furnish(o, p)
		select {} // the helper is killed when this thread ends, and no other code may run in its mounts
	})
	l := <-furnished
	// The kernel clears the death signal when a process changes its ids (PR_SET_PDEATHSIG, prctl(2)).
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil && l.err == nil {
		l.err = fmt.Errorf("die with the process outside: %w", err)
	}
	if l.err == nil && p.Open && !p.Trial {
		if l.err = openMounts(o.PIDNamespace); l.err == nil {
			l.worker, l.err = startWorker("/proc/self/exe", o, l.conn)
		}
	}
	if l.err != nil || p.Trial {
		reply(control, l.answer())
		exit(0) // Start reports the error in the answer
	}
	unix.Close(l.conn)
	reply(control, l.answer())
	// Reap until the worker ends. Orphans are reparented to process 1 (find_new_reaper, kernel/exit.c); when it exits,
	// the kernel kills the rest of its PID namespace (zap_pid_ns_processes, kernel/pid_namespace.c).
	go obey(control, l.worker)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			fmt.Fprintln(os.Stderr, "init of the sandbox: wait:", err)
			exit(1)
		case pid == l.worker && status.Exited():
			exit(status.ExitStatus())
		case pid == l.worker && status.Signaled():
			exit(128 + int(status.Signal()))
		}
	}
}

// layer is what furnish has made, or why it failed.
type layer struct {
	worker  int    // its process id
	conn    int    // the worker's end of the connection to the helper
	missing []Lack // walls that could not be had
	err     error
}

func (l layer) answer() answer {
	a := answer{Missing: l.missing}
	if l.err != nil {
		a.Failed, a.NoProc = l.err.Error(), errors.Is(l.err, errNoProc)
		errors.As(l.err, &a.Errno)
	}
	return a
}

// furnish makes the mounts of the first layer on the calling thread, and starts the helper from it, and also the worker
// unless that is to see the host's files (plan.Open).
func furnish(o orders, p plan) (l layer) {
	if p.Open { // the worker keeps this process's mounts
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return layer{err: fmt.Errorf("unshare the mounts: %w", err)}
		}
	}
	if l.missing, l.err = build(p, o.PIDNamespace); l.err != nil {
		return l
	}
	if !o.PIDNamespace {
		l.missing = append(l.missing, Lack{WallProcesses, o.NoPIDNamespace})
	}
	if err := ownKeyring(); err != nil {
		l.missing = append(l.missing, Lack{WallKeyring, err.Error()})
	}
	if p.Trial {
		l.try(o, p)
		return l
	}
	theirs, err := l.connect()
	if err != nil {
		l.err = err
		return l
	}
	if !p.Open {
		if l.worker, l.err = startWorker(ProgramPath, o, l.conn); l.err != nil {
			return l
		}
	}
	l.err = withFewProcesses(func() error { return startHelper(o, p, theirs) })
	unix.Close(theirs)
	return l
}

// try finds out whether the second layer could be made, and which walls it would lack, without starting a helper, which
// takes time. This process, which exits next, does to itself what the helper would do.
func (l *layer) try(o orders, p plan) {
	if l.err = tryHelper(o, p); l.err != nil {
		return
	}
	if l.err = tryLab(); l.err == nil {
		l.missing = append(l.missing, confine(o)...)
	}
}

// connect makes the pair of sockets between worker and helper, and returns the helper's end.
func (l *layer) connect() (theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make a socket pair: %w", err)
	}
	l.conn = fds[0]
	return fds[1], nil
}

// openMounts makes the mounts of a worker that sees the host's files.
func openMounts(freshProc bool) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	if freshProc {
		if err := mountProc("/proc"); err != nil {
			return err
		}
	}
	if err := ownTemp(); err != nil {
		return fmt.Errorf("mount /tmp: %w", err)
	}
	return nil
}

// ownTemp makes sure that there is a writable directory for temporary files inside.
func ownTemp() error {
	if unix.Access(os.TempDir(), unix.W_OK|unix.X_OK) == nil {
		return nil
	}
	if err := os.Setenv("TMPDIR", "/tmp"); err != nil {
		return err
	}
	if unix.Access("/tmp", unix.W_OK|unix.X_OK) == nil {
		return nil
	}
	return unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// startWorker starts the program as the worker, which is what Start was called for.
func startWorker(program string, o orders, conn int) (pid int, err error) {
	inside := orders{Stage: stageInside, Facts: o.Facts, Control: o.Control}
	var files []uintptr
	for fd := range o.Control {
		files = append(files, uintptr(fd))
	}
	files = append(files, uintptr(conn))
	pid, err = syscall.ForkExec(program, os.Args, &syscall.ProcAttr{Env: withOrders(inside), Files: files,
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return 0, fmt.Errorf("start the program again: %w", err)
	}
	return pid, nil
}

// withOrders returns the environment of this process with these orders in it.
func withOrders(o orders) []string {
	return append(allowed(os.Environ(), func(name string) bool { return name != variable }), o.environment())
}

// ownKeyring gives the calling thread, and what it starts, an empty session keyring (keyrings(7)).
func ownKeyring() error {
	_, err := unix.KeyctlJoinSessionKeyring("netnscheck")
	if errors.Is(err, unix.ENOSYS) {
		return nil // a kernel without keyrings
	}
	return err
}

func failed(what string, err error) answer {
	return layer{err: fmt.Errorf("%s: %w", what, err)}.answer()
}

// reply sends the answer to the process outside. If that process is gone, this one exits.
func reply(control *os.File, a answer) {
	text, err := json.Marshal(a)
	if err == nil {
		_, err = control.Write(append(text, '\n'))
	}
	if err != nil {
		exit(1)
	}
}

// exit exits at once: os.Exit sleeps for a second under the race detector.
func exit(status int) { unix.Exit(status) }

// obey forwards signals from outside to the worker, and ends the sandbox when the process outside is gone.
func obey(control *os.File, worker int) {
	var order [1]byte
	for {
		if n, err := control.Read(order[:]); err != nil || n == 0 {
			unix.Kill(worker, unix.SIGKILL)
			exit(1)
		}
		unix.Kill(worker, syscall.Signal(order[0]))
	}
}
