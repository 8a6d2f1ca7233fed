package claim

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// HasRoute is `N` has the route `…`.
type HasRoute struct {
	Netns string
	Text  string
	Route operation.Route
	Not   bool
}

func init() {
	add(Entry{
		Place: 130,
		Means: "any table, any type; what is written must match, what is not may be anything; " +
			"`default` alone is IPv4, `default` with an IPv6 gateway IPv6; besides the words of `ip route add` " +
			"there are " +
			"`linkdown` and `dead`",
		Forms: []Form{
			says("`N` has the route `default via 10.0.0.1`", func(a arguments) Claim { return hasRoute(a, false) }),
			denies("`N` does not have the route `default via 10.0.0.1`", func(a arguments) Claim {
				return hasRoute(a, true)
			}),
		},
		Slots: map[string]Slot{"default via 10.0.0.1": {"a route, in the words of `ip route`", readRoute}},
	})
}

func readRoute(text string) (any, error) {
	route, err := operation.ParseShownRoute(strings.Fields(text))
	if err != nil {
		return nil, operation.NotA("route", text, err)
	}
	return written[operation.Route]{text, route}, nil
}

func hasRoute(a arguments, not bool) Claim {
	r := a[1].(written[operation.Route])
	return HasRoute{Netns: a.text(0), Text: r.text, Route: r.value, Not: not}
}

func (c HasRoute) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("route %s", c.Text)
}

func (c HasRoute) Needs() Needs { return stateOnly() }

func (c HasRoute) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		return finding((len(n.MatchRoute(c.Route)) > 0) != c.Not, "the routes: "+routes(n))
	})
}

// routes are the routes outside the table local.
func routes(n *state.Namespace) string {
	return list(
		slices.DeleteFunc(slices.Clone(n.Routes), func(r state.Route) bool { return r.Table == state.TableLocal }),
		state.RouteText,
	)
}

// unsettledBy: a route shows whether its link has carrier; when duplicate address detection has ended, the kernel adds
// the routes to the address itself (addrconf_dad_completed in net/ipv6/addrconf.c).
func (c HasRoute) unsettledBy(_ *state.State, p state.Pending) bool {
	toAddress := c.Route.Type == "local" || c.Route.Type == "anycast" || c.Route.To.Bits() == 128
	return p.Netns == c.Netns && (p.Kind == state.PendingCarrier || p.Kind == state.PendingDAD && toAddress)
}

func (c HasRoute) Mutants() Mutants {
	if !c.Not {
		return Mutants{Own: []Way{by(in(c.Netns, "route del %s", c.Text)), by(in(c.Netns, "route flush table all")),
			by(in(c.Netns, "route flush table local")), by(in(c.Netns, "-6 route flush table all")), allDown(c.Netns)}}
	}
	if r := c.Route; r.LinkDown || r.Dead || slices.ContainsFunc(r.Nexthops, operation.Nexthop.Unusable) {
		return Mutants{Own: []Way{{Name: "the other ends down, and routes without carrier dead", Commands: c.unplug}}}
	}
	up := func(s *state.State) []string { return eachLink(s, c.Netns, "link set %s up") }
	return Mutants{Own: []Way{
		by(
			in(c.Netns, "route add %s", c.Text),
		), by(in(c.Netns, "route append %s", c.Text)), by(in(c.Netns, "route add blackhole %s", c.Text)),
		{Name: "the route over any link", Commands: func(s *state.State) []string {
			return append(up(s), eachLink(s, c.Netns, "route add "+c.Text+" dev %s")...)
		}},
		{Name: "the route over any link, behind others", Commands: func(s *state.State) []string {
			return append(up(s), eachLink(s, c.Netns, "route append "+c.Text+" dev %s")...)
		}},
		{Name: "the route over any link that has one already", Commands: func(s *state.State) []string {
			return append(up(s), in(c.Netns, "route add %s", c.Text))
		}},
		{Name: "all links up", Commands: up},
	}}
}

// unplug takes the carrier of all links of the namespace, for which their routes are dead then.
func (c HasRoute) unplug(s *state.State) (lines []string) {
	n := s.Namespace(c.Netns)
	if n == nil {
		return nil
	}
	for _, l := range n.Links {
		for _, family := range []string{"ipv4", "ipv6"} {
			key := "net." + family + ".conf." + strings.ReplaceAll(l.Name, ".", "/") + ".ignore_routes_with_linkdown"
			lines = append(lines, "-"+execIn(c.Netns, "sysctl -qw %s=1", key))
		}
		if p := l.Peer; p != nil && p.Name != "" && l.Kind == "veth" {
			lines = append(lines, "-"+in(p.Netns, "link set %s down", p.Name))
		}
	}
	return lines
}
