package record

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/lab"
	"netnscheck/harness/recording"
	"netnscheck/harness/scenario"
)

// verify runs everything once more in new labs: to see what differs in the outputs, and which of the proposed checks
// are false before their section and true after it.
func (w *work) verify(ctx context.Context) error {
	w.done.Requires = w.requires()
	l, err := lab.Prepared(ctx, w.from, lab.Options{})
	if err != nil {
		return err
	}
	if err = w.again(ctx, l, w.done.Setup); err == nil {
		for i := range w.done.Steps {
			if err = w.judge(ctx, l, &w.done.Steps[i].Section, true); err != nil {
				break
			}
		}
	}
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	for i := range w.done.Steps {
		for j := range w.done.Steps[i].Mistakes {
			if err := w.verifyMistake(ctx, i, &w.done.Steps[i].Mistakes[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *work) verifyMistake(ctx context.Context, step int, m *recording.Mistake) error {
	l, err := w.labBefore(ctx, step)
	if err != nil {
		return err
	}
	err = w.judge(ctx, l, &m.Section, false)
	if err == nil {
		err = w.again(ctx, l, m.Fix)
	}
	return errors.Join(err, l.Close())
}

// again runs commands once more.
func (w *work) again(ctx context.Context, l *lab.Lab, commands []recording.Command) error {
	for i := range commands {
		c := &commands[i]
		x, err := l.Run(ctx, w.driver, scenario.Command{Text: c.Text, Argv: c.Argv})
		if err != nil {
			return fmt.Errorf("run %q again: %w", c.Text, err)
		}
		if x.Status != c.Status {
			return fmt.Errorf("run %q again: its status was %d the first time and is %d now", c.Text, c.Status,
				x.Status)
		}
		c.Again = x.Output
	}
	return nil
}

// judge runs a section once more and keeps the checks that prove something: those that it makes true, and that an
// address is reached, or not, as its commands asked. A step needs a check: if it makes nothing true, what it looked at
// is one.
func (w *work) judge(ctx context.Context, l *lab.Lab, s *recording.Section, needsOne bool) error {
	s.Checks = nil
	proposed := checksOf(recording.Propose(*s))
	standing := checksOf(recording.Standing(*s))
	all := append(proposed, standing...)
	before := l.EvaluateAll(ctx, all, nil)
	if err := w.again(ctx, l, s.Commands); err != nil {
		return err
	}
	after := l.Await(ctx, all, nil)
	for i, c := range all {
		held := before[i].Outcome == scenario.Pass
		looked := i >= len(proposed) // at what was there
		switch {
		case after[i].Outcome != scenario.Pass,
			looked && (!needsOne || len(s.Checks) > 0),
			!looked && held && !strings.Contains(c.Text, " reach"):
		default:
			s.Checks = append(s.Checks, recording.Check{Sentence: c.Text, Before: held})
		}
	}
	if needsOne && len(s.Checks) == 0 {
		s.Checks = []recording.Check{{Sentence: "namespace `host` exists", Before: true}}
	}
	return nil
}

// checksOf are sentences as checks; what is none is left out.
func checksOf(sentences []string) (checks []scenario.Check) {
	for _, text := range sentences {
		if c, err := claim.Parse(text); err == nil {
			checks = append(checks, scenario.Check{Text: text, Claim: c})
		}
	}
	return checks
}
