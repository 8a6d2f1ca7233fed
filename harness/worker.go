package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/suites"
	"netnscheck/suites/conformance"
)

// workerWord as the only argument makes this program a worker. It is no subcommand: nobody but the harness calls it so.
const workerWord = "worker-of-a-run"

// resultsFD is the descriptor on which a worker tells what came of its specs.
const resultsFD = 3

func isWorker(args []string) bool { return len(args) == 2 && args[1] == workerWord }

// work is all of a worker: its job comes on standard input. It leaves the folder in which the harness was started, which may be closed
// to the root of a sandbox, such as the home of the machine's root.
func work() int {
	if err := os.Chdir("/"); err != nil {
		fmt.Fprintln(os.Stderr, "harness: worker:", err)
		return statusFailed
	}
	syscall.CloseOnExec(resultsFD)
	results := os.NewFile(resultsFD, "results")
	if err := specrun.Work(os.Stdin, results, register); err != nil {
		fmt.Fprintln(os.Stderr, "harness: worker:", err)
		return statusFailed
	}
	return statusPassed
}

// register builds the specs of a job, in a worker and to look ahead.
func register(job specrun.Job, kept func(context.Context, []int)) error {
	world := lab.Options{Shared: job.Shared}
	if job.Shared {
		world.Ancestor = os.Getppid() // the keeper
	}
	if job.Rehearse && job.Shared { // the trial of a sandbox has made as much
		if err := rehearse(world); err != nil {
			return &specrun.UnableError{Cause: err}
		}
	}
	if job.HandWritten {
		o := conformance.Options{World: world}
		if job.Keep {
			o.OnKept = kept
		}
		conformance.Register(o)
		return nil
	}
	sc, err := scenario.Parse(job.File, []byte(job.Source))
	if err != nil {
		return err
	}
	suites.Register(suites.Unit{
		Scenario: sc,
		Drivers:  driversThere(job.Drivers),
		Options:  lab.PlayOptions{World: world, Keep: job.Keep},
		OnKept:   kept,
	})
	return nil
}

// rehearse makes a lab with nothing in it but a second namespace, looks at it and takes it down again: no scenario
// needs less.
func rehearse(world lab.Options) error {
	ctx := context.Background()
	l, err := lab.Start(ctx, scenario.Host{}, world)
	if err != nil {
		return err
	}
	err = l.Build(ctx, []operation.Command{{Op: operation.NetnsAdd{Name: "rehearsal"}}})
	if err == nil {
		_, err = l.State(ctx)
	}
	return errors.Join(err, l.Close())
}

// workers starts worker processes and remembers the keepers of those without a sandbox.
type workers struct {
	sandboxed bool
	// files are what the user named for a unit, and stays to be seen in its sandbox; tun are the units that make links
	// by /dev/net/tun.
	files map[string][]string
	tun   map[string]bool

	mu      sync.Mutex
	keepers []int
}

func newWorkers(plan []specrun.Planned, sandboxed bool) *workers {
	w := &workers{sandboxed: sandboxed, files: map[string][]string{}, tun: map[string]bool{specrun.HandWritten: true}}
	for _, p := range plan {
		if sc := p.Unit.Scenario; sc != nil {
			w.files[sc.ID], w.tun[sc.ID] = []string{sc.File}, needsTUN(sc)
		}
	}
	return w
}

// needsTUN tells whether a scenario makes links by /dev/net/tun.
func needsTUN(sc *scenario.Scenario) bool { return slices.Contains(sc.Requires, "tun") }

func (w *workers) start(job specrun.Job, in, out, stderr *os.File) (specrun.Process, error) {
	oom := kernel.CountOOMKills()
	if w.sandboxed {
		p, err := sandbox.Start(context.Background(), sandbox.Command{
			Args: []string{os.Args[0], workerWord}, Stdin: in, Stderr: stderr, ExtraFiles: []*os.File{out},
			Visible: w.files[job.Unit], TUN: w.tun[job.Unit],
		})
		if err != nil {
			return nil, explained(err)
		}
		return &workerInside{p, oom}, nil
	}
	p, err := w.startPlain(in, out, stderr)
	if err != nil {
		return nil, explained(err)
	}
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
		return fmt.Errorf("was ended by %s", signalName(syscall.Signal(status-signalled)))
	}
	return fmt.Errorf("exited with status %d", status)
}

// startPlain starts a worker that shares the machine's namespaces, below its keeper. Neither is killed with this
// process: the worker sees the end of its standard input, and takes its labs down. Their process group is their own,
// so that a Ctrl-C comes to this process alone.
func (w *workers) startPlain(in, out, stderr *os.File) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{os.Args[0], keeperWord}, &os.ProcAttr{
		Files: []*os.File{in, null, stderr, out},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	w.mu.Lock()
	w.keepers = append(w.keepers, p.Pid)
	w.mu.Unlock()
	return p, nil
}

// kept says whether the process was the keeper of one of the workers.
func (w *workers) kept(pid int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.keepers, pid)
}
