package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/state"
)

// A fault has consequences: with a link that is set down, the kernel removes its IPv6 addresses and the routes by it.
// So a repair is tried on a copy of the state, the packet is walked again, and what stops it then is repaired too.

// rounds is the maximum number of times that a repair is completed.
const rounds = 8

// remedy is a cause with the repairs of its consequences, and how the packet fares then.
type remedy struct {
	cause *finding.Cause
	after *walk          // the walk after the repair
	next  *finding.Cause // what stops that one; nil for nothing
	// alone is how far the packet gets by the repair of the cause without that of its consequences.
	alone distance
	// known is set if what the repair changes is known, so that next is another cause.
	known bool
}

// completeRepair adds the repairs of a cause's consequences to its own, and those of the same cause for the other
// packets that it stops: a filter may drop the neighbour request, and then the packet.
func (w *walk) completeRepair(c *finding.Cause) remedy {
	s, r := w.State, remedy{cause: c, after: w, next: c, alone: w.distance(c)}
	for i := 0; len(r.next.Changes) > 0 && i < rounds; i++ {
		s = finding.After(s, r.next.Changes)
		r.after = &walk{Map: chartOfState(s), query: w.query, turns: w.turns.again()}
		r.next = r.after.both()
		if i == 0 {
			r.alone = r.after.distance(r.next)
		}
		if r.next == nil || !r.next.Name.Consequence() && !again(c, r.next) {
			if r.next != nil && c.Name != causes.MTUBlackHole && slices.Contains(tooNarrow, r.next.Name) &&
				len(r.next.Repair) == 0 {
				// Wider here, and too narrow further on, for good: the packet cannot be so large.
				c.Repair, c.Changes = nil, nil
				c.Advise(r.next.Advice...)
			}
			r.known = true
			return r
		}
		c.FixAs(r.next)
	}
	return r
}

// again reports whether a cause is there again after its repair, with a repair for another packet.
func again(c, next *finding.Cause) bool {
	return next.Name == c.Name && next.Place() == c.Place() && len(next.Repair) > 0 &&
		!slices.Contains(c.Repair, next.Repair[0])
}

// station is a namespace that sent the packet on, with the packet and the route decision there.
type station struct {
	n   *state.Namespace
	iif *state.Link // the link by which the packet came in; nil in the sending namespace
	p   packet.Packet
	d   routing.Decision
	// crossed is set if the packet reached the next namespace.
	crossed bool
}

// detour finds a namespace that sent the packet to a gateway only because its direct route was gone: its own link to
// the destination is down, or has lost the route. A route to a gateway that nobody is was meant to be used.
func (w *walk) detour(lost *finding.Cause) (remedy, bool) {
	for _, at := range w.stations {
		if at.d.Hop == nil || !at.d.Hop.Via.IsValid() {
			continue
		}
		for _, why := range []reason{
			faults.LinkDown, faults.DownStraight, faults.MuteStraight, w.connectedRouteMissing, faults.PrefixMismatch,
		} {
			c := why(w.Map, at.n, at.p, facts.Ordinary(at.n))
			if c == nil || c.Name == causes.PrefixMismatch && lost.Name == causes.GatewayNowhere && !at.crossed {
				continue
			}
			if r := w.completeRepair(c); r.next == nil {
				c.Reply = at.p.Reply
				return r, true
			}
		}
	}
	return remedy{}, false
}

// Fixes reports whether the packet and its reply get through after some changes.
func (w *walk) Fixes(changes ...finding.Change) bool {
	c, _ := w.after(changes)
	return c == nil
}

// Improves reports whether the packet gets further after some changes: through, or at least over more hops.
func (w *walk) Improves(changes ...finding.Change) bool {
	c, again := w.after(changes)
	return c == nil || len(again.path) > len(w.path) && c.Name != causes.RoutingLoop
}

// mend chooses repairs for this packet.
func (w *walk) mend() repair.Mender {
	if w.trial {
		return repair.Mender{Map: w.Map}
	}
	return repair.Mender{Map: w.Map, Tries: w}
}

// after is what stops the packet after some changes, and its walk then.
func (w *walk) after(changes []finding.Change) (*finding.Cause, *walk) {
	again := &walk{Map: chartOfState(finding.After(w.State, changes)), query: w.query, turns: w.turns.again(),
		trial: true}
	return again.both(), again
}
