package diagnose

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// What stops the packet may be where it was led: a namespace that sent it on may have had a better way. So what the
// walk has found is one candidate, and a lost or another route of a namespace on the path is one too. They are compared
// by how far the packet gets in a copy of the state without them. There it is walked on, to what stops it next.

// distance is how far a packet gets: on which part of its way it is stopped, and over how many hops.
type distance struct {
	part part
	hops int
}

// part is a part of the way.
type part int

const (
	underway  part = iota
	delivered      // where it is delivered locally
	answered       // the reply
	through        // nothing stops it
)

// distance is how far the packet has got in a walk that a cause has stopped.
func (w *walk) distance(c *finding.Cause) distance {
	switch {
	case c == nil:
		return distance{part: through}
	case c.Reply:
		return distance{answered, len(w.path)}
	case w.arrived != nil:
		return distance{delivered, len(w.path)}
	case c.Name == causes.RoutingLoop:
		return distance{}
	}
	return distance{underway, len(w.path)}
}

func (d distance) compare(other distance) int {
	return cmp.Or(cmp.Compare(d.part, other.part), cmp.Compare(d.hops, other.hops))
}

// sequence is what stops the packet, one cause after the other, each with its repair: after all of them it arrives,
// unless what the last one changes is not known.
func (w *walk) sequence(lost *finding.Cause) (found []*finding.Cause) {
	for range rounds {
		r := w.best(lost)
		found = append(found, r.cause)
		if r.next == nil || !r.known || lost.Part || slices.ContainsFunc(found, func(c *finding.Cause) bool {
			return c.Name == r.next.Name && c.Place() == r.next.Place()
		}) {
			break
		}
		w, lost = r.after, r.next
	}
	return found
}

// best is the candidate without which the packet gets furthest.
func (w *walk) best(lost *finding.Cause) remedy {
	if !lost.Part {
		if r, ok := w.detour(lost); ok {
			return r
		}
	}
	own := w.completeRepair(lost)
	if !lost.Part {
		if r, ok := w.outOfWrongLink(own); ok {
			return r
		}
	}
	w.forgetPathMTU(lost)
	return own
}

// outOfWrongLink finds a namespace on the path with two routes, of which the preferred one leads to the cause of own,
// and the other one, out of another link, further: further than that cause, and at least as far as its repair. What is
// only in doubt by the other route is not further.
func (w *walk) outOfWrongLink(own remedy) (remedy, bool) {
	for _, at := range w.stations {
		var without []finding.Change
		for won := []*state.Route{at.d.Route}; ; {
			without = append(without, finding.DeleteRoute(at.n.Name, won[len(won)-1]))
			then := finding.After(w.State, without).Namespace(at.n.Name)
			other := routing.Lookup(then, routing.FlowOf(at.p, at.iif))
			if !rivals(at, other) {
				break
			}
			r := w.completeRepair(w.wrongLink(at, won, other, own.cause))
			if w.further(at, own, r) {
				return r, true
			}
			won = append(won, other.Route)
		}
	}
	return remedy{}, false
}

// further reports whether another route of a station explains more than a cause: by itself, the packet gets further
// than the cause lets it.
func (w *walk) further(at station, own, other remedy) bool {
	lost := w.distance(own.cause)
	gained, repaired := other.after.distance(other.next), own.after.distance(own.next)
	if at.crossed {
		lost.hops, other.alone.hops = 0, 0 // the two ways may be of different lengths
	}
	ofTheLink := !at.crossed && !causes.RouteOutOfWrongLink.Explains(own.cause.Name)
	switch {
	case other.alone.compare(lost) <= 0:
		return false
	case gained.part < repaired.part, own.known && ofTheLink && gained.part == repaired.part:
		return false
	}
	return !slices.ContainsFunc(other.after.doubts, func(d string) bool { return !slices.Contains(w.doubts, d) })
}

// rivals reports whether a station could have taken another route as well, out of another link: to the same prefix, or
// to any directly connected network, where the preferred one is one too and the two overlap.
func rivals(at station, other routing.Decision) bool {
	won := at.d.Route
	if !other.Found() || other.Local() || len(won.Nexthops) != 1 || len(other.Route.Nexthops) != 1 ||
		other.Route.Table != won.Table || other.Hop.Dev == at.d.Hop.Dev || at.d.Dev(at.n) == nil {
		return false
	}
	return other.Route.To == won.To || !other.Hop.Via.IsValid() && slices.ContainsFunc(at.d.Dev(at.n).Addresses,
		func(a state.Address) bool { return facts.Covered(a) == won.To })
}

// wrongLink is the cause for the routes that come before another one. The repair deletes them, or, where they lead to
// other neighbours, goes around them for the destination alone.
func (w *walk) wrongLink(at station, won []*state.Route, other routing.Decision, lost *finding.Cause) *finding.Cause {
	dst, wrong, right := at.p.Dst.WithZone(""), won[0].Nexthops[0].Dev, other.Hop.Dev
	c := finding.New(causes.RouteOutOfWrongLink, at.n, at.n.Link(wrong),
		"two routes lead to %s; the preferred one leads out of %s, where %s is not, the other one out of %s, where it is",
		state.PrefixText(won[0].To), wrong, dst, right)
	if at.crossed || !causes.RouteOutOfWrongLink.Explains(lost.Name) {
		c.Says = fmt.Sprintf("two routes lead to %s; the preferred one leads out of %s, where packets for %s are "+
			"stopped (%s, %s), the other one out of %s, where they get further", state.PrefixText(won[0].To), wrong, dst,
			lost.Name, lost.Place(), right)
	}
	c.Reply = at.p.Reply
	for _, r := range append(won, other.Route) {
		c.Proof(words.RouteShown(at.n, r))
	}
	alone := netip.PrefixFrom(dst, dst.BitLen())
	if w.leadsToOthers(at) && won[0].To != alone && won[0].Table == state.TableMain {
		return c.AddRoute(at.n, alone, *other.Hop)
	}
	for _, r := range won {
		c.Fix(words.DeleteRoute(at.n, r)).Then(finding.DeleteRoute(at.n.Name, r))
	}
	return c
}

// leadsToOthers reports whether a station's route leads to others that would be lost without it: to neighbours, or
// beyond a gateway that takes packets.
func (w *walk) leadsToOthers(at station) bool {
	if at.d.Hop.Via.IsValid() && at.crossed {
		return true
	}
	out := facts.At(at.n, at.d.Dev(at.n))
	return !at.d.Hop.Via.IsValid() && slices.ContainsFunc(w.Endpoints(out), func(there facts.Port) bool {
		return there.N != at.n && slices.ContainsFunc(there.L.Addresses, func(a state.Address) bool {
			return at.d.Route.To.Contains(a.Prefix.Addr())
		})
	})
}
