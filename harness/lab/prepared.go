package lab

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
)

// Prepared starts a lab in the starting state of a scenario: with its host and its set-up, which the first driver runs
// that has all of its commands. The error wraps a *scenario.Unavailable or a *scenario.CannotSay if this machine or
// every driver lacks something.
func Prepared(ctx context.Context, sc *scenario.Scenario, o Options) (*Lab, error) {
	err := require(ctx, sc)
	if err == nil {
		for _, d := range builders() {
			var l *Lab
			if l, err = NewPlay(sc, d, nil, PlayOptions{World: o}).startAtSetup(ctx); err == nil {
				return l, nil
			}
			if unavailable(err) == nil {
				break
			}
		}
	}
	return nil, fmt.Errorf("prepare a lab of %s: %w", sc.ID, err)
}

// World is the lab's set of namespaces, for the packages below harness/internal. Whatever they do to it may change the
// lab at any time.
func (l *Lab) World() *netns.World {
	l.busy.Store(true)
	l.filters.Store(true)
	return l.world
}
