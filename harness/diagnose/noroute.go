package diagnose

import (
	"net/netip"

	"netnscheck/harness/state"
)

// noRoute says why a namespace has no way to an address.
func (w *walk) noRoute(n *state.Namespace, p packet, d decision, iif *state.Link) *Cause {
	family := p.family()
	if c := w.diverted(n, p, d, iif); c != nil {
		return c
	}
	switch d.refused {
	case "unreachable", "prohibit", "blackhole", "throw":
		if d.route == nil {
			return cause("rule-diverts", n, nil, "a rule of %s answers %s for %s", n.Name, d.refused, p.dst).
				proof(ruleShown(n, d.rule)).mend(ip(n, "%srule del priority %d", six(family), d.rule.Priority))
		}
		return cause("route-"+d.refused, n, nil, "the route of %s that fits %s is of type %s", n.Name, p.dst, d.refused).
			proof(routeShown(n, d.route)).
			mend(ip(n, "%sroute del %s %s table %s", six(family), d.refused, state.PrefixText(d.route.To), state.TableName(d.route.Table)))
	}
	links := ordinary(n)
	if c := w.linkDown(n, p.dst, links); c != nil {
		return c
	}
	if c := w.noAddress(n, p, links); c != nil {
		return c
	}
	if c := w.prefixMismatch(n, p.dst, links); c != nil {
		return c
	}
	for _, l := range links {
		for _, a := range l.Addresses {
			if l.Up && familyOf(a.Prefix.Addr()) == family && covers(a, p.dst) && covered(a).Bits() < a.Prefix.Addr().BitLen() && !has(a.Flags, "noprefixroute") {
				return cause("connected-route-missing", n, l, "%s has an address whose network covers %s, and yet there is no route to it", l.Name, p.dst).
					proof(addressShown(n, l, a), ip(n, "%sroute show dev %s", six(family), l.Name)+": nothing for "+covered(a).String()).
					mend(w.connectedRoute(n, l, a))
			}
		}
	}
	c := cause("no-route", n, nil, "%s has no route that covers %s", n.Name, p.dst).
		proof(ip(n, "route get %s", p.dst) + ": Network is unreachable")
	return c.mend(w.missingRoute(n, p.dst))
}

// connectedRoute is the command that puts back the route which the kernel makes with an address.
func (w *walk) connectedRoute(n *state.Namespace, l *state.Link, a state.Address) string {
	if a.Prefix.Addr().Is6() {
		return ip(n, "-6 route add %s dev %s proto kernel metric 256", covered(a), l.Name)
	}
	return ip(n, "route add %s dev %s proto kernel scope link src %s", covered(a), l.Name, a.Prefix.Addr())
}

// diverted sees whether a rule sends the look-up away from a route of the table main that would do.
func (w *walk) diverted(n *state.Namespace, p packet, d decision, iif *state.Link) *Cause {
	main := &state.Rule{Family: p.family(), Action: "lookup", Table: state.TableMain}
	route, hop := inTable(n, main, flow{src: p.src, dst: p.dst, oif: p.dst.Zone()})
	if route == nil || hop == nil || route.Type != "unicast" || d.route == route {
		return nil
	}
	var by *state.Rule
	if d.rule != nil {
		by = d.rule
	}
	if by == nil || by.Table == state.TableMain && by.Action == "lookup" {
		// No rule reaches the table main at all.
		if d.rule != nil || mainReached(n, p, iif) {
			return nil
		}
		return cause("rule-diverts", n, nil, "no rule of %s that fits looks up the table main, where the route to %s is", n.Name, p.dst).
			proof(append(w.rulesShown(n, p.family()), routeShown(n, route))...).
			mend(ip(n, "%srule add priority 32766 lookup main", six(p.family())))
	}
	return cause("rule-diverts", n, nil, "the rule with priority %d sends packets for %s away from the route in the table main that would do", by.Priority, p.dst).
		proof(ruleShown(n, by), routeShown(n, route)).
		mend(ip(n, "%srule del priority %d", six(p.family()), by.Priority))
}

// mainReached says whether some rule that fits looks up the table main.
func mainReached(n *state.Namespace, p packet, iif *state.Link) bool {
	f := flowOf(p, iif)
	for _, r := range rulesOf(n, p.family()) {
		if selects(r, f) && r.Action == "lookup" && r.Table == state.TableMain {
			return true
		}
	}
	return false
}

// linkDown finds a link that is down and whose network covers the address; or, where all links with an address are down, the
// first of them, since the routes that led through it went with it.
func (w *walk) linkDown(n *state.Namespace, dst netip.Addr, links []*state.Link) *Cause {
	family := familyOf(dst)
	var down *state.Link
	var on state.Address
	up := false
	for _, l := range links {
		for _, a := range l.Addresses {
			if familyOf(a.Prefix.Addr()) != family || family == 6 && a.Prefix.Addr().IsLinkLocalUnicast() {
				continue
			}
			if l.Up {
				up = true
				continue
			}
			if covers(a, dst) {
				return w.isDown(n, l, a, dst, true)
			}
			if down == nil {
				down, on = l, a
			}
		}
		if dst.Zone() == l.Name && !l.Up {
			return cause("link-down", n, l, "%s in %s is administratively down", l.Name, n.Name).proof(linkShown(n, l)).mend(ip(n, "link set %s up", l.Name))
		}
	}
	if down != nil && !up {
		return w.isDown(n, down, on, dst, false)
	}
	return nil
}

