// Package program runs a program of a lesson in a lab and collects what it prints: no standard input, standard output
// and standard error through one pipe, LC_ALL=C, a limit of time. It may be imported by lab, internal/kernel and the drivers
// (internal/iproute2, internal/rtnetlink, internal/busybox); it imports scenario, scenario/operation and internal/netns. It never
// interprets what a program says and never waits for what a program leaves running in the background.
package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"netnscheck/harness/internal/netns"
)

// Limit is how long one command of a lesson may take (SCENARIO-FORMAT.md, "Console blocks").
const Limit = 30 * time.Second

// ErrLimit is the cause when a program was killed because it had not ended in time.
var ErrLimit = errors.New("it did not end in time")

// workDir is where programs run: a folder that is there, and open to whoever root is in a sandbox, wherever the harness was started.
const workDir = "/"

// Run runs argv in the namespace ns of the world (netns.Host, or a name: then as `ip netns exec` would) and waits for it,
// limit at most. The output is what was printed until the program itself ended, at most 1 MiB. The status is its exit
// status, or 128+N when signal N ended it. What it left running in the background runs on.
//
// The error is for what kept the program from running to its own end, with the output so far: exec.ErrNotFound when
// there is no such program, ErrLimit, or the cause of ctx; in the last two cases its process group was killed.
func Run(ctx context.Context, w *netns.World, ns string, argv []string, limit time.Duration) (output []byte, status int, err error) {
	output, status, err = run(ctx, func(p netns.Program) (*netns.Running, error) { return w.StartIn(cmp.Or(ns, netns.Host), p) }, argv, limit)
	if err != nil {
		return output, status, fmt.Errorf("run %s in %s: %w", strings.Join(argv, " "), ns, err)
	}
	return output, status, nil
}

// run is Run for any way to start a program.
func run(ctx context.Context, start func(netns.Program) (*netns.Running, error), argv []string, limit time.Duration) ([]byte, int, error) {
	if len(argv) == 0 {
		return nil, 0, errors.New("no program is named")
	}
	path, err := LookPath(argv[0])
	if err != nil {
		return nil, 0, err
	}
	pipe, err := newPipe()
	if err != nil {
		return nil, 0, err
	}
	running, err := start(netns.Program{Path: path, Args: argv, Env: environment(), Dir: workDir, Output: pipe.in})
	if err != nil {
		pipe.abandon()
		return nil, 0, err
	}
	pipe.collect()
	cause := await(ctx, running, limit)
	status, err := running.Wait()
	output, readErr := pipe.finish()
	if err != nil {
		return output, 0, errors.Join(cause, err)
	}
	if cause == nil {
		cause = readErr
	}
	return output, exitStatus(status), cause
}

// await waits until the program has ended, and kills its process group if that takes too long; the error says why it was killed.
func await(ctx context.Context, running *netns.Running, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var cause error
	select {
	case <-running.Ended():
		return nil
	case <-ctx.Done():
		cause = context.Cause(ctx)
	case <-timer.C:
		cause = fmt.Errorf("%w (%v)", ErrLimit, limit)
	}
	return errors.Join(cause, running.Kill())
}

func exitStatus(w syscall.WaitStatus) int {
	if w.Signaled() {
		return 128 + int(w.Signal())
	}
	return w.ExitStatus()
}
