package fault

import (
	"reflect"
	"slices"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/state"
)

// soundPath is the claim that nothing is wrong and that packets go the way that they went in the finished network. It
// does not tell the cause when it is false: that is to be found.
type soundPath struct {
	claim.NothingWrong
	finished *state.State
}

func (c soundPath) Judge(known claim.Evidence) claim.Finding {
	asked := diagnose.Query{From: c.Netns, To: c.Dest, Source: c.From, Size: c.Bytes, Port: uint16(c.Port)}
	r := diagnose.Diagnose(known.State, asked)
	switch {
	case r.Cause != nil || len(r.Path) == 0:
		return claim.Finding{Found: "something is, whether a ping gets an answer or not"}
	case !asItWas(diagnose.Diagnose(c.finished, asked).Path, c.finished, r.Path, known.State):
		return claim.Finding{Found: "packets get through, but another way, or a route, a rule, an address, a " +
			"neighbour, a VLAN or a tunnel is not what it was"}
	}
	return claim.Finding{Holds: true}
}

// asItWas reports whether a way through a network is the one that it was: the same namespaces, whose routes still lead
// where they led, by links with the addresses that they had. A neighbour that was given by hand is not allowed: it
// hides a link that does not resolve addresses. Nor is a route or a rule that leads elsewhere: packets may get past it
// by another one that was put before it. How a route is written is free: one to a wider network does as well.
func asItWas(oldWay []diagnose.Hop, was *state.State, way []diagnose.Hop, now *state.State) bool {
	return withTags(was, now) && slices.EqualFunc(oldWay, way, func(a, b diagnose.Hop) bool {
		if a.Netns != b.Netns || a.Reply != b.Reply {
			return false
		}
		old, n := was.Namespace(a.Netns), now.Namespace(a.Netns)
		return !withGiven(old, n) && withRoutes(old, n) && !astray(old, n) && sameRules(old, n) &&
			withAddresses(old.Link(a.Link), n.Link(a.Link))
	})
}

// withGiven reports whether a namespace has a permanent neighbour that it did not have.
func withGiven(was, now *state.Namespace) bool {
	return slices.ContainsFunc(now.Neighbours, func(e state.Neighbour) bool {
		return e.State == "permanent" && !slices.ContainsFunc(was.Neighbours, func(old state.Neighbour) bool {
			return old.Addr == e.Addr && old.Dev == e.Dev && old.State == e.State && old.Proxy == e.Proxy
		})
	})
}

// withRoutes reports whether each route that a namespace had has one by the same next hop that leads at least as far.
func withRoutes(was, now *state.Namespace) bool {
	for _, old := range was.Routes {
		if old.Table == state.TableLocal || old.Type != "unicast" || len(old.Nexthops) != 1 || made(old) {
			continue
		}
		if !slices.ContainsFunc(now.Routes, func(r state.Route) bool {
			return r.Type == "unicast" && r.Table == old.Table && r.Family == old.Family && len(r.Nexthops) == 1 &&
				r.Nexthops[0].Via == old.Nexthops[0].Via && r.Nexthops[0].Dev == old.Nexthops[0].Dev &&
				r.To.Bits() <= old.To.Bits() && r.To.Contains(old.To.Addr())
		}) {
			return false
		}
	}
	return true
}

// astray reports whether a namespace has a route that it did not have, and that leads elsewhere than packets to there
// went, or nowhere.
func astray(was, now *state.Namespace) bool {
	return slices.ContainsFunc(now.Routes, func(r state.Route) bool {
		if slices.Contains([]string{"kernel", "ra", "redirect"}, r.Proto) || hasRoute(was.Routes, r) {
			return false
		}
		if r.Type != "unicast" {
			return true
		}
		old, ok := covering(was.Routes, r)
		return ok && !slices.EqualFunc(old.Nexthops, r.Nexthops, func(a, b state.Nexthop) bool {
			return a.Via == b.Via && a.Dev == b.Dev
		})
	})
}

// covering is the narrowest route of the same table that leads to all of where r leads.
func covering(all []state.Route, r state.Route) (found state.Route, ok bool) {
	for _, other := range all {
		if other.Family == r.Family && other.Table == r.Table && other.Type == "unicast" &&
			other.To.Bits() <= r.To.Bits() && other.To.Contains(r.To.Addr()) &&
			(!ok || other.To.Bits() > found.To.Bits()) {
			found, ok = other, true
		}
	}
	return found, ok
}

// sameRules reports whether a namespace has the rules that it had, in their order; their numbers are free.
func sameRules(was, now *state.Namespace) bool {
	in := func(n *state.Namespace, family int) (rules []state.Rule) {
		for _, r := range n.Rules {
			if r.Family == family {
				r.Priority, r.Protocol = 0, ""
				rules = append(rules, r)
			}
		}
		return rules
	}
	return reflect.DeepEqual(in(was, 4), in(now, 4)) && reflect.DeepEqual(in(was, 6), in(now, 6))
}

// sameTunnel reports whether a VXLAN has the identifier, the UDP port and the remote that it had. Its remotes may be in
// the forwarding table alone.
func sameTunnel(now *state.VXLAN, was state.VXLAN) bool {
	return now != nil && now.ID == was.ID && now.DstPort == was.DstPort &&
		(now.Remote == was.Remote || !now.Remote.IsValid())
}

// withTags reports whether each VLAN has the tag that it had, and each VXLAN is what it was: both ends may fit each
// other in another way.
func withTags(was, now *state.State) bool {
	for i := range was.Namespaces {
		n := now.Namespace(was.Namespaces[i].Name)
		for _, old := range was.Namespaces[i].Links {
			if old.VLAN == nil && old.VXLAN == nil {
				continue
			}
			var l *state.Link
			if n != nil {
				l = n.Link(old.Name)
			}
			if l == nil || old.VLAN != nil && (l.VLAN == nil || *l.VLAN != *old.VLAN) || old.VXLAN != nil &&
				!sameTunnel(l.VXLAN, *old.VXLAN) {
				return false
			}
		}
	}
	return true
}

// withAddresses reports whether a link has all addresses that were given to it, with their prefixes. No link has them.
func withAddresses(was, now *state.Link) bool {
	return was == nil || now != nil && !slices.ContainsFunc(was.Addresses, func(a state.Address) bool {
		return slices.Contains(a.Flags, "permanent") && !a.Prefix.Addr().IsLinkLocalUnicast() &&
			!slices.ContainsFunc(now.Addresses, func(other state.Address) bool {
				return other.Prefix == a.Prefix && other.Peer == a.Peer
			})
	})
}
