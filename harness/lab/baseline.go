package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// Baseline is what some checks have to know of the time before a section's commands: counters, and what happens from then on.
type Baseline struct {
	counters map[counterKey]uint64
	feeds    map[string]*observe.Feed // by namespace
}

type counterKey struct{ netns, link, name string }

// Baseline notes what the checks ask for. Where the counter, its link or its namespace is not there yet it starts at 0.
func (l *Lab) Baseline(ctx context.Context, checks []scenario.Check) (*Baseline, error) {
	base := &Baseline{counters: map[counterKey]uint64{}, feeds: map[string]*observe.Feed{}}
	for _, c := range checks {
		var err error
		switch c := c.Claim.(type) {
		case scenario.CounterGrew:
			var all map[string]uint64
			all, err = l.counters(ctx, c)
			base.counters[keyOf(c)] = all[c.Counter]
		case scenario.SawEvent:
			err = base.watch(l, c.Netns)
		}
		if err != nil {
			base.Close()
			return nil, err
		}
	}
	return base, nil
}

// watch begins to watch a namespace. One that is not there yet has seen nothing.
func (b *Baseline) watch(l *Lab, ns string) error {
	if b.feeds[ns] != nil {
		return nil
	}
	feed, err := observe.Watch(l.world, ns)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	b.feeds[ns] = feed
	return nil
}

// unwatch ends the watch over namespaces whose name has gone, since a watch keeps a namespace alive. It is called after each command.
func (b *Baseline) unwatch(l *Lab) error {
	for ns, feed := range b.feeds {
		if l.has(ns) {
			continue
		}
		if _, err := feed.Events(0); err != nil {
			return err
		}
		feed.Close()
	}
	return nil
}

// Close ends the watch over what happens.
func (b *Baseline) Close() {
	for _, feed := range b.feeds {
		feed.Close()
	}
}

// moment is how long a namespace in which nothing happened yet is watched before that counts.
const moment = 20 * time.Millisecond

// saw looks for an event; without an object it asks that there was none.
func (b *Baseline) saw(c scenario.SawEvent) (finding, error) {
	if b == nil || b.feeds[c.Netns] == nil {
		return finding{}, fmt.Errorf("not judged: nobody watched %s", c.Netns)
	}
	wait := time.Duration(0)
	if c.Object == "" {
		wait = moment
	}
	events, err := b.feeds[c.Netns].Events(wait)
	if err != nil {
		return finding{}, fmt.Errorf("watch %s: %w", c.Netns, err)
	}
	found := "the events: " + list(events, observe.Event.String)
	if c.Object == "" {
		return finding{len(events) == 0, found}, nil
	}
	return finding{slices.ContainsFunc(events, func(e observe.Event) bool { return e.Is(c.Object, c.Verb, c.Detail) }), found}, nil
}

func keyOf(c scenario.CounterGrew) counterKey { return counterKey{c.Netns, c.Link, c.Counter} }

// counters reads all counters of the namespace (names as in nstat(8)) or link that a check asks about; nil when that is not there.
func (l *Lab) counters(ctx context.Context, c scenario.CounterGrew) (map[string]uint64, error) {
	s, err := l.brief(ctx)
	if err != nil {
		return nil, err
	}
	n := s.Namespace(c.Netns)
	if n == nil {
		return nil, nil
	}
	if c.Link != "" {
		if link := n.Link(c.Link); link != nil {
			return link.Counters, nil
		}
		return nil, nil
	}
	all, err := observe.Counters(ctx, l.world, c.Netns)
	if err != nil {
		return nil, fmt.Errorf("read the counters of %s: %w", c.Netns, err)
	}
	return all, nil
}

func (l *Lab) counterGrew(ctx context.Context, c scenario.CounterGrew, base *Baseline) (finding, error) {
	if base == nil {
		return finding{}, fmt.Errorf("not judged: nobody noted the counter %s before", c.Counter)
	}
	before, noted := base.counters[keyOf(c)]
	if !noted {
		return finding{}, fmt.Errorf("not judged: nobody noted the counter %s before", c.Counter)
	}
	all, err := l.counters(ctx, c)
	if err != nil {
		return finding{}, err
	}
	now, ok := all[c.Counter]
	if !ok {
		found := fmt.Sprintf("%s has no counter %s", word(c.Link == "", c.Netns, c.Link), c.Counter)
		if near, ok := scenario.Nearest(c.Counter, slices.Sorted(maps.Keys(all))); ok {
			found += "; the nearest name is " + near
		}
		return finding{false, found}, nil
	}
	return finding{now-before == c.By, fmt.Sprintf("it grew by %d", now-before)}, nil
}
