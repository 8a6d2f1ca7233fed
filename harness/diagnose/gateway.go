package diagnose

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// gateways are the neighbours of a namespace that are routers towards the destination, as next hops.
func (w *walk) gateways(n *state.Namespace, dst netip.Addr) []state.Nexthop {
	return w.nextHops(n, dst, func(at port) bool { return w.knowsWay(at, dst) })
}

// routers are the neighbours of a namespace that would be routers towards the destination but for another fault, as
// next hops: first those with a route out of another link, then those that forward and do not send the packet back.
func (w *walk) routers(n *state.Namespace, dst netip.Addr) []state.Nexthop {
	return append(w.nextHops(n, dst, func(at port) bool { return leadsOn(at, dst) }),
		w.nextHops(n, dst, func(at port) bool { return forwards(at.n, at.l, familyOf(dst)) && !leadsBack(at, dst) })...)
}

// nextHops are the next hops to the neighbours that fit. First come those with an address in a network of the
// namespace. On a link without such a network the next hop is the link itself, if the neighbour has the destination, or
// else the neighbour's IPv6 link-local address.
func (w *walk) nextHops(n *state.Namespace, dst netip.Addr, fits func(port) bool) []state.Nexthop {
	if w.trial {
		return nil
	}
	var numbered, unnumbered []state.Nexthop
	for _, l := range ordinary(n) {
		if l.Master != "" {
			continue
		}
		for _, at := range w.endpoints(port{n, l}) {
			if at.n == n || !fits(at) {
				continue
			}
			vias := common(l, at.l, familyOf(dst))
			for _, via := range vias {
				numbered = append(numbered, state.Nexthop{Via: via, Dev: l.Name})
			}
			switch via := linkLocal(at.l); {
			case len(vias) > 0:
			case w.answersFor(at, dst):
				unnumbered = append(unnumbered, state.Nexthop{Dev: l.Name})
			case dst.Is6() && via.IsValid() && linkLocal(l).IsValid():
				unnumbered = append(unnumbered, state.Nexthop{Via: via, Dev: l.Name})
			}
		}
	}
	return append(numbered, unnumbered...)
}

// common are the addresses of a neighbour's link in the networks of ours.
func common(ours, theirs *state.Link, family int) (vias []netip.Addr) {
	for _, their := range addresses(theirs, family) {
		for _, our := range addresses(ours, family) {
			if via := their.Prefix.Addr(); covers(our, via) && via != our.Prefix.Addr() {
				vias = append(vias, via)
			}
		}
	}
	return vias
}

