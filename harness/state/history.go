package state

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// History keeps the normal forms of one state after the other. Of each it keeps what differs from the one before, since
// a scenario may have thousands of steps, and thousands of links, addresses and routes after each of them.
type History struct {
	last    pieces
	changes []map[place]change
}

// Len is the number of states.
func (h *History) Len() int { return len(h.changes) }

// Add adds a state.
func (h *History) Add(s *State) {
	next := piecesOf(s.Normal())
	changed := map[place]change{}
	for at, list := range next {
		if c, ok := changeOf(h.last[at], list); ok {
			changed[at] = c
		}
	}
	for at := range h.last {
		if _, still := next[at]; !still {
			changed[at] = change{gone: true}
		}
	}
	h.last, h.changes = next, append(h.changes, changed)
}

// Reader reads a history from its beginning.
type Reader struct {
	history *History
	next    int
	now     pieces
}

// Read returns a reader.
func (h *History) Read() *Reader { return &Reader{history: h, now: pieces{}} }

// At is the normal form of state i (from 0). It is fastest in order.
func (r *Reader) At(i int) *State {
	r.advance(i)
	return r.now.state()
}

// Equals reports whether state i has the same normal form as s. It is faster than At.
func (r *Reader) Equals(i int, s *State) bool {
	r.advance(i)
	return maps.EqualFunc(r.now, piecesOf(s.Normal()), func(a, b []any) bool { return reflect.DeepEqual(a, b) })
}

func (r *Reader) advance(i int) {
	if i < r.next-1 {
		*r = *r.history.Read()
	}
	for ; r.next <= i; r.next++ {
		for at, c := range r.history.changes[r.next] {
			if c.gone {
				delete(r.now, at)
			} else {
				r.now[at] = c.applied(r.now[at])
			}
		}
	}
}

// place is a list of elements of one kind in a namespace, which is counted if several have its name.
type place struct {
	netns string
	nth   int
	list  string
}

func (p place) sibling(list string) place { return place{p.netns, p.nth, list} }

// pieces are the elements of a state: a namespace without its lists, links without their addresses, and so on.
type pieces map[place][]any

// The lists of a namespace. Those of a link begin with addressesOf.
const (
	itself      = ""
	links       = "links"
	routes      = "routes"
	rules       = "rules"
	neighbours  = "neighbours"
	fdb         = "fdb"
	qdiscs      = "qdiscs"
	tcFilters   = "tc filters"
	sysctls     = "sysctls"
	addressesOf = "addresses of "
)

// piecesOf takes a state to pieces.
func piecesOf(s *State) pieces {
	p := pieces{}
	for _, n := range s.Namespaces {
		at := place{netns: n.Name, list: itself}
		for p[at] != nil {
			at.nth++
		}
		all := make([]any, len(n.Links))
		for i, l := range n.Links {
			put(p, at.sibling(addressesOf+l.Name), l.Addresses)
			l.Addresses = nil
			all[i] = l
		}
		if len(all) > 0 {
			p[at.sibling(links)] = all
		}
		put(p, at.sibling(routes), n.Routes)
		put(p, at.sibling(rules), n.Rules)
		put(p, at.sibling(neighbours), n.Neighbours)
		put(p, at.sibling(fdb), n.FDB)
		put(p, at.sibling(qdiscs), n.Qdiscs)
		put(p, at.sibling(tcFilters), n.TCFilters)
		put(p, at.sibling(sysctls), n.Sysctls)
		n.Links, n.Routes, n.Rules, n.Neighbours, n.FDB, n.Qdiscs = nil, nil, nil, nil, nil, nil
		n.TCFilters, n.Sysctls = nil, nil
		p[at] = []any{n}
	}
	return p
}

func put[T any](p pieces, at place, elements []T) {
	if len(elements) == 0 {
		return
	}
	all := make([]any, len(elements))
	for i, e := range elements {
		all[i] = e
	}
	p[at] = all
}

// state puts the pieces together.
func (p pieces) state() *State {
	s := &State{}
	var namespaces []place
	for at := range p {
		if at.list == itself {
			namespaces = append(namespaces, at)
		}
	}
	slices.SortFunc(namespaces, func(a, b place) int {
		return cmp.Or(compareNames(a.netns, b.netns), cmp.Compare(a.nth, b.nth))
	})
	for _, at := range namespaces {
		n := p[at][0].(Namespace)
		n.Links = get[Link](p[at.sibling(links)])
		for j := range n.Links {
			n.Links[j].Addresses = get[Address](p[at.sibling(addressesOf+n.Links[j].Name)])
		}
		n.Routes = get[Route](p[at.sibling(routes)])
		n.Rules = get[Rule](p[at.sibling(rules)])
		n.Neighbours = get[Neighbour](p[at.sibling(neighbours)])
		n.FDB = get[FDBEntry](p[at.sibling(fdb)])
		n.Qdiscs = get[Qdisc](p[at.sibling(qdiscs)])
		n.TCFilters = get[TCFilter](p[at.sibling(tcFilters)])
		n.Sysctls = get[Sysctl](p[at.sibling(sysctls)])
		s.Namespaces = append(s.Namespaces, n)
	}
	return s
}

func get[T any](list []any) []T {
	var elements []T
	for _, e := range list {
		elements = append(elements, e.(T))
	}
	return elements
}

// change is what has to be done to a list: its first elements (prefix) and its last ones (suffix) stay, the others are
// replaced.
type change struct {
	prefix, suffix int
	middle         []any
	gone           bool // the whole list
}

// changeOf is the change from a list to another, not ok if they are equal.
func changeOf(from, to []any) (c change, ok bool) {
	shorter := min(len(from), len(to))
	for c.prefix < shorter && reflect.DeepEqual(from[c.prefix], to[c.prefix]) {
		c.prefix++
	}
	if c.prefix == len(from) && c.prefix == len(to) && from != nil {
		return change{}, false
	}
	for c.suffix < shorter-c.prefix && reflect.DeepEqual(from[len(from)-1-c.suffix], to[len(to)-1-c.suffix]) {
		c.suffix++
	}
	c.middle = slices.Clone(to[c.prefix : len(to)-c.suffix])
	return c, true
}

func (c change) applied(from []any) []any {
	return slices.Concat(from[:c.prefix], c.middle, from[len(from)-c.suffix:])
}
