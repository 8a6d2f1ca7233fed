package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
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
func register(job specrun.Job, kept func(context.Context, []string)) error {
	world := lab.Options{Shared: job.Shared}
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

// workers starts worker processes and remembers them.
type workers struct {
	sandboxed bool

	mu   sync.Mutex
	pids []int
}

func (w *workers) start(in, out, stderr *os.File) (specrun.Process, error) {
	args := []string{os.Args[0], workerWord}
	if w.sandboxed {
		return sandbox.Start(context.Background(), sandbox.Command{
			Args: args, Stdin: in, Stderr: stderr, ExtraFiles: []*os.File{out},
		})
	}
	return w.startPlain(args, in, out, stderr)
}

// startPlain starts a worker that shares the machine's namespaces. It is not killed with this process: it sees the end of its
// standard input, and takes its labs down. Its process group is its own, so that a Ctrl-C comes to this process alone.
func (w *workers) startPlain(args []string, in, out, stderr *os.File) (specrun.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", args, &os.ProcAttr{
		Files: []*os.File{in, null, stderr, out},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	w.mu.Lock()
	w.pids = append(w.pids, p.Pid)
	w.mu.Unlock()
	return plainProcess{p}, nil
}

func (w *workers) started(pid int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.pids, pid)
}

type plainProcess struct{ p *os.Process }

func (p plainProcess) Wait() error {
	state, err := p.p.Wait()
	if err == nil && !state.Success() {
		err = fmt.Errorf("%s", state)
	}
	return err
}

func (p plainProcess) Kill() { p.p.Kill() }
