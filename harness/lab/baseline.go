package lab

import (
	"context"
	"fmt"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// Baseline is what some checks have to know of the time before a section's commands: counters.
type Baseline struct {
	counters map[counterKey]uint64
}

type counterKey struct{ netns, link, name string }

// Baseline notes what the checks ask for. Where the counter, its link or its namespace is not there yet it starts at 0.
func (l *Lab) Baseline(ctx context.Context, checks []scenario.Check) (*Baseline, error) {
	base := &Baseline{counters: map[counterKey]uint64{}}
	for _, c := range checks {
		grew, ok := c.Claim.(scenario.CounterGrew)
		if !ok {
			continue
		}
		value, _, err := l.counter(ctx, grew)
		if err != nil {
			return nil, err
		}
		base.counters[keyOf(grew)] = value
	}
	return base, nil
}

// Close ends the watch over what happens.
func (b *Baseline) Close() {}

func keyOf(c scenario.CounterGrew) counterKey { return counterKey{c.Netns, c.Link, c.Counter} }

// counter reads a counter of a namespace (names as in nstat(8)) or of a link; ok is false when there is none of the name.
func (l *Lab) counter(ctx context.Context, c scenario.CounterGrew) (value uint64, ok bool, err error) {
	s, err := l.State(ctx)
	if err != nil {
		return 0, false, err
	}
	n := s.Namespace(c.Netns)
	if n == nil {
		return 0, false, nil
	}
	if c.Link != "" {
		link := n.Link(c.Link)
		if link == nil {
			return 0, false, nil
		}
		value, ok = link.Counters[c.Counter]
		return value, ok, nil
	}
	counters, err := observe.Counters(ctx, l.world, c.Netns)
	if err != nil {
		return 0, false, fmt.Errorf("read the counters of %s: %w", c.Netns, err)
	}
	value, ok = counters[c.Counter]
	return value, ok, nil
}

func (l *Lab) counterGrew(ctx context.Context, c scenario.CounterGrew, base *Baseline) (finding, error) {
	if base == nil {
		return finding{}, fmt.Errorf("not judged: nobody noted the counter %s before", c.Counter)
	}
	before, noted := base.counters[keyOf(c)]
	if !noted {
		return finding{}, fmt.Errorf("not judged: nobody noted the counter %s before", c.Counter)
	}
	now, ok, err := l.counter(ctx, c)
	if err != nil {
		return finding{}, err
	}
	if !ok {
		return finding{false, fmt.Sprintf("%s has no counter %s", word(c.Link == "", c.Netns, c.Link), c.Counter)}, nil
	}
	return finding{now-before == c.By, fmt.Sprintf("it grew by %d", now-before)}, nil
}