// linkLocal is the IPv6 link-local address of a link; invalid if it has none that is usable.
func linkLocal(l *state.Link) netip.Addr {
	for _, a := range l.Addresses {
		if a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && usable(a) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// networkOf is the network of an address by its owner's prefix; that of the default route if no link has it.
func (w *walk) networkOf(addr netip.Addr) netip.Prefix {
	for _, o := range w.owned(addr) {
		if a, ok := addressOf(o.l, addr); ok {
			return a.Prefix.Masked()
		}
	}
	if addr.Is6() {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// missingRoute adds a route to an address. If a link leads directly to it but has no address of the family, an address
// brings the route; else the route goes by a neighbour that is a router towards it.
func (w *walk) missingRoute(c *Cause, n *state.Namespace, dst netip.Addr) *Cause {
	to := w.networkOf(dst)
	known := w.gateways(n, dst)
	bare := w.likelyLink(n, dst)
	if bare != nil && len(addresses(bare, familyOf(dst))) > 0 {
		bare = nil
	}
	if bare == nil && len(known) == 0 {
		bare = w.leading(n, dst, without(n, familyOf(dst)))
	}
	if bare != nil && (len(known) == 0 || w.addressFor(port{n, bare}, familyOf(dst)).IsValid()) {
		w.giveAddress(c, port{n, bare}, familyOf(dst))
		return c
	}
	for _, h := range known {
		if w.improves(addRoute(n.Name, to, h)) {
			return c.addRoute(n, to, h)
		}
	}
	if known = append(known, w.routers(n, dst)...); len(known) > 0 {
		return c.addRoute(n, to, known[0])
	}
	return c.advise(ip(n, "%sroute add %s via GATEWAY", six(familyOf(dst)), state.PrefixText(to)))
}

// without are the links of a namespace that have an address of the other family only: they may have lost theirs.
func without(n *state.Namespace, family int) (links []*state.Link) {
	for _, l := range ordinary(n) {
		if l.Master == "" && len(addresses(l, family)) == 0 && len(addresses(l, 10-family)) > 0 {
			links = append(links, l)
		}
	}
	return links
}

// otherGateway replaces the gateway of a route by one with which a trial succeeds, or else gets further, or else by the
// first candidate; false if there is none.
func (w *walk) otherGateway(c *Cause, n *state.Namespace, dst netip.Addr, r *state.Route) bool {
	return w.gatewayThat(c, n, dst, r, w.fixes) || w.gatewayThat(c, n, dst, r, w.improves) ||
		w.gatewayThat(c, n, dst, r, unproven)
}

// gatewayThat replaces the gateway of a route by the first one that passes a trial.
func (w *walk) gatewayThat(c *Cause, n *state.Namespace, dst netip.Addr, r *state.Route,
	passes func(...change) bool) bool {
	for _, h := range w.instead(n, dst, r, append(w.gateways(n, dst), w.routers(n, dst)...)) {
		if passes(deleteRoute(n.Name, r), addRoute(n.Name, r.To, h)) {
			w.replaceGateway(c, n, r, h)
			return true
		}
	}
	return false
}

// instead are the next hops that a route may have in place of its own. If the next hop is the destination itself, the
// route has no gateway. The kernel refuses a gateway that is reached only by that route (fib_check_nh(),
// net/ipv4/fib_semantics.c).
func (w *walk) instead(n *state.Namespace, dst netip.Addr, r *state.Route, hops []state.Nexthop) (fit []state.Nexthop) {
	without := sketched(w.state, []change{deleteRoute(n.Name, r)}).Namespace(n.Name)
	for _, h := range hops {
		switch {
		case h.Via == dst.WithZone("") && r.To.Bits() >= w.networkOf(dst).Bits():
			h.Via = netip.Addr{}
		case h.Via == dst.WithZone("") || h.Via.IsValid() && !onLink(without, h):
			continue
		}
		if !leadsBy(r, h) {
			fit = append(fit, h)
		}
	}
	return fit
}

// onLink reports whether a gateway is on a directly connected network of a namespace.
func onLink(n *state.Namespace, h state.Nexthop) bool {
	if h.Via.Is6() && h.Via.IsLinkLocalUnicast() {
		return true
	}
	d := lookup(n, flow{dst: h.Via})
	return d.found() && d.hop != nil && d.hop.Dev == h.Dev && !d.hop.Via.IsValid()
}

func unproven(...change) bool { return true }

func leadsBy(r *state.Route, by state.Nexthop) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Via == by.Via && h.Dev == by.Dev })
}

func (w *walk) replaceGateway(c *Cause, n *state.Namespace, r *state.Route, h state.Nexthop) {
	to, table := state.PrefixText(r.To), ""
	if r.Table != state.TableMain {
		table = " table " + state.TableName(r.Table)
	}
	if r.Family == 6 { // replace could leave a route with several nexthops
		c.fix(ip(n, "-6 route del %s%s%s", to, metric(r), table), ip(n, "-6 route add %s %s%s", to, by(h), table))
	} else {
		c.fix(ip(n, "route replace %s %s%s%s", to, by(h), metric(r), table))
	}
	c.then(deleteRoute(n.Name, r)).then(addRoute(n.Name, r.To, h))
}

// gatewayNowhere: no link has the gateway's address. Either the route is wrong, or the gateway has lost its address.
func (w *walk) gatewayNowhere(n *state.Namespace, out *state.Link, via netip.Addr, dst netip.Addr,
	r *state.Route) *Cause {
	c := cause(causes.GatewayNowhere, n, nil, "the gateway %s of %s is no address on the segment of %s", via,
		n.Name, out.Name).proof(routeShown(n, r))
	if w.trial || w.gatewayThat(c, n, dst, r, w.fixes) {
		return c
	}
	robbed, bare := w.lacking(n, w.neighbours(port{n, out}), familyOf(via))
	if len(robbed) == 0 && w.otherGateway(c, n, dst, r) {
		return c
	}
	if lost := append(robbed, bare...); len(lost) > 0 {
		return c.addAddress(lost[0], netip.PrefixFrom(via, w.lengthHere(out, via)))
	}
	return c.advise(ip(n, "%sroute replace %s via GATEWAY", six(familyOf(via)), state.PrefixText(r.To)))
}

// gatewayWrong blames the route of the previous station, whose next hop is not a router towards the destination, or the
// rule that led to that route.
func (w *walk) gatewayWrong(n *state.Namespace, iif *state.Link, p packet) *Cause {
	before := w.stations[len(w.stations)-1]
	if c := w.misled(n, iif, p); c != nil {
		return c
	}
	if c := w.ledAstray(before); c != nil {
		return c
	}
	w.hop(n, iif, p, "%s neither forwards nor has a route on to %s", n.Name, p.dst)
	c := cause(causes.GatewayWrong, before.n, nil,
		"the route of %s to %s leads to %s, which is not a router towards %s", before.n.Name, p.dst, n.Name, p.dst)
	key := forwardingKey(p.family())
	c.proof(routeShown(before.n, before.d.route), in(n, "sysctl %s", key)+": "+sysctl(n, key))
	if !w.otherGateway(c, before.n, p.dst, before.d.route) {
		c.advise(ip(before.n, "%sroute replace %s via GATEWAY", six(p.family()), state.PrefixText(before.d.route.To)))
	}
	return c
}

// ownGateway: the gateway is an address of the namespace itself.
func (w *walk) ownGateway(n *state.Namespace, p packet, via netip.Addr, r *state.Route) *Cause {
	for _, o := range w.owned(via) {
		if a, ok := addressOf(o.l, via); ok && o.n == n && !usable(a) {
			return w.unusableAddress(o, a) // the address is the gateway's, assigned here by mistake
		}
	}
	c := cause(causes.GatewayWrong, n, nil, "the gateway %s of %s is its own address", via,
		n.Name).proof(routeShown(n, r))
	if !w.otherGateway(c, n, p.dst, r) {
		c.advise(ip(n, "%sroute replace %s via GATEWAY", six(p.family()), state.PrefixText(r.To)))
	}
	return c
}

// routingLoop: the packet comes back to a router that it has passed. The repair is at the last router of the loop that
// has a better gateway.
func (w *walk) routingLoop(n *state.Namespace, p packet, loop []station) *Cause {
	for _, at := range loop {
		if c := w.ledAstray(at); c != nil {
			return c
		}
	}
	c := cause(causes.RoutingLoop, n, nil, "packets for %s come back to %s, and loop until their TTL expires",
		p.dst, n.Name)
	for _, at := range loop {
		c.proof(routeShown(at.n, at.d.route))
	}
	for _, at := range slices.Backward(loop) {
		for _, h := range w.instead(at.n, p.dst, at.d.route, w.gateways(at.n, p.dst)) {
			if w.improves(deleteRoute(at.n.Name, at.d.route), addRoute(at.n.Name, at.d.route.To, h)) {
				w.replaceGateway(c, at.n, at.d.route, h)
				return c
			}
		}
	}
	return c.advise(ip(loop[len(loop)-1].n, "%sroute replace %s via GATEWAY", six(p.family()), w.networkOf(p.dst)))
}

// forwards reports whether packets that come in by a link are forwarded: IN_DEV_FORWARD, include/linux/inetdevice.h;
// ip6_forward(), net/ipv6/ip6_output.c.
func forwards(n *state.Namespace, l *state.Link, family int) bool {
	if family == 6 {
		return sysctl(n, forwardingKey(6)) == "1" || sysctl(n, ofLink(6, l.Name, "force_forwarding")) == "1"
	}
	return sysctl(n, ofLink(4, l.Name, "forwarding")) == "1"
}

func forwardingKey(family int) string {
	if family == 6 {
		return "net.ipv6.conf.all.forwarding"
	}
	return "net.ipv4.ip_forward"
}
