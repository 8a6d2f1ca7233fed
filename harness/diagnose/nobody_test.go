package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// straight is a route of the table main without a gateway.
func straight(to, dev string) state.Route {
	return state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix(to), Table: state.TableMain,
		Nexthops: []state.Nexthop{{Dev: dev}}}
}

// TestAddressOffSegment: an address in use where it is stays there; the route that has it elsewhere is fixed.
func TestAddressOffSegment(t *testing.T) {
	def, far := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.2.0.0/24")
	without := func(n *state.Namespace, to netip.Prefix) {
		n.Routes = slices.DeleteFunc(n.Routes, func(r state.Route) bool { return r.To == to })
	}
	// island is a copy of the network, without a path to it, in which b has lost its address.
	island := func(s *state.State) {
		for _, n := range routed().Namespaces[1:] {
			n.Name += "2"
			for i := range n.Links {
				if n.Links[i].Peer != nil {
					n.Links[i].Peer.Netns += "2"
				}
			}
			s.Namespaces = append(s.Namespaces, n)
		}
		b := s.Namespace("b2")
		b.Link("eth0").Addresses, b.Routes = nil, nil
	}
	for _, c := range []struct {
		what   string
		from   string
		change func(s *state.State)
		repair []string
	}{
		{"a default route without a gateway", "a", func(s *state.State) {
			without(s.Namespace("a"), def)
			s.Namespace("a").Routes = append(s.Namespace("a").Routes, straight("0.0.0.0/0", "eth0"))
		}, []string{"ip -n a route replace default via 10.1.0.254"}},
		{"a prefix that is too short", "a", func(s *state.State) {
			a := s.Namespace("a")
			a.Link("eth0").Addresses, a.Routes = nil, nil
			give(a, a.Link("eth0"), netip.MustParsePrefix("10.1.0.1/8"))
		}, []string{"ip -n a route add 10.2.0.0/24 via 10.1.0.254"}},
		{"a route of a router out of another link", "a", func(s *state.State) {
			s.Namespace("r").Routes = append(s.Namespace("r").Routes, straight("10.2.0.1/32", "to-a"))
		}, []string{"ip -n r route replace 10.2.0.1 dev to-b"}},
		{"a network of the same addresses", "a2", island,
			[]string{"ip -n b2 addr add 10.2.0.1/24 dev eth0", "ip -n b2 route add 10.1.0.0/24 via 10.2.0.254"}},
		{"a default route without a gateway, and a router that does not forward", "a", func(s *state.State) {
			without(s.Namespace("a"), def)
			s.Namespace("a").Routes = append(s.Namespace("a").Routes, straight("0.0.0.0/0", "eth0"))
			s.Namespace("r").Sysctls = nil
		}, []string{"ip -n a route replace default via 10.1.0.254"}},
		{"nobody who leads there", "a", func(s *state.State) {
			without(s.Namespace("a"), def)
			s.Namespace("a").Routes = append(s.Namespace("a").Routes, straight("0.0.0.0/0", "eth0"))
			other := state.Namespace{Name: "c", Links: []state.Link{loopback(), *s.Namespace("r").Link("to-b")}}
			s.Namespace("b").Link("eth0").Peer.Netns = "c"
			s.Namespace("r").Links, s.Namespace("r").Sysctls = s.Namespace("r").Links[:2], nil
			without(s.Namespace("r"), far)
			s.Namespaces = append(s.Namespaces, other)
		}, []string{"decide which host has 10.2.0.1: if it is eth0 in b, route to it; if it is one on the segment of " +
			"eth0 in a, assign it another address"}},
		{"an address of lo", "a", func(s *state.State) {
			b := s.Namespace("b")
			b.Link("eth0").Addresses, b.Routes = nil, nil
			give(b, b.Link("lo"), netip.MustParsePrefix("10.2.0.1/32"))
			without(s.Namespace("r"), far)
			s.Namespace("r").Routes = append(s.Namespace("r").Routes, straight("10.2.0.0/24", "to-a"))
			give(s.Namespace("a"), s.Namespace("a").Link("eth0"), netip.MustParsePrefix("10.2.0.9/24"))
		}, []string{"decide which host has 10.2.0.1: if it is lo in b, route to it; if it is one on the segment of " +
			"eth0 in a, assign it another address"}},
		{"an address that nobody uses where it is", "a", func(s *state.State) {
			b, r := s.Namespace("b"), s.Namespace("r")
			r.Link("to-b").Addresses = nil
			without(r, far)
			r.Link("to-a").Addresses[0].Prefix = netip.MustParsePrefix("10.2.0.254/24")
			give(s.Namespace("a"), s.Namespace("a").Link("eth0"), netip.MustParsePrefix("10.2.0.9/24"))
			// it had one of IPv4
			r.Link("to-a").Addresses = []state.Address{{Prefix: netip.MustParsePrefix("fd00::1/64"), Scope: "global"}}
			b.Routes = b.Routes[:2]
		}, []string{"ip -n b addr del 10.2.0.1/24 dev eth0", "ip -n r addr add 10.2.0.1/24 dev to-a"}},
	} {
		s := routed()
		c.change(s)
		r := Diagnose(s, Query{From: c.from, To: netip.MustParseAddr("10.2.0.1")})
		if r.Cause == nil || r.Cause.Name != causes.AddressOffSegment ||
			!slices.Equal(slices.Concat(r.Cause.Repair, r.Cause.Advice), c.repair) {
			t.Errorf("%s: %s", c.what, told(r))
		}
	}
}

// told formats a cause and its repair.
func told(r Report) string {
	if r.Cause == nil {
		return "no cause"
	}
	return r.Cause.Name.String() + ": " + r.Cause.Says + "\n" + strings.Join(r.Cause.Repair, "\n")
}

// TestOthersGateway: who has an address for its gateway does not get it for its own.
func TestOthersGateway(t *testing.T) {
	s := Cabled()
	nobody := netip.MustParseAddr("10.0.0.9")
	q := Query{From: "a", To: nobody}
	judgeCause(t, "no gateway", Diagnose(s, q), "address-nowhere", "ip -n b addr add 10.0.0.9/24 dev eth0")
	b := s.Namespace("b")
	b.Routes = append(b.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"),
		Table: state.TableMain, Nexthops: []state.Nexthop{{Via: nobody, Dev: "eth0"}}})
	if c := Diagnose(s, q).Cause; c == nil || len(c.Repair) > 0 || len(c.Advice) == 0 {
		t.Errorf("the cause is %+v", c)
	}
}
