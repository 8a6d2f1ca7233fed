package diagnose

import (
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// The kernel delivers a packet locally if the lookup finds a route of the type local (ip_route_input_slow(),
// net/ipv4/route.c; ip6_route_input(), net/ipv6/route.c). It adds such a route to the table local with each address
// (fib_add_ifaddr(), net/ipv4/fib_frontend.c; addrconf_f6i_alloc(), net/ipv6/route.c). The address alone is not enough.

// undelivered is the cause why a namespace does not locally deliver a packet for an address of its own, for which the
// lookup found no route of the type local; nil if that is a doubt.
func (w *walk) undelivered(n *state.Namespace, p packet, d decision) *Cause {
	at := w.ownLink(n, p.dst)
	a, _ := addressOf(at.l, p.dst)
	if vrf := vrfOf(n, at.l.Name); vrf != nil {
		w.doubt("%s: %s is on %s, which is in the VRF %s: whether %s takes packets for it is not known here", n.Name,
			p.dst, at.l.Name, vrf.Name, n.Name)
		return nil
	}
	if !at.l.Up && p.family() == 6 { // keep_addr_on_down: the link is down, its address stays, its route is gone
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

// localRouteMissing: the route of the type local, which the kernel adds with an address, is gone.
func (w *walk) localRouteMissing(at port, a state.Address) *Cause {
	addr := a.Prefix.Addr()
	c := cause(causes.ConnectedRouteMissing, at.n, at.l,
		"%s in %s has the address %s, but there is no route of the type local for it, so %s does not deliver packets "+
			"for it",
		at.l.Name, at.n.Name, addr, at.n.Name).
		proof(addressShown(at.n, at.l, a), ip(at.n, "%sroute show table local", six(familyOf(addr)))+": nothing for "+
			addr.String())
	command := ip(at.n, "route add local %s dev %s table local proto kernel scope host src %s", addr, at.l.Name, addr)
	if addr.Is6() {
		command = ip(at.n, "-6 route add local %s dev %s table local proto kernel metric 0", addr, at.l.Name)
	}
	return c.fix(command).then(func(k *sketch) {
		n := k.netns(at.n.Name)
		n.Routes = append(n.Routes, localRoute(at.l, addr))
	})
}

// localTooLate: another rule comes before the one that looks up the table local, or that one does not match the packet.
func (w *walk) localTooLate(n *state.Namespace, p packet, d decision, route *state.Route) *Cause {
	if d.rule == nil { // the rule that looks up the table local has selectors that do not match
		return w.localRuleMissing(n, p.family())
	}
	c := cause(causes.RuleDiverts, n, nil,
		"the rule of %s with priority %d applies to packets for %s, its own address, before the table local does",
		n.Name, d.rule.Priority, p.dst).
		proof(ruleShown(n, d.rule), routeShown(n, route))
	free := uint32(0) // a new rule comes after those of the same priority (fib_nl_newrule(), net/core/fib_rules.c)
	for _, r := range rulesOf(n, p.family()) {
		if r.Priority == free {
			free++
		}
	}
	if free > d.rule.Priority {
		return c.deleteRule(n, d.rule)
	}
	return c.fix(ip(n, "%srule add priority %d lookup local", six(p.family()), free)).then(func(k *sketch) {
		in := k.netns(n.Name)
		in.Rules = append(in.Rules, state.Rule{Family: p.family(), Priority: free, Action: "lookup",
			Table: state.TableLocal})
	})
}

// misled: the packet came here by a permanent entry in the neighbour table of the previous station, but the address of
// that entry is not here; nil if it is.
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
		"the neighbour entry of %s for %s has the MAC address %s, that of %s in %s, which does not have the address",
		before.n.Name, next, known.MAC, iif.Name, n.Name).
		proof(ip(before.n, "neigh show dev %s", out.Name)+": "+state.NeighbourText(*known),
			linkShown(n, iif)+" link/ether "+iif.MAC).
		forgetNeighbour(before.n, out, next)
}

// usesItself reports whether a namespace has an address and may use it: duplicate address detection may have found
// another owner.
func (w *walk) usesItself(n *state.Namespace, addr netip.Addr) bool {
	a, has := addressOf(w.ownLink(n, addr).l, addr)
	return has && usable(a)
}

// ownLink is the link of a namespace with an address; for a link-local one, that of its zone.
func (w *walk) ownLink(n *state.Namespace, addr netip.Addr) port {
	for _, o := range w.owned(addr) {
		if o.n == n && (addr.Zone() == "" || o.l.Name == addr.Zone()) {
			return o
		}
	}
	return port{n, &state.Link{}} // no link has it
}

// takesIn reports whether a namespace locally delivers packets from one address to another that come in by a link: the
// destination is its own, or in the prefix of a route of the type local. IPv4 drops a packet whose source is of the
// type local, unless accept_local is set (__fib_validate_source(), net/ipv4/fib_frontend.c).
func takesIn(at port, from, to netip.Addr) bool {
	if from.Is4() && strongest(at.n, at.l, "accept_local") == 0 && lookup(at.n, flow{src: to, dst: from}).local() {
		return false
	}
	return lookup(at.n, flow{src: from, dst: to, iif: at.l.Name}).local()
}
