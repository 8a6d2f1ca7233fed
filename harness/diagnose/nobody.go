package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// nobody is the cause why no link of the segment has the address.
func (w *walk) nobody(n *state.Namespace, out *state.Link, to netip.Addr, arrivals []arrival) *Cause {
	if w.trial {
		return cause(causes.AddressNowhere, n, nil, "no link has the address")
	}
	for _, o := range w.owned(to) {
		if c := w.macvlanParent(port{n, out}, o); c != nil {
			return c
		}
	}
	for _, o := range w.owned(to) {
		if o.n == n {
			continue
		}
		if bridge := o.n.Link(o.l.Master); o.l.Master != "" && bridge != nil && bridge.Kind == "bridge" {
			return addressOnPort(o, port{o.n, bridge}, to)
		}
		if c := w.notAPort(o, arrivals, port{n, out}); c != nil {
			return c
		}
		c := cause(causes.AddressOffSegment, o.n, o.l, "%s in %s has %s, but it is not on the segment of %s in %s",
			o.l.Name, o.n.Name, to, out.Name, n.Name)
		for _, a := range o.l.Addresses {
			if a.Prefix.Addr() == to.WithZone("") {
				c.proof(addressShown(o.n, o.l, a))
			}
		}
		c.proof(linkShown(o.n, o.l), linkShown(n, out))
		return w.ontoSegment(c, port{n, out}, o, to, arrivals)
	}
	c := cause(causes.AddressNowhere, n, nil, "no interface anywhere has %s", to).
		proof(ip(n, "neigh show %s", to) + ": no reply")
	if near := w.nearestAddress(to); near != "" {
		c.Says += "; the nearest address is " + near
	}
	if heir := w.heir(n, arrivals, to); heir != nil {
		return c.addAddress(*heir, netip.PrefixFrom(to.WithZone(""), w.lengthHere(out, to)))
	}
	return c.advise(fmt.Sprintf(
		"assign %s on the segment of %s in %s, or choose an address that is there", to, out.Name,
		n.Name))
}

// heir is the link of a segment that may get an address that no link has: one without an address of its family, or the
// only other link there, unless its namespace has the address for a gateway, which is somebody else.
func (w *walk) heir(n *state.Namespace, arrivals []arrival, to netip.Addr) *port {
	robbed, bare := w.lacking(n, portsOf(arrivals), familyOf(to))
	if lacking := append(robbed, bare...); len(lacking) > 0 {
		return &lacking[0]
	}
	var only *port
	for i := range arrivals {
		if a := &arrivals[i]; a.obstacle == nil && a.n != n {
			if only != nil {
				return nil
			}
			only = &a.port
		}
	}
	if only != nil && slices.ContainsFunc(only.n.Routes, func(r state.Route) bool {
		return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Via == to.WithZone("") })
	}) {
		return nil
	}
	return only
}

// lengthHere is the prefix length of an address in the networks of a link; that of a host if none covers it.
func (w *walk) lengthHere(out *state.Link, to netip.Addr) int {
	for _, a := range out.Addresses {
		if familyOf(a.Prefix.Addr()) == familyOf(to) && covers(a, to) {
			return a.Prefix.Bits()
		}
	}
	return to.BitLen()
}

// ontoSegment lets the asker reach the owner of an address on another segment: the owner's cable goes into the
// segment's bridge, or the asker gets a route by a gateway, or the address moves to a link of the segment. An address
// that is in use where it is stays there.
func (w *walk) ontoSegment(c *Cause, from, owner port, to netip.Addr, arrivals []arrival) *Cause {
	robbed, bare := w.lacking(from.n, portsOf(arrivals), familyOf(to))
	heirs := append(robbed, slices.DeleteFunc(bare, func(at port) bool { return at.l.Kind == "bridge" })...)
	served := w.serves(owner, to)
	// with other addresses on the owner's link, the address is misplaced, not the cable
	alone := len(addresses(owner.l, familyOf(to))) == 1
	if peer := w.below(owner.l); !served && alone && peer != nil && owner.l.Kind == "veth" && peer.l.Master != "" {
		if bridge := w.bridgeOf(peer.n, arrivals, from); bridge != nil {
			return c.setMaster(*peer, bridge.Name)
		}
	}
	if (served || len(robbed) == 0) && w.byGateway(c, from, to) {
		return c
	}
	if served {
		// the link without an address lost the same one as is in use elsewhere
		if len(heirs) == 1 && !lookup(heirs[0].n, flow{dst: to}).found() {
			return c.addAddress(heirs[0], netip.PrefixFrom(to.WithZone(""), w.lengthHere(from.l, to)))
		}
		return c.advise(fmt.Sprintf(
			"decide which host has %s: if it is %s in %s, route to it; if it is one on the segment of %s in %s, "+
				"assign it another address",
			to, owner.l.Name, owner.n.Name, from.l.Name, from.n.Name))
	}
	a, ok := addressOf(owner.l, to)
	if !ok || len(heirs) == 0 {
		return c.advise("connect " + owner.l.Name + " in " + owner.n.Name + " to the segment of " + from.l.Name +
			" in " + from.n.Name)
	}
	return c.deleteAddress(owner, a.Prefix).addAddress(heirs[0],
		netip.PrefixFrom(to.WithZone(""), w.lengthHere(from.l, to)))
}

