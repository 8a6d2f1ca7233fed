package lab

import (
	"context"
	"fmt"
	"slices"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// versions are the installed versions, for the conditions of console blocks.
func versions() scenario.Versions {
	return scenario.Versions{"kernel": kernel.Release(), "iproute2": kernel.IPRoute2(), "busybox": kernel.Busybox()}
}

// Feature is a word that a scenario can require, and its meaning for the reference.
type Feature struct{ Word, Means string }

// Features are all features except program:NAME, sorted.
func Features() (all []Feature) {
	for _, word := range kernel.Words() {
		all = append(all, Feature{word, kernel.Means(word)})
	}
	return all
}

// requirements returns a function that finds out, once, whether this machine has what the scenario requires. Without a
// sandbox (shared) labs see the machine's /etc, which scenarios must not change.
func requirements(sc *scenario.Scenario, shared bool) func(context.Context) (*scenario.Unavailable, error) {
	if shared && slices.Contains(sc.Requires, "etc-netns") {
		return func(context.Context) (*scenario.Unavailable, error) {
			const reason = "it writes to /etc/netns, and with --sandbox=off that is the machine's own"
			return &scenario.Unavailable{Reason: reason}, nil
		}
	}
	looked := false
	var lacking *scenario.Unavailable
	return func(ctx context.Context) (*scenario.Unavailable, error) {
		if looked {
			return lacking, nil
		}
		var err error
		if lacking, err = kernel.Require(ctx, sc.Requires...); err != nil {
			return nil, fmt.Errorf("find out whether %s can run here: %w", sc.ID, err)
		}
		looked = true
		return lacking, nil
	}
}

// require returns a *scenario.Unavailable if this machine lacks what the scenario requires.
func require(ctx context.Context, sc *scenario.Scenario) error {
	lacking, err := requirements(sc, false)(ctx)
	if err == nil && lacking != nil {
		err = lacking
	}
	return err
}
