package repair

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/state"
)

// Heir is the link of a segment that may get an address that no link has: one without an address of its family, or the
// only other link there, unless its namespace has the address for a gateway, which is somebody else.
func Heir(m *topology.Map, n *state.Namespace, arrivals []topology.Arrival, to netip.Addr) *facts.Port {
	robbed, bare := lacking(m, n, portsOf(arrivals), facts.FamilyOf(to))
	if lacking := append(robbed, bare...); len(lacking) > 0 {
		return &lacking[0]
	}
	var only *facts.Port
	for i := range arrivals {
		if a := &arrivals[i]; a.Obstacle == nil && a.N != n {
			if only != nil {
				return nil
			}
			only = &a.Port
		}
	}
	if only != nil && slices.ContainsFunc(only.N.Routes, func(r state.Route) bool {
		return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Via == to.WithZone("") })
	}) {
		return nil
	}
	return only
}

// LengthHere is the prefix length of an address in the networks of a link; that of a host if none covers it.
func LengthHere(m *topology.Map, out *state.Link, to netip.Addr) int {
	for _, a := range out.Addresses {
		if facts.FamilyOf(a.Prefix.Addr()) == facts.FamilyOf(to) && facts.Covers(a, to) {
			return a.Prefix.Bits()
		}
	}
	return to.BitLen()
}

// OntoSegment lets the asker reach the owner of an address on another segment: the owner's cable goes into the
// segment's bridge, or the asker gets a route by a gateway, or the address moves to a link of the segment. An address
// that is in use where it is stays there.
func (m Mender) OntoSegment(c *finding.Cause, from, owner facts.Port, to netip.Addr, arrivals []topology.Arrival,
	r *state.Route) *finding.Cause {
	robbed, bare := lacking(m.Map, from.N, portsOf(arrivals), facts.FamilyOf(to))
	heirs := append(robbed, slices.DeleteFunc(bare, func(at facts.Port) bool { return at.L.Kind == "bridge" })...)
	served := serves(m.Map, owner, to)
	// with other addresses on the owner's link, the address is misplaced, not the cable
	alone := len(facts.Addresses(owner.L, facts.FamilyOf(to))) == 1
	if peer := m.Below(owner.L); !served && alone && peer != nil && owner.L.Kind == "veth" && peer.L.Master != "" {
		if bridge := BridgeOf(peer.N, arrivals, from); bridge != nil {
			return c.SetMaster(*peer, bridge.Name)
		}
	}
	if (served || len(robbed) == 0) && m.byGateway(c, from, to, r) {
		return c
	}
	if served {
		// the link without an address lost the same one as is in use elsewhere
		if len(heirs) == 1 && !routing.Lookup(heirs[0].N, routing.Flow{Dst: to}).Found() {
			return c.AddAddress(heirs[0], netip.PrefixFrom(to.WithZone(""), LengthHere(m.Map, from.L, to)))
		}
		return c.Advise(fmt.Sprintf(
			"decide which host has %s: if it is %s in %s, route to it; if it is one on the segment of %s in %s, "+
				"assign it another address",
			to, owner.L.Name, owner.N.Name, from.L.Name, from.N.Name))
	}
	a, ok := facts.AddressOf(owner.L, to)
	if !ok || len(heirs) == 0 {
		return c.Advise("connect " + owner.L.Name + " in " + owner.N.Name + " to the segment of " + from.L.Name +
			" in " + from.N.Name)
	}
	return c.DeleteAddress(owner, a.Prefix).AddAddress(heirs[0],
		netip.PrefixFrom(to.WithZone(""), LengthHere(m.Map, from.L, to)))
}

// byGateway routes an address on another segment by a neighbour that is a router towards it, if a trial gets further.
// The route replaces the one that has the address on this segment, or is added if that one is a connected route.
func (m Mender) byGateway(c *finding.Cause, from facts.Port, to netip.Addr, r *state.Route) bool {
	if !slices.ContainsFunc(from.L.Addresses, func(a state.Address) bool { return facts.Covered(a) == r.To }) {
		return m.gatewayThat(c, from.N, to, r, m.fixes) || m.gatewayThat(c, from.N, to, r, m.improves)
	}
	part := m.NetworkOf(to)
	if part.Bits() <= r.To.Bits() {
		part = netip.PrefixFrom(to, to.BitLen())
	}
	for _, h := range m.Instead(from.N, to, &state.Route{To: part}, m.Gateways(from.N, to)) {
		if m.improves(finding.AddRoute(from.N.Name, part, h)) {
			c.AddRoute(from.N, part, h)
			return true
		}
	}
	return false
}

// serves reports whether an address is in use where it is: a neighbour of its owner reaches it directly, or it is on a
// loopback or dummy link, to be reached by routers.
func serves(m *topology.Map, owner facts.Port, addr netip.Addr) bool {
	return owner.L.Kind == "loopback" || owner.L.Kind == "dummy" ||
		slices.ContainsFunc(m.Endpoints(owner), func(at facts.Port) bool {
			d := routing.Lookup(at.N, routing.Flow{Dst: addr, Iif: at.L.Name})
			straight := d.Found() && d.Hop != nil && d.Hop.Dev == at.L.Name && !d.Hop.Via.IsValid()
			return at.N != owner.N &&
				(straight || slices.ContainsFunc(facts.Addresses(at.L, facts.FamilyOf(addr)),
					func(a state.Address) bool {
						return facts.Covers(a, addr)
					}))
		})
}

func portsOf(arrivals []topology.Arrival) (all []facts.Port) {
	for i := range arrivals {
		all = append(all, arrivals[i].Port)
	}
	return all
}

// BridgeOf is a bridge of the segment in a namespace; nil without one.
func BridgeOf(n *state.Namespace, arrivals []topology.Arrival, from facts.Port) *state.Link {
	if from.N == n && from.L.Kind == "bridge" {
		return from.L
	}
	for i := range arrivals {
		for _, b := range arrivals[i].Bridges {
			if b.N == n {
				return b.L
			}
		}
	}
	return nil
}

// BridgeBehind is the bridge in a namespace on the segment of the owner; nil without one.
func BridgeBehind(m *topology.Map, owner facts.Port, n *state.Namespace) *state.Link {
	if owner.N == n && owner.L.Kind == "bridge" {
		return owner.L
	}
	for _, a := range m.Segment(owner, topology.Frame{}).Arrivals {
		for _, b := range a.Bridges {
			if b.N == n {
				return b.L
			}
		}
	}
	if peer := m.Below(owner.L); peer != nil && peer.N == n && peer.L.Master != "" {
		return n.Link(peer.L.Master)
	}
	return nil
}
