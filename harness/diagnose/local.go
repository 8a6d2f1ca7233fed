package diagnose

import (
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// The kernel takes a packet in where the look-up finds a route of the type local (ip_route_input_slow,
// net/ipv4/route.c; ip6_route_input, net/ipv6/route.c). It makes such a route with each address, in the table local;
// that a link has the address is not enough.

// undelivered says why a namespace does not take in a packet for an address of its own, which the look-up found not to
// be local; nil where that is a doubt.
func (w *walk) undelivered(n *state.Namespace, p packet, d decision) *Cause {
	at := w.ownLink(n, p.dst)
	a, _ := addressOf(at.l, p.dst)
	if vrf := vrfOf(n, at.l.Name); vrf != nil {
		w.doubt("%s: %s is on %s, which is in the VRF %s: whether %s takes packets for it is not known here", n.Name,
			p.dst, at.l.Name, vrf.Name, n.Name)
		return nil
	}
	if !at.l.Up && p.family() == 6 { // kept on a link that is down (keep_addr_on_down), without its route
		return w.isDown(at, p.family(), &a)
	}
	local := &state.Rule{Family: p.family(), Action: "lookup", Table: state.TableLocal}
	route, _ := inTable(n, local, flow{src: p.src, dst: p.dst})
	switch {
	case route == nil:
		return w.localRouteMissing(at, a)
	case route.Type == "local":
		return w.localTooLate(n, p, d, route)
	}
	w.doubt("%s: its own address %s has a route in the table local that is not of the type local: %s", n.Name, p.dst,
		state.RouteText(*route))
	return nil
}

// localRouteMissing: the route of the type local, which the kernel makes with an address, is gone.
func (w *walk) localRouteMissing(at port, a state.Address) *Cause {
	addr := a.Prefix.Addr()
	c := cause(causes.ConnectedRouteMissing, at.n, at.l,
		"%s in %s has the address %s, and yet there is no route of the type local by which %s would take in what is "+
			"for it",
		at.l.Name, at.n.Name, addr, at.n.Name).
		proof(addressShown(at.n, at.l, a), ip(at.n, "%sroute show table local", six(familyOf(addr)))+": nothing for "+
			addr.String())
	command := ip(at.n, "route add local %s dev %s table local proto kernel scope host src %s", addr, at.l.Name, addr)
	if addr.Is6() {
		command = ip(at.n, "-6 route add local %s dev %s table local proto kernel metric 0", addr, at.l.Name)
	}
	return c.mend(command).then(func(k *sketch) {
		n := k.netns(at.n.Name)
		n.Routes = append(n.Routes, localRoute(at.l, addr))
	})
}

// localTooLate: another rule comes before the one that looks up the table local, or that one is not for such packets.
func (w *walk) localTooLate(n *state.Namespace, p packet, d decision, route *state.Route) *Cause {
	if d.rule == nil { // one that has selectors looks up the table local
		return w.localRuleMissing(n, p.family())
	}
	c := cause(causes.RuleDiverts, n, nil,
		"the rule of %s with priority %d decides on packets for %s, an address of its own, before the table local does",
		n.Name, d.rule.Priority, p.dst).
		proof(ruleShown(n, d.rule), routeShown(n, route))
	free := uint32(0) // a rule that is added comes behind those of the same priority
	for _, r := range rulesOf(n, p.family()) {
		if r.Priority == free {
			free++
		}
	}
	if free > d.rule.Priority {
		return c.deleteRule(n, d.rule)
	}
	return c.mend(ip(n, "%srule add priority %d lookup local", six(p.family()), free)).then(func(k *sketch) {
		in := k.netns(n.Name)
		in.Rules = append(in.Rules, state.Rule{Family: p.family(), Priority: free, Action: "lookup",
			Table: state.TableLocal})
	})
}

// misled: the packet came here by an entry that somebody made by hand in the neighbour table of the station before, and
// the address that was asked for is not here. nil where it came by an address that is here.
func (w *walk) misled(n *state.Namespace, iif *state.Link, p packet) *Cause {
	before := w.stations[len(w.stations)-1]
	next, out := before.p.dst, before.d.dev(before.n)
	if via := before.d.hop.Via; via.IsValid() {
		next = via
	}
	known := w.neighbour(before.n, out, next)
	if known == nil || known.State != "permanent" || w.isOwn(n, next) {
		return nil
	}
	w.hop(n, iif, p, "%s is not here", next)
	return cause(causes.NeighbourWrong, before.n, out,
		"%s believes that %s has the MAC address %s, that of %s in %s, which does not have the address",
		before.n.Name, next, known.MAC, iif.Name, n.Name).
		proof(ip(before.n, "neigh show dev %s", out.Name)+": "+state.NeighbourText(*known),
			linkShown(n, iif)+" link/ether "+iif.MAC).
		forgetNeighbour(before.n, out, next)
}

// usesItself says whether a namespace has an address and may use it: one that somebody else was found to have is the
// other's.
func (w *walk) usesItself(n *state.Namespace, addr netip.Addr) bool {
	a, has := addressOf(w.ownLink(n, addr).l, addr)
	return has && usable(a)
}

// ownLink is the link of a namespace that has an address of its own: for one of a link alone, that link.
func (w *walk) ownLink(n *state.Namespace, addr netip.Addr) port {
	for _, o := range w.owned(addr) {
		if o.n == n && (addr.Zone() == "" || o.l.Name == addr.Zone()) {
			return o
		}
	}
	return port{n, &state.Link{}} // it has no such address
}

// takesIn says whether a namespace takes in packets that come by a link for an address, be it its own or one of a route
// of the type local for a whole prefix.
func takesIn(at port, addr netip.Addr) bool {
	return lookup(at.n, flow{dst: addr, iif: at.l.Name}).local()
}
