package diagnose

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// noRoute is the cause why a namespace has no route to an address.
func (w *walk) noRoute(n *state.Namespace, p packet, d decision, iif *state.Link) *Cause {
	if c := w.diverted(n, p, d, iif); c != nil {
		return c
	}
	if w.trial {
		return cause(causes.NoRoute, n, nil, "no route")
	}
	if d.refused != "" {
		return refused(n, p, d)
	}
	links := ordinary(n)
	for _, why := range []func(*state.Namespace, packet, []*state.Link) *Cause{
		w.linkDown, w.noAddress, w.downBeyond, w.prefixMismatch, w.connectedRouteMissing,
	} {
		if c := why(n, p, links); c != nil {
			return c
		}
	}
	c := cause(causes.NoRoute, n, nil, "%s has no route that covers %s", n.Name, p.dst).
		proof(ip(n, "%sroute get %s", six(p.family()), p.dst) + ": Network is unreachable")
	return w.missingRoute(c, n, p.dst)
}

// refusals are the causes for the route types that refuse a destination.
var refusals = map[string]causes.Cause{
	"unreachable": causes.RouteUnreachable,
	"prohibit":    causes.RouteProhibit,
	"blackhole":   causes.RouteBlackhole,
	"throw":       causes.RouteThrow,
}

// refused is the cause for a route or a rule that refuses the destination.
func refused(n *state.Namespace, p packet, d decision) *Cause {
	if d.route == nil {
		return cause(causes.RuleDiverts, n, nil, "a rule of %s has the action %s for %s", n.Name, d.refused, p.dst).
			proof(ruleShown(n, d.rule)).deleteRule(n, d.rule)
	}
	return cause(refusals[d.refused], n, nil, "the route of %s to %s is of type %s", n.Name, p.dst, d.refused).
		proof(routeShown(n, d.route)).
		fix(ip(n, "%sroute del %s %s table %s", six(p.family()), d.refused, state.PrefixText(d.route.To),
			state.TableName(d.route.Table))).
		then(deleteRoute(n.Name, d.route))
}

// diverted finds a rule that keeps the lookup from a route of the table main.
func (w *walk) diverted(n *state.Namespace, p packet, d decision, iif *state.Link) *Cause {
	main := &state.Rule{Family: p.family(), Action: "lookup", Table: state.TableMain}
	route, hop := inTable(n, main, flow{src: p.src, dst: p.dst, oif: p.dst.Zone()})
	if route == nil || hop == nil || route.Type != "unicast" || d.route == route {
		return nil
	}
	if d.rule != nil && d.rule.Table != state.TableMain && d.rule.Table != state.TableLocal {
		return diverts(n, p, d.rule, routeShown(n, route))
	}
	if d.rule != nil || mainReached(n, p, iif) {
		return nil
	}
	return cause(causes.RuleDiverts, n, nil,
		"no matching rule of %s looks up the table main, which has the route to %s", n.Name, p.dst).
		proof(append(w.rulesShown(n, p.family()), routeShown(n, route))...).
		fix(ip(n, "%srule add priority 32766 lookup main", six(p.family())))
}

// ledAstray blames the rule that routed the packet at a station by a table of its own, if it gets further without that
// rule.
func (w *walk) ledAstray(at station) *Cause {
	if w.trial || at.d.rule.Table == state.TableMain || at.d.rule.Table == state.TableLocal ||
		!w.improves(deleteRule(at.n.Name, at.d.rule)) {
		return nil
	}
	return diverts(at.n, at.p, at.d.rule, routeShown(at.n, at.d.route))
}

func diverts(n *state.Namespace, p packet, by *state.Rule, instead string) *Cause {
	return cause(causes.RuleDiverts, n, nil,
		"the rule of %s with priority %d keeps packets for %s from the right route", n.Name, by.Priority, p.dst).
		proof(ruleShown(n, by), instead).deleteRule(n, by)
}

