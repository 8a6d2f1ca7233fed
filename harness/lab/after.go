package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// After runs the first steps of a scenario in a new lab, with the first driver that has all their commands, and returns
// the state after them, packet filters included. The lab is closed. The error wraps a *scenario.Unavailable or a
// *scenario.CannotSay if this machine or every driver lacks something.
func After(ctx context.Context, sc *scenario.Scenario, steps int) (*state.State, error) {
	l, err := finished(ctx, sc, steps, Options{})
	if err != nil {
		return nil, err
	}
	s, err := l.Whole(ctx)
	return s, errors.Join(err, l.Close())
}

// finished is a new lab after the first steps of a scenario.
func finished(ctx context.Context, sc *scenario.Scenario, steps int, world Options) (*Lab, error) {
	var l *Lab
	var err error
	for _, d := range builders() {
		p := NewPlay(sc, d, nil, PlayOptions{World: world})
		if err := p.require(ctx); err != nil {
			return nil, err
		}
		if l, err = after(ctx, p, steps); err == nil {
			return l, nil
		}
		if unavailable(err) == nil {
			break
		}
	}
	return nil, fmt.Errorf("play %s: %w", sc.ID, err)
}

func after(ctx context.Context, p *Play, steps int) (*Lab, error) {
	for i := range p.sc.Steps[:steps] {
		if step := &p.sc.Steps[i]; p.forOthersAlone(step.Blocks) { // the state would lack this step
			return nil, &scenario.Unavailable{Reason: fmt.Sprintf("step %d “%s” has no command for the driver %s", i+1,
				step.Title, p.driver.Name())}
		}
	}
	return p.startBefore(ctx, steps)
}

// forOthersAlone reports whether the blocks for this machine are all for other drivers.
func (p *Play) forOthersAlone(blocks []scenario.Block) bool {
	return !p.anyFor(blocks) && slices.ContainsFunc(blocks, func(b scenario.Block) bool {
		return len(b.Drivers) > 0 && b.For(b.Drivers[0], p.here.machine)
	})
}

// builders are the drivers for reaching a step of a scenario when the steps before it are not under test: netlink
// first, since it is the fastest, then the others for commands that netlink lacks.
func builders() []Driver {
	drivers := []Driver{Netlink()}
	for _, d := range Drivers() {
		if d.Name() != drivers[0].Name() {
			drivers = append(drivers, d)
		}
	}
	return drivers
}
