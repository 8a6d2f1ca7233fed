package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// reason is the cause of one kind why a namespace has no route for a packet, of which these are its links.
type reason func(*topology.Map, *state.Namespace, packet.Packet, []*state.Link) *finding.Cause

// noRoute is the cause why a namespace has no route to an address. Only a sender needs an address of its own: a router
// may send IPv4 on by an IPv6 next hop.
func (w *walk) noRoute(n *state.Namespace, p packet.Packet, d routing.Decision, iif *state.Link) *finding.Cause {
	if c := w.diverted(n, p, d, iif); c != nil {
		return c
	}
	if w.trial {
		return finding.New(causes.NoRoute, n, nil, "no route")
	}
	if d.Refused != "" {
		return faults.Refused(n, p, d)
	}
	links := facts.Ordinary(n)
	reasons := []reason{faults.LinkDown, faults.NoAddress, faults.DownBeyond, faults.PrefixMismatch,
		w.connectedRouteMissing}
	if iif != nil {
		reasons = slices.Delete(reasons, 1, 2)
	}
	for _, why := range reasons {
		if c := why(w.Map, n, p, links); c != nil {
			return c
		}
	}
	c := finding.New(causes.NoRoute, n, nil, "%s has no route that covers %s", n.Name, p.Dst).
		Proof(words.IP(n, "%sroute get %s", words.Six(p.Family()), p.Dst) + ": Network is unreachable")
	return w.mend().MissingRoute(c, n, p.Dst)
}

// diverted finds a rule that keeps the lookup from a route of the table main.
func (w *walk) diverted(n *state.Namespace, p packet.Packet, d routing.Decision, iif *state.Link) *finding.Cause {
	main := &state.Rule{Family: p.Family(), Action: "lookup", Table: state.TableMain}
	route, hop := routing.InTable(n, main, routing.Flow{Src: p.Src, Dst: p.Dst, Oif: p.Dst.Zone()})
	if route == nil || hop == nil || route.Type != "unicast" || d.Route == route {
		return nil
	}
	if d.Rule != nil && d.Rule.Table != state.TableMain && d.Rule.Table != state.TableLocal {
		return faults.Diverts(n, p, d.Rule, words.RouteShown(n, route))
	}
	if d.Rule != nil || routing.MainReached(n, p, iif) {
		return nil
	}
	return finding.New(causes.RuleDiverts, n, nil,
		"no matching rule of %s looks up the table main, which has the route to %s", n.Name, p.Dst).
		Proof(append(words.RulesShown(n, p.Family()), words.RouteShown(n, route))...).
		Fix(words.IP(n, "%srule add priority 32766 lookup main", words.Six(p.Family())))
}

// ledAstray blames the rule that routed the packet at a station by a table of its own, if it gets further without that
// rule.
func (w *walk) ledAstray(at station) *finding.Cause {
	if w.trial || at.d.Rule.Table == state.TableMain || at.d.Rule.Table == state.TableLocal ||
		!w.Improves(finding.DeleteRule(at.n.Name, at.d.Rule)) {
		return nil
	}
	return faults.Diverts(at.n, at.p, at.d.Rule, words.RouteShown(at.n, at.d.Route))
}

// connectedRouteMissing finds an address whose network covers the destination, without its connected route, which the
// kernel adds with an address (fib_add_ifaddr(), net/ipv4/fib_frontend.c; addrconf_prefix_route(),
// net/ipv6/addrconf.c).
func (w *walk) connectedRouteMissing(_ *topology.Map, n *state.Namespace, p packet.Packet,
	links []*state.Link) *finding.Cause {
	for _, l := range links {
		for _, a := range facts.Addresses(l, p.Family()) {
			// the route is there but not used (ignore_routes_with_linkdown)
			if l.Up && !l.Carrier && facts.Covers(a, p.Dst) {
				if c := w.linkTrouble(n, l, &p, false); c != nil {
					return c
				}
			}
			if l.Up && facts.Covers(a, p.Dst) && !facts.Covered(a).IsSingleIP() && !facts.Has(a.Flags,
				"noprefixroute") &&
				!facts.IsConnected(n, l, a) {
				return finding.New(causes.ConnectedRouteMissing, n, l,
					"%s in %s has an address whose network covers %s, but its connected route is missing", l.Name,
					n.Name, p.Dst).
					Proof(words.AddressShown(n, l, a), words.IP(n, "%sroute show dev %s", words.Six(p.Family()),
						l.Name)+": nothing for "+
						facts.Covered(a).String()).
					Fix(words.ConnectedRoute(n, l, a)).Then(func(k *finding.Sketch) {
					finding.Connect(k.Link(n.Name,
						l.Name))
				})
			}
		}
	}
	return nil
}
