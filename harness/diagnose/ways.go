package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// By a route with several nexthops the kernel sends each flow by one of them. Which one is not known here, so the
// packet is walked by each of them. There and back it may come to several such routes.

// maxWays is how many ways are followed at most: eight there, and back by eight.
const maxWays = 64

// turns are the nexthops that a packet takes of routes with several ones.
type turns struct {
	wanted []int // which one, at each fork in its order; the first one at forks beyond
	forks  []fork
}

// fork is a route with several nexthops to which the packet came, and the one that it took.
type fork struct {
	n     *state.Namespace
	route *state.Route
	reply bool
	hops  []*state.Nexthop
	taken int
	// likely is how many of the nexthops, the first ones, every kernel may take; the others are taken before Linux 6.16
	// alone.
	likely int
}

// same says that it is the same route, there or back.
func (f fork) same(other fork) bool {
	return f.n == other.n && f.route == other.route && f.reply == other.reply
}

// alike says that the same turn was taken.
func (f fork) alike(other fork) bool { return f.same(other) && f.taken == other.taken }

// turn is the nexthop that the packet takes of several: at the same route always the same one.
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

// bySource are the nexthops, and first those whose link has the source address of the packet, with their number: what a
// namespace sends itself by IPv4 takes one of these since Linux 6.16, if there is one (fib_select_multipath).
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

// again are the turns that were taken, to be taken once more.
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

// next are the turns of the way after this one; nil after the last.
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

// way is what came of a walk by some turns.
type way struct {
	forks []fork
	lost  bool
}

// likely says that every kernel sends packets by it.
func (v way) likely() bool {
	return !slices.ContainsFunc(v.forks, func(f fork) bool { return f.taken >= f.likely })
}

// everyWay walks the packet by every way that it may take. It tells the first walk on which the packet is stopped, or
// else the first of all, and a cause that says so where it stops a part of the flows alone. The other walks are trials,
// so that they cost little.
func everyWay(s *state.State, q Query) (*walk, *Cause) {
	first := &walk{state: s, query: q, turns: &turns{}}
	told, cause := first, first.both()
	ways := []way{{first.turns.forks, cause != nil}}
	for t := first.turns.next(); t != nil; {
		if len(ways) == maxWays {
			first.doubt("by routes with several nexthops there are more than the %d ways that were followed", maxWays)
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

// along is a walk of the same packet through the same state by other turns.
func (w *walk) along(t *turns) *walk {
	return &walk{state: w.state, query: w.query, turns: t, names: w.names, owners: w.owners, children: w.children,
		segments: w.segments}
}

// partOf says of a cause which flows it stops, where others get through.
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
	c.Says += "; this stops a part of the flows alone, those " + byWords(forks)
}

// byWords says which turns were taken.
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
