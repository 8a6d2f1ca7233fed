package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/state"
)

// On a route with several nexthops the kernel sends each flow by one of them, by a hash (fib_select_multipath(),
// net/ipv4/fib_semantics.c; fib6_select_path(), net/ipv6/route.c). The hash is not known here, so the packet is walked
// by each nexthop. It may meet several such routes, there and back. A rule that spreads packets over several outcomes,
// by a random number or a hash, is followed in the same way.

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
	// rule has several ways in place of a route, each told in words, by the number that it draws for a key.
	rule  *state.FilterRule
	key   string
	by    []string
	taken int
	// likely is the number of nexthops, from the first, that every kernel may take; the others are taken only before
	// Linux 6.16.
	likely int
}

// same reports whether it is the same route in the same direction.
func (f fork) same(other fork) bool {
	return f.n == other.n && f.route == other.route && f.rule == other.rule && f.key == other.key &&
		f.reply == other.reply
}

// options is the number of ways.
func (f fork) options() int { return max(len(f.hops), len(f.by)) }

// alike reports whether the same nexthop was taken of the same route.
func (f fork) alike(other fork) bool { return f.same(other) && f.taken == other.taken }

// turn is the nexthop that the packet takes of several: of one route always the same one.
func (w *walk) turn(n *state.Namespace, p packet.Packet, iif *state.Link, d routing.Decision) *state.Nexthop {
	hops := routing.AliveHops(n, d.Route, p.Dst.Zone())
	if w.turns == nil || len(hops) < 2 {
		return d.Hop
	}
	f := fork{n: n, route: d.Route, reply: p.Reply}
	if known := slices.IndexFunc(w.turns.forks, f.same); known >= 0 {
		f = w.turns.forks[known]
		return f.hops[f.taken]
	}
	f.hops, f.likely = hops, len(hops)
	if iif == nil && p.Family() == 4 && p.Src.IsValid() {
		f.hops, f.likely = bySource(n, p, d, hops)
	}
	return f.hops[w.turns.take(f)]
}

// take is the way that is taken at a fork.
func (t *turns) take(f fork) int {
	if i := len(t.forks); i < len(t.wanted) && t.wanted[i] < f.options() {
		f.taken = t.wanted[i]
	}
	t.forks = append(t.forks, f)
	return f.taken
}

// draw is the way that a packet takes of several ways of a rule: of one rule always the same one.
func (w *walk) draw(n *state.Namespace, rule *state.FilterRule, key string, by []string, reply bool) int {
	f := fork{n: n, rule: rule, key: key, reply: reply, by: by, likely: len(by)}
	if w.turns == nil {
		return 0
	}
	if known := slices.IndexFunc(w.turns.forks, f.same); known >= 0 {
		return w.turns.forks[known].taken
	}
	return w.turns.take(f)
}

// bySource sorts the nexthops, those with the packet's source address on their link first, and counts these. Since
// Linux 6.16 an IPv4 packet that a namespace itself sends takes one of these, if there is any (fib_select_multipath(),
// net/ipv4/fib_semantics.c).
func bySource(n *state.Namespace, p packet.Packet, d routing.Decision, hops []*state.Nexthop) (sorted []*state.Nexthop,
	likely int) {
	var others []*state.Nexthop
	for _, h := range hops {
		if routing.SourceOf(n, routing.Decision{Rule: d.Rule, Route: d.Route, Hop: h}, p.Dst) == p.Src {
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
		if f.taken+1 < f.options() {
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
func (first *walk) everyWay() (*walk, *finding.Cause) {
	first.turns = &turns{}
	told, cause := first, first.both()
	ways := []way{{first.turns.forks, cause != nil}}
	for t := first.turns.next(); t != nil; {
		if len(ways) == maxWays {
			first.doubt("routes with several nexthops and rules that spread packets give more than the %d paths that "+
				"were followed", maxWays)
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
			told.trial = first.trial
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
		partOf(cause, told.turns.forks, ways)
	}
	told.doubts = first.doubts
	return told, cause
}

// along is a walk of the same packet through the same state with other turns.
func (w *walk) along(t *turns) *walk {
	return &walk{Map: w.Map, query: w.query, turns: t}
}

// partOf adds to a cause which flows it stops, if others get through.
func partOf(c *finding.Cause, forks []fork, ways []way) {
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

// where is the way that is taken, in words.
func (f fork) where() string {
	if f.rule != nil {
		return f.by[f.taken]
	}
	if h := f.hops[f.taken]; !h.Via.IsValid() {
		return "out of " + h.Dev
	}
	return "to " + f.hops[f.taken].Via.String()
}

// byWords describes the turns that were taken.
func byWords(forks []fork) string {
	var words []string
	for _, f := range forks {
		words = append(words, fmt.Sprintf("%s %s sends %s",
			map[bool]string{false: "that", true: "whose answers"}[f.reply], f.n.Name, f.where()))
	}
	return strings.Join(words, " and ")
}
