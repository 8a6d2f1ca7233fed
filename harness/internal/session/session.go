// Package session is the side of a learner's lab that runs in the sandbox, where the judge is: it has the lab, opens
// the terminals of its shells, and tells between their output what a command did. The command line starts it in its
// role; it may import lab and the packages behind it. It reaches nobody outside but the process that started it, and
// believes nothing that a program in the lab says.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

// Role is the role of the process that has the lab. Its input and its output are frames of wire.
var Role = inside.Role{Name: "lab-session", Play: func(in io.Reader, out io.Writer) (status int, err error) {
	return 0, play(context.Background(), in, out)
}}

// Main is the number of the terminal of `harness lab start`: the session ends with its shell.
const Main = 1

// session is a running session.
type session struct {
	begin  wire.Begin
	secret string
	lab    *lab.Lab
	desk   *desk
	out    *wire.Writer

	mu        sync.Mutex
	terminals map[uint32]*terminal
	over      chan struct{} // closed when the shell of the main terminal has ended
}

func play(ctx context.Context, in io.Reader, out io.Writer) error {
	s := &session{out: wire.NewWriter(out), secret: rand.Text(), terminals: map[uint32]*terminal{},
		over: make(chan struct{})}
	frames := wire.NewReader(in)
	first, err := frames.Next()
	if err == nil {
		err = first.Decode(&s.begin)
	}
	if err != nil {
		return fmt.Errorf("read what to begin with: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return s.out.Message(wire.FromLab{Failed: failed(0, err)})
	}
	s.desk.changed = s.late
	go s.desk.follow(ctx)
	listened := make(chan error, 1)
	go func() { listened <- s.listen(frames) }()
	select {
	case <-s.over:
		err = nil
	case err = <-listened:
	}
	s.hangUp()
	s.desk.close()
	return errors.Join(err, s.lab.Close())
}

// start makes the lab and the main terminal.
func (s *session) start(ctx context.Context) (err error) {
	if s.lab, err = lab.Prepared(ctx, s.begin.Scenario, lab.Options{}); err != nil {
		return err
	}
	if err = s.furnish(); err == nil {
		sc := s.begin.Scenario
		sc.Source = s.begin.Source
		s.desk, err = newDesk(ctx, s.lab, sc, sitting.Options{Exam: s.begin.Exam})
	}
	if err == nil {
		err = s.out.Message(wire.FromLab{Ready: &wire.Ready{Lacks: s.desk.lacks()}})
	}
	if err == nil {
		err = s.open(s.begin.Main)
	}
	if err != nil {
		return errors.Join(err, s.lab.Close())
	}
	return nil
}

func failed(terminal uint32, err error) *wire.Failed {
	var unavailable *scenario.Unavailable
	var cannotSay *scenario.CannotSay
	return &wire.Failed{Terminal: terminal, Text: err.Error(),
		Lacks: errors.As(err, &unavailable) || errors.As(err, &cannotSay)}
}

// listen obeys the process outside until it is gone, which is no error.
func (s *session) listen(frames *wire.Reader) error {
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if f.Kind == wire.Bytes {
			if t := s.terminal(f.Terminal); t != nil {
				t.write(f.Payload)
			}
			continue
		}
		var m wire.ToLab
		if err := f.Decode(&m); err != nil {
			return err
		}
		if err := s.obey(m); err != nil {
			return err
		}
	}
}

func (s *session) obey(m wire.ToLab) error {
	switch {
	case m.Open != nil:
		if err := s.open(*m.Open); err != nil {
			return s.out.Message(wire.FromLab{Failed: failed(m.Open.Terminal, err)})
		}
	case m.Resize != nil:
		if t := s.terminal(m.Resize.Terminal); t != nil {
			t.resize(m.Resize.Size)
		}
	case m.Taken != nil:
		if t := s.terminal(m.Taken.Terminal); t != nil {
			t.window.Taken(m.Taken.Bytes)
		}
	case m.Hangup != 0:
		if t := s.terminal(m.Hangup); t != nil {
			t.hangUp()
		}
	}
	return nil
}

func (s *session) terminal(number uint32) *terminal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terminals[number]
}

// hangUp closes all terminals and waits until nothing more is read from them.
func (s *session) hangUp() {
	s.mu.Lock()
	var all []*terminal
	for _, t := range s.terminals {
		all = append(all, t)
	}
	s.mu.Unlock()
	for _, t := range all {
		t.hangUp()
	}
}

// ended takes note of the end of a shell.
func (s *session) ended(t *terminal, status int) {
	s.mu.Lock()
	delete(s.terminals, t.number)
	s.mu.Unlock()
	s.out.Message(wire.FromLab{Ended: &wire.Ended{Terminal: t.number, Status: status}})
	if t.number == Main {
		close(s.over)
	}
}
