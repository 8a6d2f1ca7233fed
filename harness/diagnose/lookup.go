package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/state"
)

// look looks up the route of a packet, and notes as a doubt what the state does not decide. The reply to a packet that
// came in by a link of a VRF stays in that VRF.
func (w *walk) look(n *state.Namespace, p packet.Packet, iif *state.Link) routing.Decision {
	d := w.decide(n, p, iif)
	w.lookups = append(w.lookups, lookedUp{n, p, iif, d})
	return d
}

func (w *walk) decide(n *state.Namespace, p packet.Packet, iif *state.Link) routing.Decision {
	f := routing.FlowOf(p, iif)
	in := iif
	if iif == nil && p.Reply && w.arrived != nil {
		in = w.arrived
		if vrf := routing.VrfOf(n, in.Name); vrf != nil && f.Oif == "" {
			f.Oif = vrf.Name
		}
	}
	if in != nil {
		if vrf := routing.VrfOf(n, in.Name); vrf != nil {
			w.doubt("%s in %s is in the VRF %s: which services receive there, and where they reply, is not known here",
				in.Name, n.Name, vrf.Name)
		}
	}
	d := routing.Lookup(n, f)
	f.Marked, f.OfUser = p.Vague, iif == nil
	if other := routing.Lookup(n, f); other.Route != d.Route || other.Refused != d.Refused {
		w.doubt("%s: the route to %s depends on the packet's mark or on the sending user, which is not known here",
			n.Name, p.Dst)
		return routing.Decision{Unknown: true}
	}
	f.Marked, f.OfUser = false, false
	f.Ruled = p.Family() == 6 && len(facts.RulesOf(n, 6)) > 0 // a kernel without IPv6 rules has none at all
	if other := routing.Lookup(n, f); f.Ruled && !slices.ContainsFunc(facts.RulesOf(n, 6), routing.Custom) &&
		(other.Route != d.Route || other.Refused != d.Refused) {
		w.doubt("%s: an IPv6 rule of a new namespace was deleted, which counts only if another one was ever added: "+
			"that is not known here", n.Name)
		return routing.Decision{Unknown: true}
	}
	switch {
	case d.Unknown:
		w.doubt("%s: where the route to %s with the nexthop object %d leads was not read", n.Name,
			state.PrefixText(d.Route.To), d.Route.NexthopID)
	case d.Found() && !d.Local() && len(d.Route.Nexthops) > 1:
		d.Hop = w.turn(n, p, iif, d)
	}
	if d.Found() && d.Hop != nil && d.Hop.Encap != "" {
		w.doubt("%s: the route to %s wraps the packets (encap %s): where they go then is not known here", n.Name,
			state.PrefixText(d.Route.To), d.Hop.Encap)
		return routing.Decision{Unknown: true}
	}
	return d
}
