package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// forked is routed with a second router r2, and a target 10.9.0.1 on the loopback of b: a sends by both routers, and b
// replies by both.
func forked() *state.State {
	s := routed()
	r2 := state.Namespace{Name: "r2", Links: []state.Link{loopback()}, Rules: defaultRules(),
		Sysctls: slices.Clone(s.Namespace("r").Sysctls)}
	for i, name := range []string{"a", "b"} {
		host, far, near := s.Namespace(name), netip.AddrFrom4([4]byte{10, byte(i + 3), 0, 1}),
			netip.AddrFrom4([4]byte{10, byte(i + 3), 0, 254})
		l := state.Link{Index: 3, Name: "eth1", Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:02:0" + name, Peer: &state.LinkRef{Netns: "r2", Name: "to-" + name}}
		give(host, &l, netip.PrefixFrom(far, 24))
		host.Links = append(host.Links, l)
		l = state.Link{Index: 2 + i, Name: "to-" + name, Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			MAC: "02:00:00:00:03:0" + name, Peer: &state.LinkRef{Netns: name, Name: "eth1"}}
		give(&r2, &l, netip.PrefixFrom(near, 24))
		r2.Links = append(r2.Links, l)
		byDefault := slices.IndexFunc(host.Routes, func(r state.Route) bool { return r.To.Bits() == 0 })
		host.Routes[byDefault].Nexthops = append(host.Routes[byDefault].Nexthops, state.Nexthop{Via: near, Dev: "eth1"})
	}
	by := func(n *state.Namespace, to, via, dev string) {
		n.Routes = append(n.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix(to),
			Table: state.TableMain, Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: dev}}})
	}
	give(s.Namespace("b"), &s.Namespace("b").Links[0], netip.MustParsePrefix("10.9.0.1/32"))
	s.Namespaces = append(s.Namespaces, r2)
	r := s.Namespace("r")
	by(r, "10.9.0.0/16", "10.2.0.1", "to-b")
	by(r, "10.3.0.0/24", "10.1.0.1", "to-a")
	by(s.Namespace("r2"), "10.9.0.0/16", "10.4.0.1", "to-b")
	by(s.Namespace("r2"), "10.1.0.0/24", "10.3.0.1", "to-a")
	return s
}

// TestEveryWay: a packet is walked by each nexthop of a route with several, there and back.
func TestEveryWay(t *testing.T) {
	closed := func(n *state.Namespace) {
		for i := range n.Sysctls {
			n.Sysctls[i].Value = "0"
		}
	}
	for _, c := range []struct {
		what   string
		query  Query
		change func(s *state.State)
		want   string // the cause and its place
		says   string // the flows it stops; "" for all
		doubt  string
	}{
		{"all get there and back", Query{}, func(*state.State) {}, "", "", ""},
		{"both are closed", Query{}, func(s *state.State) {
			closed(s.Namespace("r"))
			closed(s.Namespace("r2"))
		}, "forwarding-off r", "", ""},
		{"the second one is closed", Query{}, func(s *state.State) {
			closed(s.Namespace("r2"))
		}, "forwarding-off r2", "those whose answers b sends to 10.4.0.254", ""},
		{"the first one is closed", Query{}, func(s *state.State) {
			closed(s.Namespace("r"))
		}, "forwarding-off r", "those that a sends to 10.1.0.254", ""},
		{"the second one is dead", Query{}, func(s *state.State) {
			closed(s.Namespace("r2"))
			for _, n := range []string{"a", "b"} {
				for _, r := range s.Namespace(n).Routes {
					if len(r.Nexthops) > 1 {
						r.Nexthops[1].Flags = []string{"dead", "linkdown"}
					}
				}
			}
		}, "", "", ""},
		{"there by one and back by the other", Query{}, func(s *state.State) {
			s.Namespace("r2").Filters = []state.FilterTable{chainIn("ip", "forward", "filter", 0, "accept",
				when("ct state", "invalid", "drop"))}
		}, "filter-forward r2", "those that a sends to 10.1.0.254 and whose answers b sends to 10.4.0.254", ""},
		{"the source decides", Query{Source: netip.MustParseAddr("10.1.0.1")}, func(s *state.State) {
			s.Namespace("r2").Routes = slices.DeleteFunc(s.Namespace("r2").Routes, func(r state.Route) bool {
				return r.To.Addr() == netip.MustParseAddr("10.9.0.0")
			})
		}, "", "", "before Linux 6.16 some flows may be lost, those that a sends to 10.3.0.254: no-route, r2"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := forked()
			c.change(s)
			c.query.From, c.query.To = "a", netip.MustParseAddr("10.9.0.1")
			r := Diagnose(s, c.query)
			got, says := "", ""
			if r.Cause != nil {
				got = r.Cause.Name.String() + " " + r.Cause.Place()
				_, says, _ = strings.Cut(r.Cause.Says, "only some flows, ")
			}
			if got != c.want || says != c.says || r.Cause != nil && r.Cause.Part != (c.says != "") ||
				strings.Join(r.Doubts, "\n") != c.doubt {
				t.Errorf("cause %q, want %q; stops %q, want %q; doubts %q, want %q", got, c.want, says, c.says,
					r.Doubts, c.doubt)
			}
		})
	}
}

// TestTooManyWays: paths that are not followed are a doubt.
func TestTooManyWays(t *testing.T) {
	s := forked()
	for _, n := range []string{"a", "b"} {
		for i := range s.Namespace(n).Routes {
			r := &s.Namespace(n).Routes[i]
			for len(r.Nexthops) > 1 && len(r.Nexthops) < 9 {
				r.Nexthops = append(r.Nexthops, r.Nexthops[1])
			}
		}
	}
	if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.9.0.1")}); r.Cause != nil || len(r.Doubts) != 1 ||
		!strings.Contains(r.Doubts[0], "more than the 64 paths") {
		t.Errorf("cause %v, doubts %q", r.Cause, r.Doubts)
	}
}
