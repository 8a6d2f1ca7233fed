package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// On a route with several nexthops the kernel sends each flow by one of them, by a hash (fib_select_multipath(),
// net/ipv4/fib_semantics.c; fib6_select_path(), net/ipv6/route.c). The hash is not known here, so the packet is walked
// by each nexthop. It may meet several such routes, there and back.

// maxWays is the maximum number of paths that are followed: eight there, and for each of them eight back.
const maxWays = 64

// turns are the nexthops that a packet takes at routes with several nexthops.
type turns struct {
	wanted []int // which one, at each fork in its order; the first one at forks beyond
	forks  []fork
}

// fork is a route with several nexthops, and the one that the packet took.
type fork struct {
	n     *state.Namespace
	route *state.Route
	reply bool
	hops  []*state.Nexthop
	taken int
	// likely is the number of nexthops, from the first, that every kernel may take; the others are taken only before
	// Linux 6.16.
	likely int
}

// same reports whether it is the same route in the same direction.
func (f fork) same(other fork) bool {
	return f.n == other.n && f.route == other.route && f.reply == other.reply
}

// alike reports whether the same nexthop was taken of the same route.
func (f fork) alike(other fork) bool { return f.same(other) && f.taken == other.taken }

// turn is the nexthop that the packet takes of several: of one route always the same one.
func (w *walk) turn(n *state.Namespace, p packet, iif *state.Link, d decision) *state.Nexthop {
	hops := aliveHops(n, d.route, p.dst.Zone())
	if w.turns == nil || len(hops) < 2 {
		return d.hop
	}
	f := fork{n: n, route: d.route, reply: p.reply}
	if known := slices.IndexFunc(w.turns.forks, f.same); known >= 0 {
		f = w.turns.forks[known]
		return f.hops[f.taken]
	}
	f.hops, f.likely = hops, len(hops)
	if iif == nil && p.family() == 4 && p.src.IsValid() {
		f.hops, f.likely = bySource(n, p, d, hops)
	}
	if i := len(w.turns.forks); i < len(w.turns.wanted) && w.turns.wanted[i] < len(hops) {
		f.taken = w.turns.wanted[i]
	}
	w.turns.forks = append(w.turns.forks, f)
	return f.hops[f.taken]
}

// bySource sorts the nexthops, those with the packet's source address on their link first, and counts these. Since
// Linux 6.16 an IPv4 packet that a namespace itself sends takes one of these, if there is any (fib_select_multipath(),
// net/ipv4/fib_semantics.c).
func bySource(n *state.Namespace, p packet, d decision, hops []*state.Nexthop) (sorted []*state.Nexthop, likely int) {
	var others []*state.Nexthop
	for _, h := range hops {
		if sourceOf(n, decision{rule: d.rule, route: d.route, hop: h}, p.dst) == p.src {
			sorted = append(sorted, h)
		} else {
			others = append(others, h)
		}
	}
	return append(sorted, others...), cmp.Or(len(sorted), len(hops))
}

// again are the turns that were taken, for another walk.
func (t *turns) again() *turns {
	again := &turns{}
	if t == nil {
		return again
	}
	for _, f := range t.forks {
		again.wanted = append(again.wanted, f.taken)
	}
	return again
}

// next are the turns of the next path; nil after the last.
func (t *turns) next() *turns {
	for i, f := range slices.Backward(t.forks) {
		if f.taken+1 < len(f.hops) {
			next := t.again()
			next.wanted = append(next.wanted[:i], f.taken+1)
			return next
		}
	}
	return nil
}

// way is the result of a walk: its turns, and whether the packet was lost.
type way struct {
	forks []fork
	lost  bool
}

// likely reports whether every kernel may send packets by this path.
func (v way) likely() bool {
	return !slices.ContainsFunc(v.forks, func(f fork) bool { return f.taken >= f.likely })
}

// everyWay walks the packet by every path that it may take. It returns the first walk that stops the packet, with the
// cause, or else the first of all. A cause that stops only some flows says so. The other walks are trials, which cost
// little.
func everyWay(s *state.State, q Query) (*walk, *Cause) {
	first := &walk{state: s, query: q, turns: &turns{}}
	told, cause := first, first.both()
	ways := []way{{first.turns.forks, cause != nil}}
	for t := first.turns.next(); t != nil; {
		if len(ways) == maxWays {
			first.doubt("routes with several nexthops give more than the %d paths that were followed", maxWays)
			break
		}
		trial := first.along(t)
		trial.trial = true
		c := trial.both()
		v := way{trial.turns.forks, c != nil}
		switch {
		case c == nil || cause != nil:
		case v.likely():
			told = first.along(&turns{wanted: t.wanted})
			cause = told.both()
		default:
			first.doubt("before Linux 6.16 some flows may be lost, those %s: %s, %s", byWords(v.forks), c.Name,
				c.Place())
		}
		for _, d := range trial.doubts {
			first.doubt("%s", d)
		}
		ways = append(ways, v)
		t = trial.turns.next()
	}
	if cause != nil {
		cause.partOf(told.turns.forks, ways)
	}
	told.doubts = first.doubts
	return told, cause
}

// along is a walk of the same packet through the same state with other turns.
func (w *walk) along(t *turns) *walk {
	return &walk{state: w.state, query: w.query, turns: t, names: w.names, owners: w.owners, children: w.children,
		segments: w.segments}
}

// partOf adds to a cause which flows it stops, if others get through.
func (c *Cause) partOf(forks []fork, ways []way) {
	through := slices.DeleteFunc(ways, func(v way) bool { return v.lost || !v.likely() })
	if len(through) == 0 {
		return
	}
	c.Part = true
	for _, f := range forks {
		if !slices.ContainsFunc(through, func(v way) bool { return slices.ContainsFunc(v.forks, f.alike) }) {
			forks = []fork{f} // this turn is enough to be lost
			break
		}
	}
	c.Says += "; this stops only some flows, those " + byWords(forks)
}

// byWords describes the turns that were taken.
func byWords(forks []fork) string {
	var words []string
	for _, f := range forks {
		h := f.hops[f.taken]
		by := "out of " + h.Dev
		if h.Via.IsValid() {
			by = "to " + h.Via.String()
		}
		words = append(words, fmt.Sprintf("%s %s sends %s",
			map[bool]string{false: "that", true: "whose answers"}[f.reply], f.n.Name, by))
	}
	return strings.Join(words, " and ")
}
