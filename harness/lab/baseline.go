package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// Baseline holds counter values from before a section's commands, and records events from then on.
type Baseline struct {
	counters map[claim.Count]uint64
	feeds    map[string]eventSource // by namespace
}

// eventSource gives the events in a namespace. Without any it waits for a moment.
type eventSource interface {
	Events(moment time.Duration) ([]observe.Event, error)
	Close()
}

// Baseline reads the counters and starts the watches that the checks need. A counter whose link or namespace does not
// exist yet starts at 0.
func (l *Lab) Baseline(ctx context.Context, checks []scenario.Check) (*Baseline, error) {
	return l.baseline(ctx, checks, func(ns string) (eventSource, error) { return observe.Watch(l.world, ns) })
}

// baseline is Baseline with a way to watch a namespace.
func (l *Lab) baseline(ctx context.Context, checks []scenario.Check,
	watch func(ns string) (eventSource, error)) (*Baseline, error) {
	base := &Baseline{counters: map[claim.Count]uint64{}, feeds: map[string]eventSource{}}
	k := &look{lab: l}
	for _, c := range checks {
		var err error
		switch q := c.Claim.Needs().Question.(type) {
		case claim.Count:
			var all map[string]uint64
			all, err = k.counters(ctx, q)
			base.counters[q] = all[q.Counter]
		case claim.Watch:
			err = base.watch(q.Netns, watch)
		}
		if err != nil {
			base.Close()
			return nil, err
		}
	}
	return base, nil
}

// watch starts a watch on a namespace. A namespace that does not exist yet is not watched.
func (b *Baseline) watch(ns string, watch func(ns string) (eventSource, error)) error {
	if b.feeds[ns] != nil {
		return nil
	}
	feed, err := watch(ns)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	b.feeds[ns] = feed
	return nil
}

// unwatch ends the watches on namespaces whose name was deleted, because a watch's socket keeps its namespace alive. It
// is called after each command.
func (b *Baseline) unwatch(l *Lab) error {
	for ns, feed := range b.feeds {
		there, err := l.world.Has(ns)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if _, err := feed.Events(0); err != nil {
			return err
		}
		feed.Close()
	}
	return nil
}

// Close ends all watches.
func (b *Baseline) Close() {
	for _, feed := range b.feeds {
		feed.Close()
	}
}

// moment is how long to wait for an event before a namespace counts as quiet.
const moment = 20 * time.Millisecond

// events are the events in the namespace since the watch on it started.
func (b *Baseline) events(q claim.Watch) ([]claim.Event, error) {
	if b == nil || b.feeds[q.Netns] == nil {
		return nil, fmt.Errorf("not judged: %s was not watched", q.Netns)
	}
	wait := time.Duration(0)
	if q.None {
		wait = paced(moment)
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

// events are the events that a check asks for. That a fallback tunnel is there now is none: some process of this
// machine has loaded its module.
func (k *look) events(ctx context.Context, q claim.Watch) ([]claim.Event, error) {
	events, err := k.base.events(q)
	if err != nil || !q.None || len(events) == 0 {
		return events, err
	}
	s, err := k.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	untouched := s.UntouchedFallback()
	return slices.DeleteFunc(events, func(e claim.Event) bool {
		return slices.ContainsFunc(untouched, func(name string) bool { return e.Is("link", "add", name) })
	}), nil
}

// counted returns the recorded value of a counter, and the current values of all counters of its link or namespace.
func (b *Baseline) counted(ctx context.Context, k *look, q claim.Count) (claim.CounterMovement, error) {
	var before uint64
	noted := false
	if b != nil {
		before, noted = b.counters[q]
	}
	if !noted {
		return claim.CounterMovement{}, fmt.Errorf("not judged: the counter %s was not read before", q.Counter)
	}
	now, err := k.counters(ctx, q)
	return claim.CounterMovement{Before: before, Now: now}, err
}

// counters reads all counters of the link or the namespace in the question; those of a namespace have the names of
// nstat(8). It returns nil if the link or the namespace does not exist.
func (k *look) counters(ctx context.Context, q claim.Count) (map[string]uint64, error) {
	s, err := k.snapshot(ctx)
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
	all, err := observe.Counters(ctx, k.lab.world, q.Netns)
	if err != nil {
		return nil, fmt.Errorf("read the counters of %s: %w", q.Netns, err)
	}
	return all, nil
}
