package lab

import (
	"fmt"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

// Hold opens a namespace, whose name may be deleted then: it lives until release is called, at the latest until the
// process ends. Call release before Close.
func (l *Lab) Hold(ns string) (release func(), err error) {
	h, err := l.world.Open(ns)
	if err != nil {
		return nil, fmt.Errorf("hold a namespace: %w", err)
	}
	return h.Close, nil
}

// Go runs f inside a namespace, on a thread that has nothing else to do, and waits for it: what f opens, sockets above
// all, belongs to that namespace. Whatever f does to its thread is never seen by others, since the thread ends with f.
// Goroutines that f starts run elsewhere. A panic of f goes on in the caller; the error of f is wrapped, as is
// fs.ErrNotExist where there is no such namespace.
func (l *Lab) Go(ns string, f func() error) error {
	if err := l.world.Go(ns, f); err != nil {
		return fmt.Errorf("run a function in %s: %w", ns, err)
	}
	return nil
}

// Process is a program that runs in a namespace of a lab until End, or until the lab is closed.
type Process struct{ running *program.Background }

// Spawn starts a program in a namespace, as `ip netns exec` does, and leaves it running. The error is a
// *scenario.Unavailable where there is no such program.
func (l *Lab) Spawn(ns string, argv ...string) (*Process, error) {
	if err := program.Installed(scenario.Command{Argv: argv}); err != nil {
		return nil, err
	}
	b, err := program.Start(l.world, ns, argv)
	if err != nil {
		return nil, fmt.Errorf("spawn %s in %s: %w", argv[0], ns, err)
	}
	return &Process{b}, nil
}

// End kills the program and returns when it is gone.
func (p *Process) End() error { return p.running.End() }
