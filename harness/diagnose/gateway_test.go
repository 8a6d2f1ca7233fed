package diagnose

import (
	"net/netip"
	"slices"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// TestRuleToABystander: if a rule routes a packet to a neighbour that is not a router towards its destination, the rule
// is the cause, not a route of another table.
func TestRuleToABystander(t *testing.T) {
	far := netip.MustParseAddr("10.0.0.2")
	for _, by := range []state.Rule{{To: netip.PrefixFrom(far, 32)}, {From: netip.MustParsePrefix("10.0.0.1/32")}} {
		s := switched()
		a, sw := s.Namespace("a"), s.Namespace("sw")
		sw.Rules, sw.Link("br0").Bridge.VLANFiltering = defaultRules(), false
		give(sw, sw.Link("br0"), netip.MustParsePrefix("10.0.0.9/24"))
		sw.Routes = sw.Routes[:1] // only its connected route: it has no route on
		by.Family, by.Priority, by.Action, by.Table = 4, 100, "lookup", 77
		a.Rules = append(a.Rules, by)
		a.Routes = append(a.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"),
			Table:    77,
			Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.0.0.9"), Dev: "eth0"}}})
		q := Query{From: "a", To: far}
		if by.From.IsValid() {
			q.Source = by.From.Addr() // otherwise the lookup is without a source
		}
		c := Diagnose(s, q).Cause
		if c == nil || c.Name != causes.RuleDiverts || c.Netns != "a" ||
			c.Repair[0] != "ip -n a rule del priority 100" {
			t.Errorf("%s: %+v", state.RuleText(by), c)
		}
	}
}

// TestLoopRepair: a route that leads back gets a gateway that the kernel accepts, or none if the destination is a
// neighbour.
func TestLoopRepair(t *testing.T) {
	by := func(to, via, dev string) state.Route {
		return state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix(to), Table: state.TableMain,
			Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: dev}}}
	}
	for _, c := range []struct{ prefix, want string }{
		{"10.2.0.0/24", "ip -n r route replace 10.2.0.0/24 dev to-b"},
		{"10.2.0.1/32", "ip -n r route replace 10.2.0.1 dev to-b"},
	} {
		s := routed()
		a, r := s.Namespace("a"), s.Namespace("r")
		a.Sysctls = []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"},
			{Key: "net.ipv4.conf.eth0.forwarding", Value: "1"}}
		r.Routes = slices.DeleteFunc(r.Routes, func(r state.Route) bool { return r.To.String() == c.prefix })
		r.Routes = append(r.Routes, by(c.prefix, "10.1.0.1", "to-a"))
		report := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.2.0.1")})
		if report.Cause == nil || report.Cause.Name != causes.RoutingLoop || report.Cause.Repair[0] != c.want {
			t.Errorf("%s: %s", c.prefix, told(report))
		}
	}
}

// TestUnnumberedLinks: a route over a link without a network of its own leads directly to the neighbour, or by its
// link-local address.
func TestUnnumberedLinks(t *testing.T) {
	four := routed()
	b, r := four.Namespace("b"), four.Namespace("r")
	b.Link("eth0").Addresses, b.Routes, r.Link("to-b").Addresses = nil, nil, nil
	give(b, b.Link("eth0"), netip.MustParsePrefix("10.2.0.1/32"))
	gateway := state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"), Table: state.TableMain,
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.1.0.254"), Dev: "eth0"}}}
	b.Routes = append(b.Routes, straight("10.1.0.254/32", "eth0"), gateway)
	r.Routes = slices.DeleteFunc(r.Routes, func(r state.Route) bool { return r.Nexthops[0].Dev == "to-b" })

	six := routed()
	for i := range six.Namespaces {
		n := &six.Namespaces[i]
		n.Rules, n.Routes = nil, nil
		for _, rule := range defaultRules() {
			rule.Family = 6
			n.Rules = append(n.Rules, rule)
		}
		for j := range n.Links {
			n.Links[j].Addresses = nil
		}
	}
	a, b, r := six.Namespace("a"), six.Namespace("b"), six.Namespace("r")
	r.Sysctls = []state.Sysctl{{Key: "net.ipv6.conf.all.forwarding", Value: "1"}}
	give(a, a.Link("eth0"), netip.MustParsePrefix("fd00:1::1/64"))
	give(r, r.Link("to-a"), netip.MustParsePrefix("fd00:1::fe/64"))
	give(r, r.Link("to-b"), netip.MustParsePrefix("fe80::fe/64"))
	give(b, b.Link("eth0"), netip.MustParsePrefix("fe80::1/64"))
	give(b, b.Link("lo"), netip.MustParsePrefix("fd00:2::1/128"))
	by := func(via string) state.Route {
		return state.Route{Family: 6, Type: "unicast", To: netip.MustParsePrefix("::/0"), Table: state.TableMain,
			Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: "eth0"}}}
	}
	a.Routes, b.Routes = append(a.Routes, by("fd00:1::fe")), append(b.Routes, by("fe80::fe"))

	for _, c := range []struct {
		s        *state.State
		to, want string
	}{{four, "10.2.0.1", "ip -n r route add 10.2.0.1 dev to-b"},
		{six, "fd00:2::1", "ip -n r -6 route add fd00:2::1 via fe80::1 dev to-b"}} {
		report := Diagnose(c.s, Query{From: "a", To: netip.MustParseAddr(c.to)})
		if report.Cause == nil || report.Cause.Name != causes.NoRoute ||
			!slices.Equal(report.Cause.Repair, []string{c.want}) {
			t.Errorf("%s: %s", c.to, told(report))
		}
	}
}

// TestGatewayBesideTheConnectedRoute: a connected route that is there, but for which a route to the one address is
// chosen, is not missing.
func TestGatewayBesideTheConnectedRoute(t *testing.T) {
	s := switched()
	a := s.Namespace("a")
	a.Routes = append(a.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.0.0.2/32"),
		Table:    state.TableMain,
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.0.0.99"), Dev: "eth0"}}})
	r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
	if r.Cause == nil || r.Cause.Name == causes.ConnectedRouteMissing {
		t.Errorf("%s", told(r))
	}
}
