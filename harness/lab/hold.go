package lab

import (
	"fmt"

	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
)

// Hold opens a namespace, whose name may be deleted then: it lives until release is called, at the latest until the process ends.
// Call release before Close.
func (l *Lab) Hold(ns string) (release func(), err error) {
	h, err := l.world.Open(ns)
	if err != nil {
		return nil, fmt.Errorf("hold a namespace: %w", err)
	}
	return h.Close, nil
}

// Process is a program that runs in a namespace of a lab until End, or until the lab is closed.
type Process struct{ running *program.Background }

// Spawn starts a program in a namespace, as `ip netns exec` does, and leaves it running. The error is a *scenario.Unavailable where
// there is no such program.
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
