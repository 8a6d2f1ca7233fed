package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// Baseline is what some checks have to know of the time before a section's commands: counters, and what happens from
// then on.
type Baseline struct {
	counters map[claim.Count]uint64
	feeds    map[string]*observe.Feed // by namespace
}

// Baseline notes what the checks ask for. Where the counter, its link or its namespace is not there yet it starts at 0.
func (l *Lab) Baseline(ctx context.Context, checks []scenario.Check) (*Baseline, error) {
	base := &Baseline{counters: map[claim.Count]uint64{}, feeds: map[string]*observe.Feed{}}
	for _, c := range checks {
		var err error
		switch q := c.Claim.Needs().Question.(type) {
		case claim.Count:
			var all map[string]uint64
			all, err = l.counters(ctx, q)
			base.counters[q] = all[q.Counter]
		case claim.Watch:
			err = base.watch(l, q.Netns)
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

// unwatch ends the watch over namespaces whose name has gone, since a watch keeps a namespace alive. It is called after
// each command.
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

// events are what happened in the namespace since it is watched.
func (b *Baseline) events(q claim.Watch) ([]claim.Event, error) {
	if b == nil || b.feeds[q.Netns] == nil {
		return nil, fmt.Errorf("not judged: nobody watched %s", q.Netns)
	}
	wait := time.Duration(0)
	if q.None {
		wait = moment
	}
	seen, err := b.feeds[q.Netns].Events(wait)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", q.Netns, err)
	}
	events := make([]claim.Event, len(seen))
	for i, e := range seen {
		events[i] = e
	}
	return events, nil
}

// counted is a counter as it was noted, and all counters beside it as they are now.
func (b *Baseline) counted(ctx context.Context, l *Lab, q claim.Count) (claim.CounterMovement, error) {
	var before uint64
	noted := false
	if b != nil {
		before, noted = b.counters[q]
	}
	if !noted {
		return claim.CounterMovement{}, fmt.Errorf("not judged: nobody noted the counter %s before", q.Counter)
	}
	now, err := l.counters(ctx, q)
	return claim.CounterMovement{Before: before, Now: now}, err
}

// counters reads all counters of the namespace (names as in nstat(8)) or link that a check asks about; nil when that is
// not there.
func (l *Lab) counters(ctx context.Context, q claim.Count) (map[string]uint64, error) {
	s, err := l.brief(ctx)
	if err != nil {
		return nil, err
	}
	n := s.Namespace(q.Netns)
	if n == nil {
		return nil, nil
	}
	if q.Link != "" {
		if link := n.Link(q.Link); link != nil {
			return link.Counters, nil
		}
		return nil, nil
	}
	all, err := observe.Counters(ctx, l.world, q.Netns)
	if err != nil {
		return nil, fmt.Errorf("read the counters of %s: %w", q.Netns, err)
	}
	return all, nil
}
