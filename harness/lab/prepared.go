package lab

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
)

// Prepared starts a lab in the starting state of a scenario: with its host and its set-up, which the first driver runs
// that has all of its commands. The error wraps a *scenario.Unavailable or a *scenario.CannotSay if this machine or
// every driver lacks something.
func Prepared(ctx context.Context, sc *scenario.Scenario, o Options) (*Lab, error) {
	var err error
	for _, d := range builders() {
		p := NewPlay(sc, d, nil, PlayOptions{World: o})
		if err = p.require(ctx); err != nil {
			break
		}
		var l *Lab
		if l, err = p.startAtSetup(ctx); err == nil {
			return l, nil
		}
		if unavailable(err) == nil {
			break
		}
	}
	return nil, fmt.Errorf("prepare a lab of %s: %w", sc.ID, err)
}

// init lends the lab's set of namespaces to packages below harness/internal.
func init() {
	labworld.Of = func(lab any) *netns.World {
		l := lab.(*Lab)
		l.busy.Store(true)
		l.filters.Store(true)
		return l.world
	}
}

// Perform runs the commands of step i (from 0) in a lab, whatever was done there before, with the first driver that has
// all of them. A refusal stops nothing: what the command would do may be done already.
func (l *Lab) Perform(ctx context.Context, sc *scenario.Scenario, i int) ([]scenario.Exchange, error) {
	section := &sc.Steps[i].Section
	p := NewPlay(sc, Netlink(), nil, PlayOptions{})
	if err := p.require(ctx); err != nil {
		return nil, fmt.Errorf("run the commands of step %d: %w", i+1, err)
	}
	if p = p.standIn(section); p == nil {
		return nil, fmt.Errorf("run the commands of step %d: this machine has no driver for them", i+1)
	}
	r := p.newResult(scenario.StepSection, section, i, 0)
	s := &scene{play: p, lab: l, result: &r}
	s.run(ctx, section.Blocks, notAtAll)
	if r.Outcome == scenario.Error {
		return r.Transcript, fmt.Errorf("run the commands of step %d: %w", i+1, r.Err())
	}
	return r.Transcript, nil
}
