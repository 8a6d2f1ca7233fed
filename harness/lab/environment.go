package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// Feature is a word that a scenario can require, and its meaning for the reference.
type Feature struct{ Word, Means string }

// Features are all features except program:NAME, sorted.
func Features() (all []Feature) {
	for _, word := range kernel.Words() {
		all = append(all, Feature{word, kernel.Means(word)})
	}
	return all
}

// environment is what this machine has of what a scenario asks for. It is found out once, when it is first needed.
type environment struct {
	sc *scenario.Scenario
	// shared is set without a sandbox: labs see the machine's /etc, which scenarios must not change.
	shared bool
	// taken is PlayOptions.Taken.
	taken map[string]bool

	known   bool
	lacking *scenario.Unavailable
	// machine is for the conditions of the scenario's blocks. Before look has returned nothing is known of it.
	machine scenario.Machine
}

// look returns what this machine lacks of what the scenario requires, or nil.
func (e *environment) look(ctx context.Context) (*scenario.Unavailable, error) {
	if e.known {
		return e.lacking, nil
	}
	if e.shared && slices.Contains(e.sc.Requires, "etc-netns") {
		const reason = "it writes to /etc/netns, and with --sandbox=off that is the machine's own"
		return &scenario.Unavailable{Reason: reason, Features: []string{"etc-netns"}}, nil
	}
	lacking, err := kernel.Require(ctx, e.sc.Requires...)
	if err == nil && lacking == nil {
		asked := slices.DeleteFunc(e.sc.Conditional(), func(feature string) bool {
			_, taken := e.taken[feature]
			return taken
		})
		if e.machine, err = kernel.Machine(ctx, asked...); err == nil && len(e.taken) > 0 {
			features := maps.Clone(e.taken)
			maps.Copy(features, e.machine.Features)
			e.machine.Features = features
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find out whether %s can run here: %w", e.sc.ID, err)
	}
	e.lacking, e.known = lacking, true
	return lacking, nil
}

// require returns a *scenario.Unavailable if this machine lacks what the scenario requires.
func (p *Play) require(ctx context.Context) error {
	lacking, err := p.here.look(ctx)
	if err == nil && lacking != nil {
		err = lacking
	}
	return err
}
