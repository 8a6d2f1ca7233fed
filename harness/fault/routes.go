package fault

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// routes are routes that are missing, lead to a wrong next hop, or are in the way.
func (s *site) routes() {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		for _, r := range n.Routes {
			if r.Table == state.TableMain && len(r.Nexthops) == 1 && r.Type == "unicast" && !made(r) &&
				!strings.HasPrefix(r.Nexthops[0].Dev, "lo") {
				s.route(n, r)
			}
		}
		for _, to := range s.destinations() {
			s.inTheWay(n, to)
		}
	}
}

// destinations are the addresses that the goals are about.
func (s *site) destinations() (all []netip.Addr) {
	for _, q := range s.queries {
		if to := q.To.WithZone(""); !slices.Contains(all, to) && !to.IsLinkLocalUnicast() && !to.IsLoopback() {
			all = append(all, to)
		}
	}
	return all
}

func (s *site) route(n *state.Namespace, r state.Route) {
	text := fmt.Sprintf("the route `%s`", strings.TrimSpace(state.RouteText(r)))
	s.maybe(2, n, fmt.Sprintf("`%s` lacks %s", n.Name, text), func(b *bench) {
		b.deleteRoute(n.Name, r)
	}, causes.NoRoute,
		causes.ConnectedRouteMissing, causes.AddressNowhere, causes.GatewayNowhere)
	hop := r.Nexthops[0]
	l := n.Link(hop.Dev)
	if !hop.Via.IsValid() || l == nil {
		return
	}
	instead := func(level int, via netip.Addr, names ...causes.Cause) {
		other := r
		other.Nexthops = []state.Nexthop{{Via: via, Dev: hop.Dev, Flags: hop.Flags}}
		s.maybe(level, n, fmt.Sprintf("%s in `%s` has the next hop `%s`", text, n.Name, via), func(b *bench) {
			b.deleteRoute(n.Name, r)
			b.addRoute(n.Name, other)
		}, names...)
	}
	for _, a := range l.Addresses {
		if !a.Prefix.Contains(hop.Via) || hop.Via.IsLinkLocalUnicast() {
			continue
		}
		if free, ok := s.free(a.Prefix); ok {
			instead(2, free, causes.GatewayNowhere)
		}
		for _, p := range s.places {
			for _, other := range p.l.Addresses {
				if via := other.Prefix.Addr(); p.n != n && via != hop.Via && a.Prefix.Contains(via) {
					instead(3, via, causes.GatewayWrong, causes.RoutingLoop)
				}
			}
		}
	}
}

// inTheWay are routes and rules for one destination that lead astray.
func (s *site) inTheWay(n *state.Namespace, to netip.Addr) {
	whole, family := netip.PrefixFrom(to, to.BitLen()), familyOf(to)
	if hasOwn(n, to) {
		return
	}
	for _, kind := range []struct {
		name  string
		cause causes.Cause
	}{{"blackhole", causes.RouteBlackhole}, {"unreachable", causes.RouteUnreachable},
		{"prohibit", causes.RouteProhibit}} {
		r := state.Route{Family: family, Type: kind.name, To: whole, Table: state.TableMain, Proto: "boot",
			Scope: "global"}
		if family == 6 { // as the kernel completes it (ip6_route_info_create in net/ipv6/route.c)
			r.Metric, r.Pref, r.Nexthops = 1024, "medium", []state.Nexthop{{Dev: "lo"}}
		}
		s.maybe(2, n, fmt.Sprintf("`%s` has the route `%s %s`", n.Name, kind.name, to),
			func(b *bench) { b.addRoute(n.Name, r) }, kind.cause)
	}
	// Where an address outside the state belongs, the diagnosis cannot know.
	known := slices.ContainsFunc(s.Namespaces, func(n state.Namespace) bool { return hasOwn(&n, to) })
	for _, p := range s.places {
		if p.n == n && p.l.Up && family == 4 && known {
			r := state.Route{Family: 4, Type: "unicast", To: whole, Table: state.TableMain, Proto: "boot",
				Scope:    "link",
				Nexthops: []state.Nexthop{{Dev: p.l.Name}}}
			s.maybe(3, n, fmt.Sprintf("`%s` has the route `%s dev %s`", n.Name, to, p.l.Name),
				func(b *bench) { b.addRoute(n.Name, r) }, causes.RouteOutOfWrongLink, causes.AddressNowhere,
				causes.AddressOffSegment)
		}
	}
	for _, action := range []string{"prohibit", "unreachable", "blackhole"} {
		rule := state.Rule{Family: family, Priority: freePriority(n, family), To: whole, Action: action,
			Protocol: "boot"}
		s.maybe(3, n, fmt.Sprintf("`%s` has the rule `to %s %s`", n.Name, to, action),
			func(b *bench) { b.addRule(n.Name, rule) }, causes.RuleDiverts)
	}
}

func hasOwn(n *state.Namespace, addr netip.Addr) bool {
	return slices.ContainsFunc(n.Links, func(l state.Link) bool {
		return slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr })
	})
}

// freePriority is a priority that comes before the rules of a namespace, but for that of the table local.
func freePriority(n *state.Namespace, family int) uint32 {
	lowest := uint32(32766)
	for _, r := range n.Rules {
		if r.Family == family && r.Priority > 0 {
			lowest = min(lowest, r.Priority)
		}
	}
	return cmp.Or(min(lowest/2, 100), 1)
}
