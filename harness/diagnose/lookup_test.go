package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/state"
)

func TestLookup(t *testing.T) {
	rule := func(priority uint32, action string, table, target uint32) state.Rule {
		return state.Rule{Family: 4, Priority: priority, Action: action, Table: table, Goto: target}
	}
	l3mdev := state.Rule{Family: 4, Priority: 10, Action: "lookup", L3MDev: true}
	route := func(table uint32, dev string) state.Route {
		return state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.9.0.0/16"), Table: table,
			Nexthops: []state.Nexthop{{Dev: dev}}}
	}
	group := uint32(0) // that of all links here
	suppressed := rule(2, "lookup", state.TableMain, 0)
	suppressed.SuppressIfGroup = &group
	object := route(state.TableMain, "")
	object.Nexthops, object.NexthopID = nil, 7
	object.To = netip.MustParsePrefix("10.9.0.0/24")
	for _, c := range []struct {
		what     string
		rules    []state.Rule
		extra    []state.Route
		iif, oif string
		want     string // the link, "unknown" or "" for no route
	}{
		{"goto passes over a rule", []state.Rule{rule(1, "goto", 0, 3), rule(2, "lookup", 50, 0),
			rule(3, "lookup", state.TableMain, 0)}, nil, "", "", "eth0"},
		{"goto without a target", []state.Rule{rule(1, "goto", 0, 9), rule(2, "lookup", 50, 0)}, nil, "", "", "eth1"},
		{"l3mdev for a link of the VRF", []state.Rule{l3mdev, rule(20, "lookup", state.TableMain, 0)}, nil, "red1", "",
			"red2"},
		{"l3mdev out of the VRF", []state.Rule{l3mdev, rule(20, "lookup", state.TableMain, 0)}, nil, "", "red", "red2"},
		{"l3mdev for another link", []state.Rule{l3mdev, rule(20, "lookup", state.TableMain, 0)}, nil, "eth1", "",
			"eth0"},
		{"a route over a link of a suppressed group", []state.Rule{suppressed, rule(3, "lookup", 50, 0)}, nil, "", "",
			"eth1"},
		{"a nexthop object wins", []state.Rule{rule(20, "lookup", state.TableMain, 0)}, []state.Route{object}, "", "",
			"unknown"},
	} {
		t.Run(c.what, func(t *testing.T) {
			n := &state.Namespace{Name: "n", Rules: c.rules,
				Routes: append(c.extra, route(state.TableMain, "eth0"), route(50, "eth1"), route(77, "red2"))}
			n.Links = []state.Link{{Name: "eth0", Up: true}, {Name: "eth1", Up: true},
				{Name: "red", Kind: "vrf", VRFTable: 77, Up: true},
				{Name: "red1", Master: "red", Up: true}, {Name: "red2", Master: "red", Up: true}}
			d := routing.Lookup(n, routing.Flow{Dst: netip.MustParseAddr("10.9.0.1"), Iif: c.iif, Oif: c.oif})
			got := ""
			switch {
			case d.Unknown:
				got = "unknown"
			case d.Hop != nil:
				got = d.Hop.Dev
			}
			if got != c.want || d.Found() == (got == "unknown") {
				t.Errorf("out of %q, want %q", got, c.want)
			}
		})
	}
}

