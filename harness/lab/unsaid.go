package lab

import (
	"context"
	"strings"

	"netnscheck/harness/effects"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// view is a lab at one time: its state, and what is beside it.
type view struct {
	state  *state.State
	beside *beside // nil if something goes on beside the commands
}

// fresh is what a namespace is like that nobody has touched: the host of the lab before the first step, unless there
// was a set-up; nil if it is not known.
func (p *Play) fresh() (n *state.Namespace, b *observe.Beside) {
	if p.start == nil || p.start.beside == nil || p.sc.Setup != nil {
		return nil, nil
	}
	one, there := p.start.beside.netns[state.Host]
	if !there {
		return nil, nil
	}
	return p.start.state.Namespace(state.Host), &one
}

// view looks at the lab. Where something goes on beside the commands a namespace may be gone before the second look.
func (l *Lab) view(ctx context.Context) (*view, error) {
	s, err := l.State(ctx)
	if err != nil {
		return nil, err
	}
	if l.strangers.Load() {
		return &view{state: s}, nil
	}
	b, err := l.lookBeside(ctx, s)
	return &view{s, b}, err
}

// view is the lab after the section. What is beside the state is as it was before if no program has run and no sysctl
// was set.
func (s *scene) view(ctx context.Context, before *view) (*view, error) {
	if before == nil || s.programs {
		return s.lab.view(ctx)
	}
	now, err := s.lab.State(ctx)
	return &view{now, before.beside}, err
}

// inProcess reports whether a driver does a command without a program, and without a sysctl.
func inProcess(d Driver, cmd scenario.Command) bool {
	c, err := operation.Parse(cmd.Argv)
	switch c.Op.(type) {
	case operation.Run, operation.SysctlSet, operation.NetnsExecAll:
		return false
	}
	return d.Name() == scenario.NetlinkDriver && err == nil
}

// unsaid fails the section if something has changed since an earlier view that no command of it declares and no check
// claims. It returns the view now. Where a program goes on beside the commands nobody can tell who changed what.
func (s *scene) unsaid(ctx context.Context, before *view, checks []scenario.Check) *view {
	after, err := s.view(ctx, before)
	if err != nil {
		s.error(s.result.Line, err)
		return nil
	}
	if before == nil || before.beside == nil || after.beside == nil || s.lab.strangers.Load() {
		return after
	}
	texts := make([]string, len(checks))
	for i, c := range checks {
		texts[i] = c.Text
	}
	var changes []string
	if err := s.lab.linger(ctx, before.beside, after.beside); err != nil {
		s.error(s.result.Line, err)
		return nil
	}
	fresh, besideFresh := s.play.fresh()
	beside := before.beside.differences(after.beside, besideFresh)
	for _, d := range effects.Undeclared(before.state, after.state, fresh, beside, s.ran, texts) {
		changes = append(changes, d.Text)
	}
	if len(changes) > 0 {
		s.fail(scenario.Problem{Line: s.result.Line,
			Message: "something changed that no command declares and no check claims", Found: strings.Join(changes, "; ")})
	}
	return after
}
