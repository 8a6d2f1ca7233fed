package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// TestHairpin: a router on the segment of a and b translates its outer address to a destination on that segment.
func TestHairpin(t *testing.T) {
	outer, router := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.9")
	for _, c := range []struct {
		what    string
		to      string // the translated destination
		port    uint16
		bridged string // bridge-nf-call-iptables of the router
		masks   bool   // it translates the source too
		want    string
	}{
		{"a connection to a neighbour", "10.0.0.2", 80, "0", false, "translation-missing"},
		{"a connection to a neighbour, and the bridge is shown the answer", "10.0.0.2", 80, "1", false, ""},
		{"a connection to a neighbour, masqueraded", "10.0.0.2", 80, "0", true, ""},
		{"an echo, which may be answered by anybody", "10.0.0.2", 0, "0", false, ""},
		{"an echo to oneself", "10.0.0.1", 0, "0", false, "translation-missing"},
		{"an echo to oneself, masqueraded", "10.0.0.1", 0, "0", true, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := switched()
			a, b, sw := s.Namespace("a"), s.Namespace("b"), s.Namespace("sw")
			sw.Rules, sw.Link("br0").Bridge.VLANFiltering = defaultRules(), false
			give(sw, sw.Link("br0"), netip.PrefixFrom(router, 24))
			sw.Sysctls = []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"},
				{Key: "net.ipv4.conf.br0.forwarding", Value: "1"},
				{Key: "net.bridge.bridge-nf-call-iptables", Value: c.bridged}}
			post := state.FilterChain{Name: "post", Type: "nat", Hook: "postrouting", Priority: 100}
			if c.masks {
				post.Rules = []state.FilterRule{{Verdict: "masquerade"}}
			}
			sw.Filters = []state.FilterTable{{Family: "ip", Name: "nat",
				Chains: []state.FilterChain{{Name: "pre", Type: "nat", Hook: "prerouting", Priority: -100,
					Rules: []state.FilterRule{{Verdict: "dnat", Addr: netip.MustParseAddr(c.to),
						Text: "dnat to " + c.to}}}, post}}}
			a.Routes = append(a.Routes, state.Route{Family: 4, Type: "unicast", To: netip.PrefixFrom(outer, 32),
				Table:    state.TableMain,
				Nexthops: []state.Nexthop{{Via: router, Dev: "eth0"}}})
			b.Listeners = []state.Listener{{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 80}}
			r := Diagnose(s, Query{From: "a", To: outer, Port: c.port})
			if c.want == "" {
				if r.Cause != nil {
					t.Errorf("%+v", *r.Cause)
				}
				return
			}
			repair := "ip netns exec sw nft insert rule ip nat post ip saddr 10.0.0.1 ip daddr " + c.to + " masquerade"
			if r.Cause == nil || r.Cause.Name.String() != c.want || r.Cause.Netns != "sw" ||
				r.Cause.Repair[0] != repair {
				t.Errorf("%+v, path %v", r.Cause, r.Path)
			}
		})
	}
}

// TestHairpinOff: a bridge that translates at its ports sends a packet out of the one it came in by only if that is a
// hairpin.
func TestHairpinOff(t *testing.T) {
	service := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		what, to       string
		calls, hairpin bool
		option         bool // the bridge's own, not the sysctl
		want           string
	}{
		{"to itself", "10.0.0.1", true, false, false, "hairpin-off eth0 in sw"},
		{"to itself, by the option of the bridge", "10.0.0.1", true, false, true, "hairpin-off eth0 in sw"},
		{"to itself, with hairpin", "10.0.0.1", true, true, false, ""},
		{"to itself, routed", "10.0.0.1", false, false, false, ""},
		{"to another port", "10.0.0.2", true, false, false, ""},
	} {
		s := switched()
		a, b, sw := s.Namespace("a"), s.Namespace("b"), s.Namespace("sw")
		bridge := sw.Link("br0")
		sw.Rules, bridge.Bridge.VLANFiltering = defaultRules(), false
		router := netip.MustParseAddr("10.0.0.9")
		give(sw, bridge, netip.PrefixFrom(router, 24))
		sysctl := map[bool]string{true: "1", false: "0"}[c.calls && !c.option]
		bridge.Bridge.NFCallIPTables = c.calls && c.option
		sw.Sysctls = []state.Sysctl{{Key: "net.ipv4.ip_forward", Value: "1"},
			{Key: "net.ipv4.conf.br0.forwarding", Value: "1"},
			{Key: "net.bridge.bridge-nf-call-iptables", Value: sysctl}}
		port := sw.Link(a.Link("eth0").Peer.Name)
		port.Port = &state.Port{State: "forwarding", Hairpin: c.hairpin}
		sw.Filters = []state.FilterTable{{Family: "ip", Name: "nat", Chains: []state.FilterChain{
			{Name: "pre", Type: "nat", Hook: "prerouting", Priority: -100, Rules: []state.FilterRule{
				{Verdict: "dnat", Addr: netip.MustParseAddr(c.to), Text: "dnat to " + c.to}}},
			{Name: "post", Type: "nat", Hook: "postrouting", Priority: 100,
				Rules: []state.FilterRule{{Verdict: "masquerade"}}}}}}
		a.Routes = append(a.Routes, state.Route{Family: 4, Type: "unicast", To: netip.PrefixFrom(service, 32),
			Table: state.TableMain, Nexthops: []state.Nexthop{{Via: router, Dev: "eth0"}}})
		for _, n := range []*state.Namespace{a, b} {
			n.Listeners = []state.Listener{{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 80}}
		}
		r, got := Diagnose(s, Query{From: "a", To: service, Port: 80}), ""
		if r.Cause != nil {
			got = r.Cause.Name.String() + " " + r.Cause.Place()
		}
		want := strings.Replace(c.want, "eth0", port.Name, 1)
		if got != want {
			t.Errorf("%s: %q, want %q; path %v", c.what, got, want, r.Path)
		}
	}
}