// mainReached reports whether a rule that matches looks up the table main.
func mainReached(n *state.Namespace, p packet, iif *state.Link) bool {
	f := flowOf(p, iif)
	for _, r := range rulesOf(n, p.family()) {
		if selects(r, f) && r.Action == "lookup" && r.Table == state.TableMain {
			return true
		}
	}
	return false
}

// linkDown finds a link that is down with an address whose network covers the destination.
func (w *walk) linkDown(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for _, l := range links {
		if l.Up {
			continue
		}
		if p.dst.Zone() == l.Name {
			return w.isDown(port{n, l}, p.family(), nil)
		}
		for _, a := range addresses(l, p.family()) {
			if covers(a, p.dst) {
				return w.isDown(port{n, l}, p.family(), &a)
			}
		}
	}
	return nil
}

// downBeyond finds a link that is down with a router towards the destination on its segment. Its routes and its IPv6
// addresses went when it was set down (fib_disable_ip(), net/ipv4/fib_frontend.c; addrconf_ifdown(),
// net/ipv6/addrconf.c).
func (w *walk) downBeyond(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for _, l := range links {
		if !l.Up && l.Master == "" && slices.ContainsFunc(w.neighbours(port{n, l}), func(at port) bool {
			return w.knowsWay(at, p.dst)
		}) {
			return w.isDown(port{n, l}, p.family(), nil)
		}
	}
	return nil
}

// downStraight finds a link that is down and leads directly to the destination.
func (w *walk) downStraight(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for _, l := range links {
		if !l.Up && l.Master == "" && slices.ContainsFunc(w.neighbours(port{n, l}), func(at port) bool {
			return w.isOwn(at.n, p.dst)
		}) {
			return w.isDown(port{n, l}, p.family(), nil)
		}
	}
	return nil
}

func (w *walk) isDown(at port, family int, a *state.Address) *Cause {
	c := cause(causes.LinkDown, at.n, at.l,
		"%s in %s is administratively down, so its routes are gone", at.l.Name, at.n.Name).
		proof(linkShown(at.n, at.l))
	if a != nil {
		c.proof(addressShown(at.n, at.l, *a))
	}
	c.setUp(at)
	if family == 6 && len(addresses(at.l, 6)) == 0 { // lost when it was set down
		if lost := w.addressFor(at, 6); lost.IsValid() {
			c.addAddress(at, lost)
		}
	}
	return c
}

// butLinkLocal is the exception for IPv6, whose link-local addresses do not reach beyond the link.
func butLinkLocal(family int) string {
	if family == 6 {
		return " other than link-local ones"
	}
	return ""
}

// noAddress: no link of the namespace, up or down, has an address of the family.
func (w *walk) noAddress(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for i := range n.Links {
		for _, a := range addresses(&n.Links[i], p.family()) {
			if !a.Prefix.Addr().IsLoopback() {
				return nil
			}
		}
	}
	family := map[int]string{4: "IPv4", 6: "IPv6"}[p.family()]
	var place *state.Link
	if len(links) == 1 {
		place = links[0]
	}
	c := cause(causes.NoAddress, n, place, "no link of %s has an %s address%s", n.Name, family,
		butLinkLocal(p.family()))
	for _, l := range links {
		c.proof(ip(n, "%saddr show dev %s", six(p.family()), l.Name) + ": no address of this family")
	}
	l := w.likelyLink(n, p.dst)
	if l == nil {
		l = place
	}
	if l == nil {
		return c.advise(ip(n, "addr add ADDRESS/LENGTH dev IFACE"))
	}
	w.giveAddress(c, port{n, l}, p.family())
	if !l.Up {
		c.setUp(port{n, l})
	}
	return c
}

// giveAddress assigns an address to a link without one of a family.
func (w *walk) giveAddress(c *Cause, at port, family int) {
	if a := w.addressFor(at, family); a.IsValid() {
		c.addAddress(at, a)
	} else {
		c.advise(ip(at.n, "addr add ADDRESS/LENGTH dev %s", at.l.Name))
	}
}

