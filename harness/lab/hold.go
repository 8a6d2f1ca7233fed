package lab

import (
	"fmt"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

// Hold keeps a namespace alive, also after its name is deleted, until release is called or the process ends. Call
// release before Close.
func (l *Lab) Hold(ns string) (release func(), err error) {
	l.busy.Store(true)
	h, err := l.world.Open(ns)
	if err != nil {
		return nil, fmt.Errorf("hold a namespace: %w", err)
	}
	return func() { h.Close(); l.gone() }, nil
}

// Go runs f inside a namespace on a thread of its own and waits for it. Sockets that f opens belong to that namespace.
// The thread ends with f, so changes to it affect nothing else. Goroutines that f starts do not run in the namespace. A
// panic in f continues in the caller. The error wraps that of f, or fs.ErrNotExist if the namespace does not exist.
func (l *Lab) Go(ns string, f func() error) error {
	l.busy.Store(true)
	err := l.world.Go(ns, f)
	l.gone() // f may have done anything
	if err != nil {
		return fmt.Errorf("run a function in %s: %w", ns, err)
	}
	return nil
}

// Process is a program that runs in a namespace of a lab until End or Lab.Close.
type Process struct {
	running *program.Background
	lab     *Lab
}

// Spawn starts a program in a namespace, as `ip netns exec` does, and leaves it running. The error is a
// *scenario.Unavailable if the program is not installed.
func (l *Lab) Spawn(ns string, argv ...string) (*Process, error) {
	if err := program.Installed(scenario.Command{Argv: argv}); err != nil {
		return nil, err
	}
	l.busy.Store(true)
	b, err := program.Start(l.world, ns, argv)
	if err != nil {
		return nil, fmt.Errorf("spawn %s in %s: %w", argv[0], ns, err)
	}
	return &Process{b, l}, nil
}

// End kills the program and waits until it has ended.
func (p *Process) End() error {
	defer p.lab.gone()
	return p.running.End()
}
