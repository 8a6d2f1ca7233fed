package session

import (
	"context"
	"slices"
	"sync"

	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/sitting"
)

// watchers are told when something has changed.
type watchers struct {
	mu  sync.Mutex
	all []chan struct{}
}

func (w *watchers) add() (changed chan struct{}, remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed = make(chan struct{}, 1)
	w.all = append(w.all, changed)
	return changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = slices.DeleteFunc(w.all, func(one chan struct{}) bool { return one == changed })
	}
}

func (w *watchers) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		select {
		case one <- struct{}{}:
		default: // it is told already
		}
	}
}

// changed is called when something may have changed.
func (s *session) changed() {
	s.late()
	s.work(nil)
	s.watchers.tell()
}

// latest is where the learner is, with the state that was judged last.
func (d *desk) latest() *sitting.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.sitting.View()
	s := *d.last
	s.Namespaces = slices.Clone(s.Namespaces)
	for i := range s.Namespaces {
		n := &s.Namespaces[i] // a map has none of these
		n.Filters, n.LegacyFilters, n.IPSets, n.Connections = nil, nil, nil, nil
	}
	v.State = &s
	return &v
}

// watch replies with a view whenever something has changed, until ctx ends or nobody reads.
func (s *session) watch(ctx context.Context, reply func(wire.Reply) error) {
	changed, remove := s.watchers.add()
	defer remove()
	for {
		if reply(wire.Reply{View: s.desk().latest(), More: true}) != nil {
			return
		}
		select {
		case <-changed:
		case <-s.over:
			reply(wire.Reply{})
			return
		case <-ctx.Done():
			return
		}
	}
}
