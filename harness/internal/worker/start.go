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
	// files are what the user named for a unit, and stays to be seen in its sandbox; tun are the units that make links
	// by /dev/net/tun.
	files map[string][]string
	tun   map[string]bool

	mu      sync.Mutex
	keepers []int
}

func NewStarter(plan []specrun.Planned, sandboxed bool) *Starter {
	w := &Starter{sandboxed: sandboxed, files: map[string][]string{}, tun: map[string]bool{specrun.HandWritten: true}}
	for _, p := range plan {
		if sc := p.Job.Scenario; sc != nil {
			w.files[sc.ID], w.tun[sc.ID] = []string{sc.File}, NeedsTUN(sc)
		}
	}
	return w
}

// NeedsTUN tells whether a scenario makes links by /dev/net/tun.
func NeedsTUN(sc *scenario.Scenario) bool { return slices.Contains(sc.Requires, "tun") }

// Start is specrun.Options.Start.
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

// workerOutside is a worker that shares the machine's namespaces: its keeper.
type workerOutside struct {
	*os.Process
	oom kernel.OOMKills
}

func (w *workerOutside) Wait() error {
	state, err := w.Process.Wait()
	if err != nil {
		return fmt.Errorf("cannot be waited for: %w", err)
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return howEnded(signalled+int(status.Signal()), w.oom.WhoKilled, false)
	}
	return howEnded(status.ExitStatus(), w.oom.WhoKilled, false)
}

// Kill ends the worker; its keeper, which may be stopped, ends what the worker has left, and then itself.
func (w *workerOutside) Kill() {
	w.Signal(endWorker)
	w.Signal(syscall.SIGCONT)
}

// Met are none: programs on the machine itself have no other limits than those of who started them.
func (w *workerOutside) Met() []string { return nil }

func (w *workerOutside) Stopped() string {
	return sandbox.StoppedBelow(w.Pid, "the process that keeps it")
}

// signalled is what a shell, and the init of a sandbox, add to the number of the signal that ended a program.
const signalled = 128

// howEnded says how a worker ended, in words that follow "the worker". Nobody but the kernel and other people kills one
// without being asked.
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

// Kept says whether the process was the keeper of one of the workers.
func (w *Starter) Kept(pid int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.keepers, pid)
}