// TestHalfKnownPackets: the state tells neither the mark of a packet nor its sending user; its ports are known.
func TestHalfKnownPackets(t *testing.T) {
	elsewhere := state.Route{Family: 4, Type: "unreachable", To: netip.MustParsePrefix("0.0.0.0/0"), Table: 100}
	sets := chainIn("ip", "output", "route", -150, "accept", state.FilterRule{Text: "[meta]", Opaque: true})
	for _, c := range []struct {
		what    string
		netns   string
		rule    state.Rule
		filters []state.FilterTable
		doubt   bool
		cause   string
	}{
		{"a mark that nothing sets", "a", state.Rule{Mark: 1}, nil, false, ""},
		{"a mark that may be set", "a", state.Rule{Mark: 1}, []state.FilterTable{sets}, true, ""},
		{"all without a mark", "a", state.Rule{Mark: 1, Not: true}, nil, false, "rule-diverts"},
		{"the sender", "a", state.Rule{UIDRange: "1000-1000"}, nil, true, ""},
		{"the port of the service", "b", state.Rule{IPProto: "tcp", SPort: "80"}, nil, false, "rule-diverts"},
		{"another port", "b", state.Rule{IPProto: "tcp", SPort: "81"}, nil, false, ""},
	} {
		s := Cabled()
		n := s.Namespace(c.netns)
		c.rule.Family, c.rule.Priority, c.rule.Action, c.rule.Table = 4, 10, "lookup", elsewhere.Table
		n.Rules, n.Routes, n.Filters = append(n.Rules, c.rule), append(n.Routes, elsewhere), c.filters
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Port: 80})
		name := ""
		if r.Cause != nil {
			name = r.Cause.Name.String()
		}
		if name != c.cause || len(r.Doubts) > 0 != c.doubt {
			t.Errorf("%s: cause %q, want %q; doubts %q", c.what, name, c.cause, r.Doubts)
		}
	}
}

// TestTheRuleIsDeleted: the right rule, not another one with the same priority.
func TestTheRuleIsDeleted(t *testing.T) {
	to := netip.MustParsePrefix("10.0.0.2/32")
	for _, c := range []struct {
		other uint32
		want  string
	}{{9, "ip -n a rule del priority 10"}, {10, "ip -n a rule del priority 10 from all to 10.0.0.2 unreachable"}} {
		s := Cabled()
		a := s.Namespace("a")
		a.Rules = append(a.Rules, state.Rule{Family: 4, Priority: c.other, To: netip.MustParsePrefix("10.9.0.0/16"),
			Action: "prohibit"},
			state.Rule{Family: 4, Priority: 10, To: to, Action: "unreachable"})
		r := Diagnose(s, Query{From: "a", To: to.Addr()})
		if r.Cause == nil || !slices.Equal(r.Cause.Repair, []string{c.want}) {
			t.Errorf("%+v, want %s", r.Cause, c.want)
		}
	}
}

// TestHalfKnownRoutes: an unknown part of a route is a doubt, not a cause.
func TestHalfKnownRoutes(t *testing.T) {
	far := netip.MustParseAddr("10.0.0.2")
	for _, c := range []struct {
		what  string
		route state.Route
		doubt string
	}{
		{"nexthop object", state.Route{NexthopID: 7}, "nexthop object 7"},
		{"tunnel", state.Route{Nexthops: []state.Nexthop{{Dev: "eth0", Encap: "ip id 5 dst 10.0.0.9"}}},
			"the route to 10.0.0.2 wraps the packets (encap ip id 5 dst 10.0.0.9): where they go then is not known here"},
		{"broadcast", state.Route{Type: "broadcast", Nexthops: []state.Nexthop{{Dev: "eth0"}}}, "broadcast address"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := switched()
			c.route.Family, c.route.Type, c.route.Table, c.route.To = 4, cmp.Or(c.route.Type, "unicast"),
				state.TableMain, netip.PrefixFrom(far, 32)
			s.Namespace("a").Routes = append(s.Namespace("a").Routes, c.route)
			r := Diagnose(s, Query{From: "a", To: far})
			if r.Cause != nil || !strings.Contains(strings.Join(r.Doubts, "\n"), c.doubt) {
				t.Errorf("cause %v, doubts %q", r.Cause, r.Doubts)
			}
		})
	}
}

// TestARouteThatLeadsNowhere: a state file may have a route that no kernel has.
func TestARouteThatLeadsNowhere(t *testing.T) {
	s := Cabled()
	a := s.Namespace("a")
	a.Routes = []state.Route{{Family: 4, To: netip.MustParsePrefix("10.0.0.0/24"), Table: state.TableMain}}
	a.PathMTUs = []state.Route{{Family: 4, To: netip.MustParsePrefix("10.0.0.2/32"), MTU: 1000}}
	for _, size := range []int{0, 1200} {
		if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2"), Size: size}); r.Cause == nil ||
			r.Cause.Name != causes.NoRoute {
			t.Errorf("%+v", r.Cause)
		}
	}
}
