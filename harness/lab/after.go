package lab

import (
	"context"
	"errors"
	"fmt"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// After starts a lab, carries out the first so many steps of a scenario, reads the state that they leave, with the packet filters, and
// takes the lab down. It takes the first driver that can say them. A *scenario.Unavailable or *scenario.CannotSay says what this machine
// or the drivers lack for it.
func After(ctx context.Context, sc *scenario.Scenario, steps int) (*state.State, error) {
	missing, err := requirements(sc, false)(ctx)
	if err != nil {
		return nil, err
	}
	if missing != "" {
		return nil, &scenario.Unavailable{Reason: missing}
	}
	drivers := []Driver{Netlink()}
	if d, err := IPRoute2(); err == nil {
		drivers = append(drivers, d)
	}
	var s *state.State
	for _, d := range drivers {
		if s, err = after(ctx, NewPlay(sc, d, nil, PlayOptions{}), steps); err == nil {
			return s, nil
		}
		if _, other := skipReason(err); !other {
			break
		}
	}
	return nil, fmt.Errorf("play %s: %w", sc.ID, err)
}

func after(ctx context.Context, p *Play, steps int) (*state.State, error) {
	l, err := p.startBefore(ctx, steps)
	if err != nil {
		return nil, err
	}
	s, err := l.Whole(ctx)
	return s, errors.Join(err, l.Close())
}
