package fault

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// place is a link of a namespace.
type place struct {
	n *state.Namespace
	l *state.Link
}

func (p place) String() string { return fmt.Sprintf("`%s` in `%s`", p.l.Name, p.n.Name) }

// site is the finished network, as the makers of candidates see it.
type site struct {
	*state.State
	places  []place // all links but loopbacks and fallback tunnels, by namespace and name
	queries []diagnose.Query
	found   []candidate
}

// candidates are all things to break in a network, in a fixed order.
func candidates(finished *state.State, asked []diagnose.Query) []candidate {
	s := &site{State: finished, queries: asked}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		var here []place
		for j := range n.Links {
			if l := &n.Links[j]; l.Kind != "loopback" && !l.Fallback() {
				here = append(here, place{n, l})
			}
		}
		slices.SortFunc(here, func(a, b place) int { return strings.Compare(a.l.Name, b.l.Name) })
		s.places = append(s.places, here...)
	}
	s.links()
	s.addresses()
	s.routes()
	s.segments()
	s.tunnels()
	s.settings()
	s.filters()
	return s.found
}

// maybe adds a candidate.
func (s *site) maybe(level int, n *state.Namespace, title string, does func(*bench), names ...causes.Cause) {
	s.found = append(s.found, candidate{netns: n.Name, title: title, level: level, causes: names, does: does})
}
