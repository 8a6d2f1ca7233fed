package repair

import (
	"net/netip"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Gateways are the neighbours of a namespace that are routers towards the destination, as next hops.
func (m Mender) Gateways(n *state.Namespace, dst netip.Addr) []state.Nexthop {
	return m.nextHops(n, dst, func(at facts.Port) bool { return KnowsWay(m.Map, at, dst) })
}

// routers are the neighbours of a namespace that would be routers towards the destination but for another fault, as
// next hops: first those with a route out of another link, then those that forward and do not send the packet back.
func (m Mender) routers(n *state.Namespace, dst netip.Addr) []state.Nexthop {
	return append(m.nextHops(n, dst, func(at facts.Port) bool { return routing.LeadsOn(at, dst) }),
		m.nextHops(n, dst, func(at facts.Port) bool {
			return facts.Forwards(at.N, at.L, facts.FamilyOf(dst)) && !routing.LeadsBack(at, dst)
		})...)
}

// nextHops are the next hops to the neighbours that fit. First come those with an address in a network of the
// namespace. On a link without such a network the next hop is the link itself, if the neighbour has the destination, or
// else the neighbour's IPv6 link-local address.
func (m Mender) nextHops(n *state.Namespace, dst netip.Addr, fits func(facts.Port) bool) []state.Nexthop {
	if m.Tries == nil {
		return nil
	}
	var numbered, unnumbered []state.Nexthop
	for _, l := range facts.Ordinary(n) {
		if l.Master != "" {
			continue
		}
		for _, at := range m.Endpoints(facts.At(n, l)) {
			if at.N == n || !fits(at) {
				continue
			}
			vias := facts.Common(l, at.L, facts.FamilyOf(dst))
			for _, via := range vias {
				numbered = append(numbered, state.Nexthop{Via: via, Dev: l.Name})
			}
			switch via := facts.LinkLocal(at.L); {
			case len(vias) > 0:
			case m.AnswersFor(at, dst):
				unnumbered = append(unnumbered, state.Nexthop{Dev: l.Name})
			case dst.Is6() && via.IsValid() && facts.LinkLocal(l).IsValid():
				unnumbered = append(unnumbered, state.Nexthop{Via: via, Dev: l.Name})
			}
		}
	}
	return append(numbered, unnumbered...)
}

// MissingRoute adds a route to an address. If a link leads directly to it but has no address of the family, an address
// brings the route; else the route goes by a neighbour that is a router towards it.
func (m Mender) MissingRoute(c *finding.Cause, n *state.Namespace, dst netip.Addr) *finding.Cause {
	to := m.NetworkOf(dst)
	known := m.Gateways(n, dst)
	bare := LikelyLink(m.Map, n, dst)
	if bare != nil && len(facts.Addresses(bare, facts.FamilyOf(dst))) > 0 {
		bare = nil
	}
	if bare == nil && len(known) == 0 {
		bare = leading(m.Map, n, dst, without(n, facts.FamilyOf(dst)))
	}
	if bare != nil && (len(known) == 0 || AddressFor(m.Map, facts.At(n, bare), facts.FamilyOf(dst)).IsValid()) {
		GiveAddress(m.Map, c, facts.At(n, bare), facts.FamilyOf(dst))
		return c
	}
	for _, h := range known {
		if m.improves(finding.AddRoute(n.Name, to, h)) {
			return c.AddRoute(n, to, h)
		}
	}
	if known = append(known, m.routers(n, dst)...); len(known) > 0 {
		return c.AddRoute(n, to, known[0])
	}
	return c.Advise(words.IP(n, "%sroute add %s via GATEWAY", words.Six(facts.FamilyOf(dst)), state.PrefixText(to)))
}

// without are the links of a namespace that have an address of the other family only: they may have lost theirs.
func without(n *state.Namespace, family int) (links []*state.Link) {
	for _, l := range facts.Ordinary(n) {
		if l.Master == "" && len(facts.Addresses(l, family)) == 0 && len(facts.Addresses(l, 10-family)) > 0 {
			links = append(links, l)
		}
	}
	return links
}

// OtherGateway replaces the gateway of a route by one with which a trial succeeds, or else gets further, or else by the
// first candidate; false if there is none.
func (m Mender) OtherGateway(c *finding.Cause, n *state.Namespace, dst netip.Addr, r *state.Route) bool {
	return m.gatewayThat(c, n, dst, r, m.fixes) || m.gatewayThat(c, n, dst, r, m.improves) ||
		m.gatewayThat(c, n, dst, r, unproven)
}

// gatewayThat replaces the gateway of a route by the first one that passes a trial.
func (m Mender) gatewayThat(c *finding.Cause, n *state.Namespace, dst netip.Addr, r *state.Route,
	passes func(...finding.Change) bool) bool {
	for _, h := range m.Instead(n, dst, r, append(m.Gateways(n, dst), m.routers(n, dst)...)) {
		if passes(finding.DeleteRoute(n.Name, r), finding.AddRoute(n.Name, r.To, h)) {
			ReplaceGateway(c, n, r, h)
			return true
		}
	}
	return false
}

// Instead are the next hops that a route may have in place of its own. If the next hop is the destination itself, the
// route has no gateway. The kernel refuses a gateway that is reached only by that route (fib_check_nh(),
// net/ipv4/fib_semantics.c).
func (m Mender) Instead(n *state.Namespace, dst netip.Addr, r *state.Route,
	hops []state.Nexthop) (fit []state.Nexthop) {
	without := finding.After(m.State, []finding.Change{finding.DeleteRoute(n.Name, r)}).Namespace(n.Name)
	for _, h := range hops {
		switch {
		case h.Via == dst.WithZone("") && r.To.Bits() >= m.NetworkOf(dst).Bits():
			h.Via = netip.Addr{}
		case h.Via == dst.WithZone("") || h.Via.IsValid() && !routing.OnLink(without, h):
			continue
		}
		if !facts.LeadsBy(r, h) {
			fit = append(fit, h)
		}
	}
	return fit
}

func ReplaceGateway(c *finding.Cause, n *state.Namespace, r *state.Route, h state.Nexthop) {
	to, table := state.PrefixText(r.To), ""
	if r.Table != state.TableMain {
		table = " table " + state.TableName(r.Table)
	}
	if r.Family == 6 { // replace could leave a route with several nexthops
		c.Fix(words.IP(n, "-6 route del %s%s%s", to, words.Metric(r), table), words.IP(n, "-6 route add %s %s%s", to,
			words.By(h), table))
	} else {
		c.Fix(words.IP(n, "route replace %s %s%s%s", to, words.By(h), words.Metric(r), table))
	}
	c.Then(finding.DeleteRoute(n.Name, r)).Then(finding.AddRoute(n.Name, r.To, h))
}

// GatewayBack mends a route whose gateway no link has: either the route is wrong, or the gateway has lost its address.
func (m Mender) GatewayBack(c *finding.Cause, n *state.Namespace, out *state.Link, via, dst netip.Addr,
	r *state.Route) *finding.Cause {
	if m.Tries == nil || m.gatewayThat(c, n, dst, r, m.fixes) {
		return c
	}
	robbed, bare := lacking(m.Map, n, m.Neighbours(facts.At(n, out)), facts.FamilyOf(via))
	if len(robbed) == 0 && m.OtherGateway(c, n, dst, r) {
		return c
	}
	if lost := append(robbed, bare...); len(lost) > 0 {
		return c.AddAddress(lost[0], netip.PrefixFrom(via, LengthHere(m.Map, out, via)))
	}
	return c.Advise(words.IP(n, "%sroute replace %s via GATEWAY", words.Six(facts.FamilyOf(via)),
		state.PrefixText(r.To)))
}