// prefixMismatch finds an address whose network does not cover the destination, while the destination's network covers
// it.
func (w *walk) prefixMismatch(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for _, o := range w.owned(p.dst) {
		theirs, ok := addressOf(o.l, p.dst)
		if !ok || theirs.Peer.IsValid() {
			continue
		}
		for _, l := range links {
			for _, ours := range addresses(l, p.family()) {
				if covers(ours, p.dst) || !covers(theirs, ours.Prefix.Addr()) ||
					theirs.Prefix.Bits() >= ours.Prefix.Bits() {
					continue
				}
				c := cause(causes.PrefixMismatch, n, l,
					"%s on %s in %s covers only %s, and %s is not in it; the destination, on %s in %s, has a /%d",
					ours.Prefix, l.Name, n.Name, covered(ours), p.dst, o.l.Name, o.n.Name, theirs.Prefix.Bits()).
					proof(addressShown(n, l, ours), addressShown(o.n, o.l, theirs))
				return c.deleteAddress(port{n, l}, ours.Prefix).addAddress(port{n, l},
					netip.PrefixFrom(ours.Prefix.Addr(), theirs.Prefix.Bits()))
			}
		}
	}
	return nil
}

// connectedRouteMissing finds an address whose network covers the destination, without its connected route, which the
// kernel adds with an address (fib_add_ifaddr(), net/ipv4/fib_frontend.c; addrconf_prefix_route(),
// net/ipv6/addrconf.c).
func (w *walk) connectedRouteMissing(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for _, l := range links {
		for _, a := range addresses(l, p.family()) {
			// the route is there but not used (ignore_routes_with_linkdown)
			if l.Up && !l.Carrier && covers(a, p.dst) {
				if c := w.linkTrouble(n, l, &p, false); c != nil {
					return c
				}
			}
			if l.Up && covers(a, p.dst) && !covered(a).IsSingleIP() && !has(a.Flags, "noprefixroute") &&
				!isConnected(n, l, a) {
				return cause(causes.ConnectedRouteMissing, n, l,
					"%s in %s has an address whose network covers %s, but its connected route is missing", l.Name,
					n.Name, p.dst).
					proof(addressShown(n, l, a), ip(n, "%sroute show dev %s", six(p.family()), l.Name)+": nothing for "+
						covered(a).String()).
					fix(connectedRoute(n, l, a)).then(func(k *sketch) { connect(k.link(n.Name, l.Name)) })
			}
		}
	}
	return nil
}

// isConnected reports whether the connected route of an address is there.
func isConnected(n *state.Namespace, l *state.Link, a state.Address) bool {
	return slices.ContainsFunc(n.Routes, func(r state.Route) bool {
		return r.Type == "unicast" && r.To == covered(a) &&
			slices.ContainsFunc(r.Nexthops, func(hop state.Nexthop) bool {
				return hop.Dev == l.Name && !hop.Via.IsValid()
			})
	})
}

// connectedRoute is the command that restores the connected route of an address.
func connectedRoute(n *state.Namespace, l *state.Link, a state.Address) string {
	if a.Prefix.Addr().Is6() {
		return ip(n, "-6 route add %s dev %s proto kernel metric 256", covered(a), l.Name)
	}
	return ip(n, "route add %s dev %s proto kernel scope link src %s", covered(a), l.Name, a.Prefix.Addr())
}

// addressOf is an address of a link with its prefix and flags; false if the link does not have it.
func addressOf(l *state.Link, addr netip.Addr) (state.Address, bool) {
	for _, a := range l.Addresses {
		if a.Prefix.Addr() == addr.WithZone("") {
			return a, true
		}
	}
	return state.Address{}, false
}

func nodad(a netip.Addr) string {
	if a.Is6() {
		return " nodad"
	}
	return ""
}
