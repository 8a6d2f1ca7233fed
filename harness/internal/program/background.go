package program

import (
	"fmt"

	"netnscheck/harness/internal/netns"
)

// Background is a program that runs until it exits, End kills it, or the lab is closed.
type Background struct {
	name    string
	running *netns.Running
}

// Start starts argv in the namespace ns of the world, as Run does, and leaves it running. Its output is discarded.
func Start(w *netns.World, ns string, argv []string) (*Background, error) {
	path, err := LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	running, err := w.StartIn(ns, netns.Program{Path: path, Args: argv, Env: environment(), Dir: workDir})
	if err != nil {
		return nil, err
	}
	return &Background{argv[0], running}, nil
}

// PID is the program's process id as the programs of the lab see it.
func (b *Background) PID() int { return b.running.PID }

// End kills the program and waits for its end.
func (b *Background) End() error {
	if err := b.running.Kill(); err != nil {
		return fmt.Errorf("end %s: %w", b.name, err)
	}
	_, err := b.running.Wait()
	return err
}
