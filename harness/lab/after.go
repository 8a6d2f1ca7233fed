package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// After starts a lab, carries out the first so many steps of a scenario, reads the state that they leave, with the
// packet filters, and takes the lab down. It takes the first driver that can say them all. A *scenario.Unavailable or
// *scenario.CannotSay says what this machine or the drivers lack for it.
func After(ctx context.Context, sc *scenario.Scenario, steps int) (*state.State, error) {
	if err := require(ctx, sc); err != nil {
		return nil, err
	}
	var s *state.State
	var err error
	for _, d := range builders() {
		if s, err = after(ctx, NewPlay(sc, d, nil, PlayOptions{}), steps); err == nil {
			return s, nil
		}
		if unavailable(err) == nil {
			break
		}
	}
	return nil, fmt.Errorf("play %s: %w", sc.ID, err)
}

func after(ctx context.Context, p *Play, steps int) (*state.State, error) {
	for i := range p.sc.Steps[:steps] {
		if step := &p.sc.Steps[i]; p.forOthersAlone(step.Blocks) { // it would be missing in the state
			return nil, &scenario.Unavailable{Reason: fmt.Sprintf("step %d “%s” has no command for the driver %s", i+1,
				step.Title, p.driver.Name())}
		}
	}
	l, err := p.startBefore(ctx, steps)
	if err != nil {
		return nil, err
	}
	s, err := l.Whole(ctx)
	return s, errors.Join(err, l.Close())
}

// forOthersAlone says whether some of the blocks are for the versions here, but all of those for other drivers.
func (p *Play) forOthersAlone(blocks []scenario.Block) bool {
	return !p.anyFor(blocks) && slices.ContainsFunc(blocks, func(b scenario.Block) bool {
		return len(b.Drivers) > 0 && b.For(b.Drivers[0], p.versions)
	})
}

// builders are the drivers that take a lab to a place in a scenario where it is not the way there that is judged:
// netlink, which is the quickest, and the others for what netlink cannot say.
func builders() []Driver {
	drivers := []Driver{Netlink()}
	for _, d := range Drivers() {
		if d.Name() != drivers[0].Name() {
			drivers = append(drivers, d)
		}
	}
	return drivers
}
