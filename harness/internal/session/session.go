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
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"netnscheck/harness/fault"
	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

// Role is the role of the process that has the lab. Its input and its output are frames of wire.
var Role = inside.Role{Name: "lab-session", Play: func(in io.Reader, out io.Writer) (status int, err error) {
	return 0, newSession(out).play(context.Background(), in)
}}

// Main is the number of the terminal of `harness lab start`: the session ends with its shell.
const Main = 1

// session is a running session.
type session struct {
	begin  wire.Begin
	secret string
	// sc is what the learner works on: the scenario of begin, or the page of a challenge that was made of it.
	sc  *scenario.Scenario
	lab *lab.Lab
	// judge is the desk of that lab: a reset puts another one in its place.
	judge atomic.Pointer[desk]
	out   *wire.Writer

	mu        sync.Mutex
	terminals map[uint32]*terminal
	asked     map[uint64]context.CancelFunc // by the number of the request
	over      chan struct{}                 // closed when the session is to end
	ending    sync.Once
	watchers  watchers
	journal   journal
	undone    []string       // commands of before that could not be run again
	lacks     []string       // what else the lab lacks, each as a sentence
	worked    []sitting.Past // as it was told last
	listener  net.Listener
	resetting sync.Mutex // while the lab is replaced: it guards sc, lab and listener
	leaving   sync.Mutex // held while terminals are asked to pass on what they have
	// askedInside is set if a command lab in the lab has asked something since the last prompt.
	askedInside atomic.Bool
}

func newSession(out io.Writer) *session {
	return &session{out: wire.NewWriter(out), secret: rand.Text(), terminals: map[uint32]*terminal{},
		asked: map[uint64]context.CancelFunc{}, over: make(chan struct{})}
}

func (s *session) play(ctx context.Context, in io.Reader) error {
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
	listened := make(chan error, 1)
	go func() { listened <- s.listen(frames) }()
	select {
	case <-s.over:
		err = nil
	case err = <-listened:
	}
	s.resetting.Lock()
	s.hangUp()
	if s.lab == nil {
		return err
	}
	s.deaf()
	s.desk().takenIn()
	return errors.Join(err, s.lab.Close())
}

// start makes the lab and the main terminal.
func (s *session) start(ctx context.Context) (err error) {
	s.begin.Scenario.Source = s.begin.Source
	s.journal = journal{all: s.begin.Log, earlier: s.begin.Earlier}
	err = s.settle(ctx, func() error {
		s.undone = replay(ctx, s.lab, s.sc, s.begin.Past, s.begin.Replay)
		return nil
	}, sitting.Options{Exam: s.begin.Exam, Past: s.begin.Past})
	if err == nil {
		s.desk().lookedBefore(s.begin.Replay)
		ready := s.desk().ready()
		ready.Undone, ready.Lacks = s.undone, append(ready.Lacks, s.lacks...)
		err = s.out.Message(wire.FromLab{Ready: ready})
	}
	if err == nil {
		err = s.open(s.begin.Main)
	}
	if err != nil && s.lab != nil {
		return errors.Join(err, s.lab.Close())
	}
	return err
}

// settle makes the lab, with what was done there before, and everything in it but terminals. After an error the lab is
// nil or has to be closed.
func (s *session) settle(ctx context.Context, again func() error, o sitting.Options) (err error) {
	s.lab = nil
	if err := s.make(ctx); err != nil {
		return err
	}
	live, err := s.lab.Live(ctx) // before anything makes namespaces there
	if err != nil {
		return err
	}
	world := labworld.Of(s.lab)
	if err := s.furniture().Furnish(world); err != nil {
		return err
	}
	if err := again(); err != nil {
		return err
	}
	// What was done again may have harmed the shell's files, or filled the disk.
	s.lacks = nil
	if err := s.furniture().Furnish(world); err != nil {
		s.lacks = append(s.lacks, err.Error())
	}
	d, err := newDesk(ctx, s.lab, live, s.sc, o)
	if err != nil {
		return err
	}
	d.changed, d.hunt = s.changed, s.begin.Challenge != nil
	s.judge.Store(d)
	go d.follow(ctx)
	if err := s.serve(ctx); err != nil {
		s.lacks = append(s.lacks, "the command lab does not work in this shell, only as harness lab in another "+
			"terminal: "+err.Error())
	}
	return nil
}

