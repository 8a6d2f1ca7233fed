package lab

import (
	"context"
	"strings"

	"netnscheck/harness/effects"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// view is a lab at one time: its state, and what is beside it.
type view struct {
	state  *state.State
	beside *beside
}

// view looks at the lab.
func (l *Lab) view(ctx context.Context) (*view, error) {
	s, err := l.State(ctx)
	if err != nil {
		return nil, err
	}
	b, err := l.lookBeside(ctx, s)
	return &view{s, b}, err
}

// unsaid fails the section if something has changed since an earlier view that no command of it declares and no check
// claims. It returns the view now. Where a program goes on beside the commands nobody can tell who changed what.
func (s *scene) unsaid(ctx context.Context, before *view, checks []scenario.Check) *view {
	after, err := s.lab.view(ctx)
	if err != nil {
		s.error(s.result.Line, err)
		return nil
	}
	if before == nil || s.lab.strangers.Load() {
		return after
	}
	texts := make([]string, len(checks))
	for i, c := range checks {
		texts[i] = c.Text
	}
	var changes []string
	beside := before.beside.differences(after.beside)
	for _, d := range effects.Undeclared(before.state, after.state, beside, s.ran, texts) {
		changes = append(changes, d.Text)
	}
	if len(changes) > 0 {
		s.fail(scenario.Problem{Line: s.result.Line,
			Message: "something changed that no command declares and no check claims", Found: strings.Join(changes, "; ")})
	}
	return after
}