func (w *walk) isDown(n *state.Namespace, l *state.Link, a state.Address, dst netip.Addr, direct bool) *Cause {
	c := cause("link-down", n, l, "%s in %s is administratively down, so the routes that go with it are not there", l.Name, n.Name).
		proof(linkShown(n, l), addressShown(n, l, a)).mend(ip(n, "link set %s up", l.Name))
	if !direct { // what led through a gateway is gone for good
		if route := w.missingRoute(n, dst); route != "" {
			c.mend(route)
		}
	}
	return c
}

func (w *walk) noAddress(n *state.Namespace, p packet, links []*state.Link) *Cause {
	for i := range n.Links {
		for _, a := range addresses(&n.Links[i], p.family()) {
			if !a.Prefix.Addr().IsLoopback() {
				return nil
			}
		}
	}
	family := map[int]string{4: "IPv4", 6: "IPv6"}[p.family()]
	var l *state.Link
	if len(links) == 1 {
		l = links[0]
	}
	c := cause("no-address", n, l, "no link of %s has an %s address", n.Name, family)
	for _, l := range links {
		c.proof(ip(n, "%saddr show dev %s", six(p.family()), l.Name) + ": no address of this family")
	}
	if l != nil {
		c.mend(ip(n, "addr add %s dev %s", w.freeAddress(p.dst), l.Name))
		if !l.Up {
			c.mend(ip(n, "link set %s up", l.Name))
		}
	}
	return c
}

// freeAddress is an address of the destination's network that nobody has.
func (w *walk) freeAddress(dst netip.Addr) string {
	for _, o := range w.owned(dst) {
		for _, a := range o.l.Addresses {
			if a.Prefix.Addr() != dst.WithZone("") {
				continue
			}
			for next := a.Prefix.Masked().Addr().Next(); a.Prefix.Contains(next); next = next.Next() {
				if len(w.owned(next)) == 0 {
					return netip.PrefixFrom(next, a.Prefix.Bits()).String()
				}
			}
		}
	}
	return "ADDRESS/LENGTH"
}

// prefixMismatch finds an address whose own network is too small for the destination, while the destination's network has room for it.
func (w *walk) prefixMismatch(n *state.Namespace, dst netip.Addr, links []*state.Link) *Cause {
	for _, o := range w.owned(dst) {
		for _, theirs := range o.l.Addresses {
			if theirs.Prefix.Addr() != dst.WithZone("") || theirs.Peer.IsValid() {
				continue
			}
			for _, l := range links {
				for _, ours := range l.Addresses {
					if familyOf(ours.Prefix.Addr()) == familyOf(dst) && !covers(ours, dst) && covers(theirs, ours.Prefix.Addr()) &&
						theirs.Prefix.Bits() < ours.Prefix.Bits() {
						return cause("prefix-mismatch", n, l, "%s on %s covers %s alone, which %s is not in; over there it is a /%d",
							ours.Prefix, l.Name, covered(ours), dst, theirs.Prefix.Bits()).
							proof(addressShown(n, l, ours), addressShown(o.n, o.l, theirs)).
							mend(ip(n, "addr del %s dev %s", ours.Prefix, l.Name),
								ip(n, "addr add %s dev %s%s", netip.PrefixFrom(ours.Prefix.Addr(), theirs.Prefix.Bits()), l.Name, nodad(ours.Prefix.Addr())))
					}
				}
			}
		}
	}
	return nil
}

func nodad(a netip.Addr) string {
	if a.Is6() {
		return " nodad"
	}
	return ""
}

// missingRoute is the command for a route to an address by a neighbour that knows the way on.
func (w *walk) missingRoute(n *state.Namespace, dst netip.Addr) string {
	network := "default"
	for _, o := range w.owned(dst) {
		for _, a := range o.l.Addresses {
			if a.Prefix.Addr() == dst.WithZone("") {
				network = state.PrefixText(a.Prefix.Masked())
			}
		}
	}
	if known := w.gateways(n, dst); len(known) > 0 {
		return ip(n, "%sroute add %s via %s", six(familyOf(dst)), network, known[0])
	}
	return ip(n, "%sroute add %s via GATEWAY", six(familyOf(dst)), network)
}

// gateways are addresses of neighbours, on the segments of a namespace, that forward and have a way on to the destination.
func (w *walk) gateways(n *state.Namespace, dst netip.Addr) (found []netip.Addr) {
	family := familyOf(dst)
	for _, l := range ordinary(n) {
		ours := addresses(l, family)
		if len(ours) == 0 {
			continue
		}
		for _, at := range w.endpoints(port{n, l}) {
			if at.n == n || !forwards(at.n, at.l, family) && !w.isOwn(at.n, dst) {
				continue
			}
			d := lookup(at.n, flow{dst: dst, iif: at.l.Name})
			if !d.found() || d.hop != nil && d.hop.Dev == at.l.Name && !d.local() {
				continue
			}
			for i := range at.n.Links {
				for _, theirs := range addresses(&at.n.Links[i], family) {
					for _, our := range ours {
						if covers(our, theirs.Prefix.Addr()) && theirs.Prefix.Addr() != our.Prefix.Addr() {
							found = append(found, theirs.Prefix.Addr())
						}
					}
				}
			}
		}
	}
	return found
}

// forwards says whether what comes in by a link is forwarded.
func forwards(n *state.Namespace, l *state.Link, family int) bool {
	if family == 6 {
		return sysctl(n, "net.ipv6.conf.all.forwarding") == "1"
	}
	return sysctl(n, ofLink(4, l.Name, "forwarding")) == "1"
}
