package program

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"netnscheck/harness/internal/netns"
)

// Background is a program that runs until it ends by itself, End ends it, or the lab is closed.
type Background struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts argv in the namespace ns of the world, as Run does, and leaves it running. What it prints is lost.
func Start(w *netns.World, ns string, argv []string) (*Background, error) {
	path, err := LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	b := &Background{&exec.Cmd{Path: path, Args: argv, Env: environment(), Dir: workDir}, make(chan struct{})}
	if ns == netns.Host {
		err = w.Start(b.cmd)
	} else {
		err = w.StartIn(ns, b.cmd)
	}
	if err != nil {
		return nil, err
	}
	go func() {
		b.cmd.Wait() // however it ended
		close(b.ended)
	}()
	return b, nil
}

// End kills the program and returns when it is gone.
func (b *Background) End() error {
	if err := b.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", b.cmd, err)
	}
	<-b.ended
	return nil
}
