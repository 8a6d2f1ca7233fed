package worker

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
)

// Starter starts worker processes and remembers the keepers of those without a sandbox.
type Starter struct {
	sandboxed bool
	// files are the files the user named, by unit: they stay visible in its sandbox. tun has the units that create
	// links through /dev/net/tun.
	files map[string][]string
	tun   map[string]bool

	mu      sync.Mutex
	keepers []int
}

// NewStarter returns a starter for the workers of a plan, which run in sandboxes or directly on the host.
func NewStarter(plan []specrun.Planned, sandboxed bool) *Starter {
	w := &Starter{sandboxed: sandboxed, files: map[string][]string{}, tun: map[string]bool{specrun.HandWritten: true}}
	for _, p := range plan {
		if sc := p.Job.Scenario; sc != nil {
			w.files[sc.ID], w.tun[sc.ID] = []string{sc.File}, NeedsTUN(sc)
		}
	}
	return w
}

// NeedsTUN reports whether a scenario creates links through /dev/net/tun.
func NeedsTUN(sc *scenario.Scenario) bool { return slices.Contains(sc.Requires, "tun") }

// Start starts the worker of a job. It implements specrun.Options.Start.
func (w *Starter) Start(job specrun.Job, in, out, stderr *os.File) (specrun.Process, error) {
	oom := kernel.CountOOMKills()
	if w.sandboxed {
		needs := inside.Needs{Visible: w.files[job.Unit], TUN: w.tun[job.Unit]}
		p, err := Role.Start(context.Background(), in, out, stderr, needs)
		if err != nil {
			return nil, kernel.Explain(err)
		}
		return &workerInside{p, oom}, nil
	}
	p, err := startKept(in, out, stderr)
	if err != nil {
		return nil, kernel.Explain(fmt.Errorf("start a worker: %w", err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keepers = append(w.keepers, p.Pid)
	return &workerOutside{p, oom}, nil
}

// workerInside is a worker in a sandbox.
type workerInside struct {
	*sandbox.Process
	oom kernel.OOMKills // when it was started
}

func (w *workerInside) Wait() error {
	status := sandbox.Status(w.Process.Wait())
	return howEnded(status, w.oom.WhoKilled, w.OutOfMemory())
}

// workerOutside is the keeper of a worker that shares the host's namespaces.
type workerOutside struct {
	*os.Process
	oom kernel.OOMKills
}

func (w *workerOutside) Wait() error {
	state, err := w.Process.Wait()
	if err != nil {
		return fmt.Errorf("could not be waited for: %w", err)
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return howEnded(signalled+int(status.Signal()), w.oom.WhoKilled, false)
	}
	return howEnded(status.ExitStatus(), w.oom.WhoKilled, false)
}

// Kill kills the worker. Its keeper, which is continued in case it is stopped, then kills what the worker has left, and
// exits.
func (w *workerOutside) Kill() {
	w.Signal(endWorker)
	w.Signal(syscall.SIGCONT)
}

// Met returns nothing: without a sandbox, programs have only the limits of the user who started them.
func (w *workerOutside) Met() []string { return nil }

// Stopped is sandbox.Process.Stopped for the worker and its keeper.
func (w *workerOutside) Stopped() string {
	return sandbox.StoppedBelow(w.Pid, "the process that keeps it")
}

// signalled plus N is the exit status that a shell, and the init of a sandbox, report for a program ended by signal N.
const signalled = 128

// howEnded says how a worker ended, in words that follow "the worker". A SIGKILL came from the kernel (out of memory)
// or from somebody on the host: whoKilled tells which.
func howEnded(status int, whoKilled func(inGroup bool) string, outOfMemory bool) error {
	switch {
	case status == 0:
		return nil
	case status == signalled+int(syscall.SIGKILL):
		return fmt.Errorf("was killed (SIGKILL) %s", whoKilled(outOfMemory))
	case status > signalled:
		return fmt.Errorf("was ended by %s", kernel.SignalName(syscall.Signal(status-signalled)))
	}
	return fmt.Errorf("exited with status %d", status)
}

// Kept reports whether a process was the keeper of one of the workers.
func (w *Starter) Kept(pid int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.keepers, pid)
}