// byGateway routes an address on another segment by a neighbour that is a router towards it, if a trial gets further.
// The route replaces the one that has the address on this segment, or is added if that one is a connected route.
func (w *walk) byGateway(c *Cause, from port, to netip.Addr) bool {
	r := w.stations[len(w.stations)-1].d.route
	if !slices.ContainsFunc(from.l.Addresses, func(a state.Address) bool { return covered(a) == r.To }) {
		return w.gatewayThat(c, from.n, to, r, w.fixes) || w.gatewayThat(c, from.n, to, r, w.improves)
	}
	part := w.networkOf(to)
	if part.Bits() <= r.To.Bits() {
		part = netip.PrefixFrom(to, to.BitLen())
	}
	for _, h := range w.instead(from.n, to, &state.Route{To: part}, w.gateways(from.n, to)) {
		if w.improves(addRoute(from.n.Name, part, h)) {
			c.addRoute(from.n, part, h)
			return true
		}
	}
	return false
}

// serves reports whether an address is in use where it is: a neighbour of its owner reaches it directly, or it is on a
// loopback or dummy link, to be reached by routers.
func (w *walk) serves(owner port, addr netip.Addr) bool {
	return owner.l.Kind == "loopback" || owner.l.Kind == "dummy" ||
		slices.ContainsFunc(w.endpoints(owner), func(at port) bool {
			d := lookup(at.n, flow{dst: addr, iif: at.l.Name})
			straight := d.found() && d.hop != nil && d.hop.Dev == at.l.Name && !d.hop.Via.IsValid()
			return at.n != owner.n &&
				(straight || slices.ContainsFunc(addresses(at.l, familyOf(addr)), func(a state.Address) bool {
					return covers(a, addr)
				}))
		})
}

func portsOf(arrivals []arrival) (all []port) {
	for i := range arrivals {
		all = append(all, arrivals[i].port)
	}
	return all
}

func (w *walk) nearestAddress(to netip.Addr) string {
	for _, c := range w.state.Nearest(to.WithZone("").String()) {
		if c.Kind == state.KindAddress {
			return c.Name + " in " + c.Netns
		}
	}
	return ""
}

// macvlanParent: a macvlan or ipvlan and its parent do not reach each other, nor do macvlans of one parent, unless
// their mode is bridge (macvlan_queue_xmit(), drivers/net/macvlan.c).
func (w *walk) macvlanParent(from, owner port) *Cause {
	standsOn := func(at port, lower *port) bool {
		below := w.below(at.l)
		return (at.l.Macvlan != "" || at.l.IPvlan != "") && below != nil && lower != nil && *below == *lower
	}
	at := from
	switch {
	case standsOn(from, &owner):
	case standsOn(owner, &from):
		at = owner
	case from.l.Macvlan != "" && owner.l.Macvlan != "" && standsOn(owner, w.below(from.l)):
		if from.l.Macvlan == "bridge" {
			at = owner
		}
		return cause(causes.MacvlanParent, at.n, at.l,
			"%s: macvlans of one parent reach each other only in the mode bridge", at.l.Name).
			proof(modeShown(at)).fix(ip(at.n, "link set %s type macvlan mode bridge", at.l.Name))
	default:
		return nil
	}
	kind, mode := "a macvlan", "bridge"
	if at.l.IPvlan != "" {
		kind, mode = "an ipvlan", "l2"
	}
	return cause(causes.MacvlanParent, at.n, at.l, "%s: %s and its parent do not reach each other, by design",
		at.l.Name, kind).
		proof(modeShown(at)).advise("add " + kind + " in the mode " + mode + " in the parent's namespace, and assign " +
		"the address to it")
}

func modeShown(at port) string {
	return ip(at.n, "-d link show dev %s", at.l.Name) + ": " + at.l.Kind + " mode " + at.l.Macvlan + at.l.IPvlan
}

// notAPort: the cable of the owner or the asker ends in a namespace with the bridge of the segment, but is no port of
// it.
func (w *walk) notAPort(owner port, arrivals []arrival, from port) *Cause {
	for _, at := range []port{owner, from} {
		peer := w.below(at.l)
		if peer == nil || at.l.Kind != "veth" || peer.l.Master != "" ||
			len(addresses(peer.l, 4))+len(addresses(peer.l, 6)) > 0 {
			continue // an end with an address is not meant to be a port
		}
		bridge := w.bridgeOf(peer.n, arrivals, from)
		if bridge == nil && at == from {
			bridge = w.bridgeBehind(owner, peer.n)
		}
		if bridge == nil {
			continue
		}
		return cause(causes.NotAPort, peer.n, peer.l,
			"the cable of %s in %s ends in %s, which is no port of the bridge %s", at.l.Name, at.n.Name, peer.l.Name,
			bridge.Name).
			proof(linkShown(peer.n, peer.l)).setMaster(*peer, bridge.Name)
	}
	return nil
}

// bridgeOf is a bridge of the segment in a namespace; nil without one.
func (w *walk) bridgeOf(n *state.Namespace, arrivals []arrival, from port) *state.Link {
	if from.n == n && from.l.Kind == "bridge" {
		return from.l
	}
	for i := range arrivals {
		for _, b := range arrivals[i].bridges {
			if b.n == n {
				return b.l
			}
		}
	}
	return nil
}

// bridgeBehind is the bridge in a namespace on the segment of the owner; nil without one.
func (w *walk) bridgeBehind(owner port, n *state.Namespace) *state.Link {
	if owner.n == n && owner.l.Kind == "bridge" {
		return owner.l
	}
	for _, a := range w.segment(owner, packet{}) {
		for _, b := range a.bridges {
			if b.n == n {
				return b.l
			}
		}
	}
	if peer := w.below(owner.l); peer != nil && peer.n == n && peer.l.Master != "" {
		return n.Link(peer.l.Master)
	}
	return nil
}