// desk is the one that judges now; nil before the first.
func (s *session) desk() *desk { return s.judge.Load() }

// make makes the lab in its starting state.
func (s *session) make(ctx context.Context) (err error) {
	if s.begin.Challenge == nil {
		s.sc = s.begin.Scenario
		s.lab, err = lab.Prepared(ctx, s.sc, lab.Options{})
		return err
	}
	c, err := lab.StartChallenge(ctx, s.begin.Scenario, fault.Options(*s.begin.Challenge), lab.Options{})
	if err != nil {
		return err
	}
	s.lab, s.sc = c.Lab, c.Page
	return nil
}

// anew is said where a new shell begins.
func anew(step int, alone bool, lacks []string) string {
	text := "The lab has begun anew. `lab` says where you are.\r\n"
	if alone {
		text = fmt.Sprintf("Step %d has begun anew. `lab` says where you are.\r\n", step)
	}
	for _, lack := range lacks {
		text += "But " + strings.ReplaceAll(untrusted.Shown(lack), "\n", "\r\n") + "\r\n"
	}
	return text
}

// reset makes the lab anew, with new shells on the terminals: from the beginning, or from that of the current step,
// with the commands of the steps before it.
func (s *session) reset(ctx context.Context, stepAlone bool) error {
	s.resetting.Lock()
	defer s.resetting.Unlock()
	d := s.desk()
	d.mu.Lock()
	if stepAlone {
		d.sitting.ResetStep()
	} else {
		d.sitting.Reset()
	}
	steps, o := d.sitting.Step(), sitting.Options{Exam: s.begin.Exam, Past: d.sitting.Past()}
	d.mu.Unlock()

	s.mu.Lock()
	var all []*terminal
	for _, t := range s.terminals {
		t.replaced.Store(true)
		all = append(all, t)
	}
	clear(s.terminals)
	s.mu.Unlock()
	for _, t := range all {
		t.hangUp()
	}
	s.deaf()
	err := s.lab.Close()
	if err == nil {
		err = s.settle(ctx, func() error {
			for i := range steps {
				if _, err := s.lab.Perform(ctx, s.sc, i); err != nil {
					return err
				}
			}
			return nil
		}, o)
	}
	for _, t := range all {
		if err == nil {
			s.out.Bytes(t.number, []byte("\r\n"+anew(steps+1, stepAlone, s.lacks)))
			t.open.Size = *t.size.Load()
			err = s.open(t.open)
		}
	}
	if err != nil {
		s.out.Message(wire.FromLab{Failed: failed(0, err)})
		s.end()
	}
	return err
}

func failed(terminal uint32, err error) *wire.Failed {
	var impossible *fault.ImpossibleError
	return &wire.Failed{Terminal: terminal, Text: err.Error(), Usage: errors.As(err, &impossible),
		Lacks: scenario.Lacks(err)}
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
		if err := s.attach(*m.Open); err != nil {
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
	case m.Ask != nil:
		s.ask(*m.Ask)
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

// all are the terminals that are open.
func (s *session) all() []*terminal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.terminals))
}

// hangUp closes all terminals.
func (s *session) hangUp() {
	for _, t := range s.all() {
		t.hangUp()
	}
}

// maxFarewell is how long an end waits for terminals whose output does not stop, or is not read.
const maxFarewell = time.Second

// passOn waits until what was written to the terminals has been passed on: after an end nothing more is.
func (s *session) passOn() {
	s.leaving.Lock()
	defer s.leaving.Unlock()
	limit := time.NewTimer(maxFarewell)
	defer limit.Stop()
	for _, t := range s.all() {
		done, over := t.passOn()
		select {
		case <-done:
		case <-over:
		case <-limit.C:
			return
		}
	}
}

// end ends the session.
func (s *session) end() { s.ending.Do(func() { close(s.over) }) }

// ended takes note of the end of a shell.
func (s *session) ended(t *terminal, status int) {
	s.mu.Lock()
	delete(s.terminals, t.number)
	s.mu.Unlock()
	if t.number == Main { // nothing is heard of the lab after its end
		s.desk().takenIn()
	}
	s.out.Message(wire.FromLab{Ended: &wire.Ended{Terminal: t.number, Status: status}})
	if t.number == Main {
		s.end()
	}
}
