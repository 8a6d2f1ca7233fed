package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// routed is two hosts, a and b, with a router on a cable to each; its links are to-a and to-b.
func routed() *state.State {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}}
	r := state.Namespace{Name: "r", Links: []state.Link{loopback()}, Rules: defaultRules(),
		Sysctls: []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"}}}
	for i, name := range []string{"a", "b"} {
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules()}
		far, near := netip.AddrFrom4([4]byte{10, byte(i + 1), 0, 1}), netip.AddrFrom4([4]byte{10, byte(i + 1), 0, 254})
		l := state.Link{Index: 2, Name: "eth0", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:00:0" + name, Peer: &state.LinkRef{Netns: "r", Name: "to-" + name}}
		give(&n, &l, netip.PrefixFrom(far, 24))
		n.Links = append(n.Links, l)
		n.Routes = append(n.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"),
			Table: state.TableMain, Nexthops: []state.Nexthop{{Via: near, Dev: "eth0"}}})
		l = state.Link{Index: 2 + i, Name: "to-" + name, Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:01:0" + name, Peer: &state.LinkRef{Netns: name, Name: "eth0"}}
		give(&r, &l, netip.PrefixFrom(near, 24))
		r.Links = append(r.Links, l)
		r.Sysctls = append(r.Sysctls, state.Sysctl{Key: "net.ipv4.conf.to-" + name + ".forwarding", Value: "1"})
		s.Namespaces = append(s.Namespaces, n)
	}
	s.Namespaces = append(s.Namespaces, r)
	return s
}

// TestReversePath: the route to the source is looked up as for a packet that comes back by the same link, and the
// repair adds what is missing there.
func TestReversePath(t *testing.T) {
	back := netip.MustParsePrefix("10.1.0.0/24")
	lost := func(r *state.Namespace) {
		r.Routes = slices.DeleteFunc(r.Routes, func(route state.Route) bool { return route.To == back })
	}
	elsewhere := state.Route{Family: 4, Type: "unicast", To: back, Table: state.TableMain,
		Nexthops: []state.Nexthop{{Dev: "to-b"}}}
	for _, c := range []struct {
		what   string
		mode   string
		change func(r *state.Namespace)
		want   string
		mends  []string
	}{
		{"the way back is the way in", "1", func(*state.Namespace) {}, "", nil},
		{"a rule for what comes back", "1", func(r *state.Namespace) {
			lost(r)
			r.Rules = append(r.Rules, state.Rule{Family: 4, Priority: 10, IIf: "to-b", Action: "lookup", Table: 100})
			r.Routes = append(r.Routes, state.Route{Family: 4, Type: "unicast", To: back, Table: 100,
				Nexthops: []state.Nexthop{{Dev: "to-a"}}})
		}, "", nil},
		{"no way back", "1", lost, "reverse-path-filter",
			[]string{"ip -n r route add 10.1.0.0/24 dev to-a proto kernel scope link src 10.1.0.254"}},
		{"another way back", "1", func(r *state.Namespace) {
			lost(r)
			r.Routes = append(r.Routes, elsewhere)
		}, "reverse-path-filter",
			[]string{"ip netns exec r sysctl -w net.ipv4.conf.all.rp_filter=2"}},
		{"another way back, without an address", "2", func(r *state.Namespace) {
			lost(r)
			addr := r.Link("to-a").Addresses
			r.Link("to-a").Addresses, r.Link("lo").Addresses = nil, addr
			r.Routes = append(r.Routes, elsewhere)
			r.Sysctls = append(r.Sysctls, state.Sysctl{Key: "net.ipv4.conf.to-a.rp_filter", Value: "1"})
		}, "reverse-path-filter", []string{"ip netns exec r sysctl -w net.ipv4.conf.to-a.rp_filter=0",
			"ip netns exec r sysctl -w net.ipv4.conf.all.rp_filter=0"}},
	} {
		s := routed()
		r := s.Namespace("r")
		r.Sysctls = append(r.Sysctls, state.Sysctl{Key: "net.ipv4.conf.all.rp_filter", Value: c.mode})
		c.change(r)
		report := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.2.0.1")})
		name, repair := "", []string(nil)
		if report.Cause != nil {
			name, repair = report.Cause.Name.String(), report.Cause.Repair
		}
		if name != c.want || !slices.Equal(repair, c.mends) {
			t.Errorf("%s: cause %q, want %q; the repair is\n%s", c.what, name, c.want, strings.Join(repair, "\n"))
		}
	}
}

// TestAnswersOfOthers: connection tracking finds a reply invalid where the first packet did not pass.
func TestAnswersOfOthers(t *testing.T) {
	for _, c := range []struct{ netns, want string }{{"r", ""}, {"r2", "filter-forward"}} {
		s := routed()
		second := *s.Namespace("r") // a second router, by which b replies
		second.Name = "r2"
		second.Links = slices.Clone(second.Links)
		for i := range second.Links[1:] {
			l := &second.Links[i+1]
			host := s.Namespace(strings.TrimPrefix(l.Name, "to-"))
			l.Peer = &state.LinkRef{Netns: host.Name, Name: "eth1"}
			host.Links = append(host.Links, state.Link{Index: 3, Name: "eth1", Kind: "veth", Up: true, Carrier: true,
				MTU: 1500, Peer: &state.LinkRef{Netns: "r2", Name: l.Name}})
		}
		s.Namespaces = append(s.Namespaces, second)
		s.Namespace("b").Routes[2].Nexthops[0].Dev = "eth1"
		s.Namespace(c.netns).Filters = []state.FilterTable{chainIn("ip", "forward", "filter", 0, "accept",
			when("ct state", "invalid", "drop"))}
		judgeCause(t, c.netns, Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.2.0.1")}), c.want, "")
	}
}

// TestForwards: IPv4 has a sysctl for each link, IPv6 one for all and, since Linux 6.17, one that enables a single
// link.
func TestForwards(t *testing.T) {
	for _, c := range []struct {
		key    string
		family int
		want   bool
	}{
		{"net.ipv4.conf.eth0.forwarding", 4, true}, {"net.ipv4.ip_forward", 4, false},
		{"net.ipv4.conf.eth1.forwarding", 4, false},
		{"net.ipv6.conf.all.forwarding", 6, true}, {"net.ipv6.conf.eth0.forwarding", 6, false},
		{"net.ipv6.conf.eth0.force_forwarding", 6, true},
		{"net.ipv6.conf.eth1.force_forwarding", 6, false},
	} {
		n := &state.Namespace{Name: "n", Sysctls: []state.Sysctl{{Key: c.key, Value: "1"}}}
		if got := facts.Forwards(n, &state.Link{Name: "eth0"}, c.family); got != c.want {
			t.Errorf("%s: %v", c.key, got)
		}
	}
}
