package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/lab"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Role is the role of the process in the sandbox that has the labs of a recording. It is sent a request and then
// messages, and answers each of them, the request too.
var Role = inside.Role{Name: "recorder-of-a-scenario", Play: func(in io.Reader, out io.Writer) (status int, err error) {
	return 0, serve(context.Background(), in, out)
}}

// request says in which starting state the work begins, and which shell the author has on which terminal. Without one
// his lines are sent.
type request struct {
	From *scenario.Scenario
	Open *wire.Open
}

// message is the next line, or the end; or, from an author at a terminal, its size, or that it was closed.
type message struct {
	Line   recording.Line
	End    bool
	Resize *wire.Size
	Hangup bool
}

// answer has an error, or what the message asked for.
type answer struct {
	Output string
	Status int
	// Error is why the line was not taken; Lacks marks that this machine lacks something.
	Error string
	Lacks bool
	// Recording is the answer to the end.
	Recording *recording.Recording
}

func serve(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	from, to := wire.NewReader(in), wire.NewWriter(out)
	var r request
	first, err := from.Next()
	if err == nil {
		err = first.Decode(&r)
	}
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	w, err := begin(ctx, r.From)
	if err != nil {
		return to.Message(refusal(err))
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := to.Message(answer{}); err != nil {
		return err
	}
	if r.Open != nil {
		return atTerminal(ctx, w, *r.Open, from, to)
	}
	for {
		var m message
		f, err := from.Next()
		if err == nil {
			err = f.Decode(&m)
		}
		if err != nil {
			return nil // whoever asked is gone
		}
		a, err := w.obey(ctx, m)
		if err != nil {
			a = refusal(err)
		}
		if err := to.Message(a); err != nil {
			return err
		}
	}
}

func refusal(err error) answer { return answer{Error: err.Error(), Lacks: scenario.Lacks(err)} }

// work is a recording in progress.
type work struct {
	driver lab.Driver
	from   *scenario.Scenario
	done   recording.Recording
	main   *lab.Lab // of the steps
	side   *lab.Lab // of the mistake that is being made, nil if there is none
	fixing bool
	last   *state.State // of the lab in which commands run now
}

func begin(ctx context.Context, from *scenario.Scenario) (*work, error) {
	d, err := lab.IPRoute2()
	if err != nil {
		return nil, err
	}
	w := &work{driver: d, from: from}
	if w.main, err = lab.Prepared(ctx, from, lab.Options{}); err != nil {
		return nil, err
	}
	if w.last, err = w.main.State(ctx); err != nil {
		return nil, errors.Join(err, w.main.Close())
	}
	return w, nil
}

func (w *work) close() error {
	err := w.main.Close()
	if w.side != nil {
		err = errors.Join(err, w.side.Close())
	}
	return err
}

func (w *work) obey(ctx context.Context, m message) (answer, error) {
	if m.End {
		err := w.whole(ctx)
		if err == nil {
			err = w.verify(ctx)
		}
		return answer{Recording: &w.done}, err
	}
	if m.Line.Kind == recording.Run {
		return w.run(ctx, m.Line)
	}
	return answer{}, w.mark(ctx, m.Line)
}

// whole ends the last section. The error says what a recording lacks.
func (w *work) whole(ctx context.Context) error {
	err := w.leave(ctx)
	if err == nil && len(w.done.Steps) == 0 {
		err = errors.New("there is no step: begin one with # step: TITLE")
	}
	return err
}

// mark begins a section.
func (w *work) mark(ctx context.Context, line recording.Line) error {
	switch line.Kind {
	case recording.BeginStep:
		return w.beginStep(ctx, line.Text)
	case recording.BeginMistake:
		return w.beginMistake(ctx, line.Text)
	case recording.BeginFix:
		return w.beginFix()
	}
	return nil
}

// here is the lab in which the author is.
func (w *work) here() *lab.Lab {
	if w.side != nil {
		return w.side
	}
	return w.main
}

func (w *work) step() *recording.Step {
	if len(w.done.Steps) == 0 {
		return nil
	}
	return &w.done.Steps[len(w.done.Steps)-1]
}

func (w *work) mistake() *recording.Mistake {
	if s := w.step(); w.side != nil {
		return &s.Mistakes[len(s.Mistakes)-1]
	}
	return nil
}

// leave ends the section in which the author is, and goes back to the lab of the steps.
func (w *work) leave(ctx context.Context) (err error) {
	switch s := w.step(); {
	case w.side != nil && len(w.mistake().Commands) == 0:
		return fmt.Errorf("the mistake “%s” has no command yet", w.mistake().Title)
	case w.fixing && len(w.mistake().Fix) == 0:
		return fmt.Errorf("the fix of the mistake “%s” has no command yet", w.mistake().Title)
	case s != nil && len(s.Commands) == 0:
		return fmt.Errorf("the step “%s” has no command yet", s.Title)
	}
	if w.side == nil {
		return nil
	}
	err = w.side.Close()
	w.side, w.fixing = nil, false
	if err == nil {
		w.last, err = w.main.State(ctx)
	}
	return err
}

func (w *work) beginStep(ctx context.Context, title string) error {
	if slices.ContainsFunc(w.done.Steps, func(s recording.Step) bool { return s.Title == title }) {
		return fmt.Errorf("there is a step “%s” already", title)
	}
	if err := w.leave(ctx); err != nil {
		return err
	}
	s := recording.Section{Title: title, Before: w.last, After: w.last}
	w.done.Steps = append(w.done.Steps, recording.Step{Section: s})
	return nil
}

// beginMistake makes a lab in the state before the step, where a mistake begins.
func (w *work) beginMistake(ctx context.Context, title string) error {
	s := w.step()
	if s == nil {
		return errors.New("a mistake belongs to a step: begin one with # step: TITLE")
	}
	if slices.ContainsFunc(s.Mistakes, func(m recording.Mistake) bool { return m.Title == title }) {
		return fmt.Errorf("there is a mistake “%s” at this step already", title)
	}
	if err := w.leave(ctx); err != nil {
		return err
	}
	l, err := w.labBefore(ctx, len(w.done.Steps)-1)
	if err != nil {
		return err
	}
	before, err := l.State(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	w.side, w.last = l, before
	s.Mistakes = append(s.Mistakes, recording.Mistake{Section: recording.Section{Title: title, Before: before,
		After: before}})
	return nil
}

func (w *work) beginFix() error {
	m := w.mistake()
	if m == nil || len(m.Commands) == 0 || w.fixing {
		return errors.New("a fix stands below a mistake and its commands")
	}
	w.fixing = true
	return nil
}

// labBefore is a new lab in the state before a step, counted from 0.
func (w *work) labBefore(ctx context.Context, step int) (*lab.Lab, error) {
	l, err := lab.Prepared(ctx, w.from, lab.Options{})
	if err != nil {
		return nil, err
	}
	commands := slices.Clone(w.done.Setup)
	for _, s := range w.done.Steps[:step] {
		commands = append(commands, s.Commands...)
	}
	for _, c := range commands {
		if _, err := l.Run(ctx, w.driver, scenario.Command{Text: c.Text, Argv: c.Argv}); err != nil {
			return nil, errors.Join(fmt.Errorf("run %q again: %w", c.Text, err), l.Close())
		}
	}
	return l, nil
}

// run runs a command in the lab in which the author is, and records it.
func (w *work) run(ctx context.Context, line recording.Line) (answer, error) {
	cmd := scenario.Command{Text: line.Text, Argv: line.Argv}
	if err := w.driver.CanSay(cmd); err != nil {
		return answer{}, err
	}
	x, err := w.here().Run(ctx, w.driver, cmd)
	if err != nil {
		return answer{}, fmt.Errorf("run %q: %w", line.Text, err)
	}
	_, err = w.note(ctx, recording.Command{Text: line.Text, Argv: line.Argv, Status: x.Status, Output: x.Output})
	return answer{Output: x.Output, Status: x.Status}, err
}

// look looks at what has changed since the last time.
func (w *work) look(ctx context.Context) (changed []string, err error) {
	after, err := w.here().State(ctx)
	if err != nil {
		return nil, err
	}
	changed = state.Diff(w.last.Normal(), after.Normal())
	w.last = after
	return changed, nil
}

// note records a command that has run, and returns what it has changed.
func (w *work) note(ctx context.Context, c recording.Command) (changed []string, err error) {
	if changed, err = w.look(ctx); err != nil {
		return nil, err
	}
	c.Partial = c.Status != 0 && len(changed) > 0
	switch s, m := w.step(), w.mistake(); {
	case m != nil && w.fixing:
		m.Fix = append(m.Fix, c)
	case m != nil:
		m.Commands, m.After = append(m.Commands, c), w.last
	case s != nil:
		s.Commands, s.After = append(s.Commands, c), w.last
	default:
		w.done.Setup = append(w.done.Setup, c)
	}
	return changed, nil
}

// requires are the features that the links of all sections need, except those of the host at the beginning.
func (w *work) requires() (words []string) {
	known := kernel.Words()
	look := func(s recording.Section) {
		for _, n := range s.After.WithoutFallback().Namespaces {
			for _, l := range n.Links {
				given := n.Name == "host" && slices.ContainsFunc(w.from.Host.Interfaces,
					func(h scenario.HostInterface) bool { return h.Name == l.Name })
				if !given && slices.Contains(known, l.Kind) && !slices.Contains(words, l.Kind) {
					words = append(words, l.Kind)
				}
			}
		}
	}
	for _, s := range w.done.Steps {
		look(s.Section)
		for _, m := range s.Mistakes {
			look(m.Section)
		}
	}
	return words
}
