package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"netnscheck/harness/fault"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// Challenge is a lab with the finished network of a lesson, in which there are faults to be found.
type Challenge struct {
	Lab *Lab
	// Finished is the state before the faults, packet filters included.
	Finished *state.State
	// Goals are what held in it: the faults are found and mended when all of them hold again.
	Goals []scenario.Check
	// Faults are in the order in which they were put in.
	Faults []fault.Fault
	// Page is the challenge for a learner: a scenario of one step, whose checks are the goals.
	Page *scenario.Scenario

	lesson *scenario.Scenario
}

// Finish starts a lab, runs all steps of a lesson in it, and reads the state and the goals. Nothing is broken yet. The
// errors are those of After.
func Finish(ctx context.Context, sc *scenario.Scenario, world Options) (*Challenge, error) {
	l, err := finished(ctx, sc, len(sc.Steps), world)
	if err != nil {
		return nil, err
	}
	c := &Challenge{Lab: l, lesson: sc}
	if err := c.take(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("examine the finished lab of %s: %w", sc.ID, err), l.Close())
	}
	return c, nil
}

// take reads the state and the goals that hold. The probes for them leave neighbours behind, which are forgotten: an
// entry that is known would hide a fault.
func (c *Challenge) take(ctx context.Context) error {
	s, err := c.Lab.Whole(ctx)
	if err != nil {
		return err
	}
	// What the state foretells is awaited. Of the rest some is left over from earlier steps, and not true any more.
	var foretold, open []scenario.Check
	for _, g := range fault.Goals(c.lesson, s) {
		if fault.Foretold(g.Claim) {
			foretold = append(foretold, g)
		} else {
			open = append(open, g)
		}
	}
	hold := map[string]bool{}
	for i, a := range c.Lab.Await(ctx, foretold, nil) {
		hold[foretold[i].Text] = a.Outcome == scenario.Pass
	}
	for i, v := range c.Lab.EvaluateAll(ctx, open, nil) {
		hold[open[i].Text] = v.Outcome == scenario.Pass
	}
	c.Goals = slices.DeleteFunc(fault.Goals(c.lesson, s), func(g scenario.Check) bool { return !hold[g.Text] })
	if err := c.Lab.forgetNeighbours(ctx); err != nil {
		return err
	}
	c.Finished, err = c.Lab.Whole(ctx)
	return err
}

// Break chooses faults, writes the page and puts them in. If they cannot be put in here, nothing is changed; which they
// are does not depend on this machine. The error is a *fault.ImpossibleError if the network has no such faults, and
// wraps a *scenario.Unavailable if a program is missing that they take.
func (c *Challenge) Break(ctx context.Context, o fault.Options) error {
	chosen, err := fault.Choose(c.Finished, c.Goals, o)
	if err != nil {
		return err
	}
	if err := canMend(o, chosen); err != nil {
		return err
	}
	if c.Page, err = fault.Page(c.lesson, c.Finished, c.Goals, chosen); err != nil {
		return err
	}
	return c.PutIn(ctx, chosen...)
}

// canMend checks that the programs are installed that faults take.
func canMend(o fault.Options, chosen []fault.Fault) error {
	for _, f := range chosen {
		for _, name := range f.Programs {
			if err := program.Installed(scenario.Command{Argv: []string{name}}); err != nil {
				return fmt.Errorf("put in what the seed %s draws: %w; install it, or choose another seed", o.Seed, err)
			}
		}
	}
	return nil
}

// PutIn puts faults in.
func (c *Challenge) PutIn(ctx context.Context, faults ...fault.Fault) error {
	for _, f := range faults {
		if err := c.Lab.Build(ctx, f.Break); err != nil {
			return fmt.Errorf("put in a fault: %w", err)
		}
		c.Faults = append(c.Faults, f)
	}
	return nil
}

// StartChallenge is Finish and Break.
func StartChallenge(ctx context.Context, sc *scenario.Scenario, o fault.Options, world Options) (*Challenge, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	c, err := Finish(ctx, sc, world)
	if err != nil {
		return nil, err
	}
	if err := c.Break(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("make a challenge of %s: %w", sc.ID, err), c.Lab.Close())
	}
	return c, nil
}

// forgetNeighbours empties the neighbour tables except for what was configured.
func (l *Lab) forgetNeighbours(ctx context.Context) error {
	s, err := l.State(ctx)
	if err != nil {
		return err
	}
	var flushes []operation.Command
	for _, n := range s.Namespaces {
		netns := n.Name
		if netns == state.Host {
			netns = ""
		}
		var devs []string
		for _, e := range n.Neighbours {
			if e.State != "permanent" && e.State != "noarp" && !slices.Contains(devs, e.Dev) {
				devs = append(devs, e.Dev)
				flushes = append(flushes, operation.Command{Netns: netns, Op: operation.NeighbourFlush{Dev: e.Dev}})
			}
		}
	}
	return l.Build(ctx, flushes)
}
