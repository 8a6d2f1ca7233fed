package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/state"
)

// withoutRoutes removes routes from a namespace.
func withoutRoutes(n *state.Namespace, gone func(r state.Route) bool) {
	n.Routes = slices.DeleteFunc(n.Routes, gone)
}

func localOf(family int) func(r state.Route) bool {
	return func(r state.Route) bool { return r.Table == state.TableLocal && r.Family == family }
}

// TestLocalDelivery: an address is not enough for local delivery, and its lack has its own causes.
func TestLocalDelivery(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")
	main := func(n *state.Namespace, family int) { // the rule of the table main comes first
		for i := range n.Rules {
			if r := &n.Rules[i]; r.Family == family && r.Table == state.TableLocal {
				r.Priority = 40000
			}
		}
	}
	for _, c := range []struct {
		what   string
		change func(s *state.State)
		to     netip.Addr
		cause  causes.Cause
		place  string
		reply  bool
		repair string
	}{
		{"no local route of the destination", func(s *state.State) {
			withoutRoutes(s.Namespace("b"), localOf(4))
		}, four,
			causes.ConnectedRouteMissing, "eth0 in b", false,
			"ip -n b route add local 10.0.0.2 dev eth0 table local proto kernel scope host src 10.0.0.2"},
		{"the same by IPv6", func(s *state.State) { withoutRoutes(s.Namespace("b"), localOf(6)) }, six,
			causes.ConnectedRouteMissing, "eth0 in b", false,
			"ip -n b -6 route add local fd00::2 dev eth0 table local proto kernel metric 0"},
		{"no local route of the sender", func(s *state.State) { withoutRoutes(s.Namespace("a"), localOf(4)) }, four,
			causes.ConnectedRouteMissing, "eth0 in a", true,
			"ip -n a route add local 10.0.0.1 dev eth0 table local proto kernel scope host src 10.0.0.1"},
		{"no local route, asked of itself", func(s *state.State) {
			withoutRoutes(s.Namespace("a"), localOf(4))
		}, netip.MustParseAddr("10.0.0.1"),
			causes.ConnectedRouteMissing, "eth0 in a", false,
			"ip -n a route add local 10.0.0.1 dev eth0 table local proto kernel scope host src 10.0.0.1"},
		{"no route at all at the destination", func(s *state.State) { s.Namespace("b").Routes = nil }, four,
			causes.ConnectedRouteMissing, "eth0 in b", false,
			"ip -n b route add local 10.0.0.2 dev eth0 table local proto kernel scope host src 10.0.0.2"},
		{"main before local", func(s *state.State) {
			main(s.Namespace("b"), 4)
		}, four, causes.RuleDiverts, "b", false, "ip -n b rule add priority 0 lookup local"},
		{"main before local by IPv6", func(s *state.State) {
			main(s.Namespace("b"), 6)
		}, six, causes.RuleDiverts, "b", false, "ip -n b -6 rule add priority 0 lookup local"},
		{"local for some sources alone", func(s *state.State) {
			r := slices.IndexFunc(s.Namespace("b").Rules, func(r state.Rule) bool {
				return r.Family == 4 && r.Table == state.TableLocal
			})
			s.Namespace("b").Rules[r].From = netip.MustParsePrefix("192.168.0.0/16")
		}, four, causes.RuleDiverts, "b", false, "ip -n b rule add priority 1 lookup local"},
		{"a refusal in the sender's table local", func(s *state.State) {
			a := s.Namespace("a")
			a.Routes = append(a.Routes, state.Route{Family: 4, Type: "blackhole", To: netip.PrefixFrom(four, 32),
				Table: state.TableLocal})
		}, four, causes.RouteBlackhole, "a", false, "ip -n a route del blackhole 10.0.0.2 table local"},
		{"an IPv6 rule that was deleted, and no other added", func(s *state.State) {
			b := s.Namespace("b")
			b.Rules = slices.DeleteFunc(b.Rules, func(r state.Rule) bool {
				return r.Family == 6 && r.Table == state.TableLocal
			})
		}, six, 0, "", false, ""},
	} {
		s := Cabled()
		c.change(s)
		r := Diagnose(s, Query{From: "a", To: c.to})
		if c.cause == 0 {
			if r.Outcome() != Unsure || !strings.Contains(r.Doubts[0], "an IPv6 rule of a new namespace was deleted") {
				t.Errorf("%s: %s, %q", c.what, r.Sentence(), r.Doubts)
			}
			continue
		}
		if r.Cause == nil || r.Cause.Name != c.cause || r.Cause.Place() != c.place || r.Cause.Reply != c.reply ||
			len(r.Cause.Repair) == 0 || r.Cause.Repair[0] != c.repair {
			t.Errorf("%s: %+v", c.what, r.Cause)
		}
	}
}

// TestAnyIP: by a route of the type local for a prefix, a namespace delivers, and answers for, addresses that no link
// has.
func TestAnyIP(t *testing.T) {
	any := state.Route{Family: 4, Type: "local", To: netip.MustParsePrefix("10.0.0.64/26"), Table: state.TableLocal,
		Nexthops: []state.Nexthop{{Dev: "lo"}}}
	s := Cabled()
	s.Namespace("b").Routes = append(s.Namespace("b").Routes, any)
	if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.65")}); r.Outcome() != Sound ||
		r.Path[1].Netns != "b" {
		t.Errorf("%s, path %v", r.Sentence(), r.Path)
	}
	if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.3")}); r.Cause == nil ||
		r.Cause.Name != causes.AddressNowhere {
		t.Errorf("beside the prefix: %s", r.Sentence())
	}
	// If the prefix covers the sender too, its requests are martian: a source address of the type local.
	s = Cabled()
	b := s.Namespace("b")
	any.To = netip.MustParsePrefix("10.0.0.0/24")
	b.Routes = append(b.Routes, any)
	beside := Query{From: "a", To: netip.MustParseAddr("10.0.0.65")}
	if r := Diagnose(s, beside); r.Cause == nil || r.Cause.Name != causes.AddressNowhere {
		t.Errorf("the sender in the prefix: %s", r.Sentence())
	}
	b.Sysctls = append(b.Sysctls, state.Sysctl{Key: "net.ipv4.conf.all.accept_local", Value: "1"})
	if r := Diagnose(s, beside); len(r.Path) < 2 || r.Path[1].Netns != "b" {
		t.Errorf("the sender in the prefix, and accept_local: %s, path %v", r.Sentence(), r.Path)
	}
}

// TestLocalInDoubt: another route of the table local for a namespace's own address is a doubt, not a cause elsewhere.
func TestLocalInDoubt(t *testing.T) {
	s := Cabled()
	b := s.Namespace("b")
	for i := range b.Routes {
		if r := &b.Routes[i]; localOf(4)(*r) && r.To.Addr() == netip.MustParseAddr("10.0.0.2") {
			r.Type = "unicast"
		}
	}
	r := Diagnose(s, farEnd)
	if r.Outcome() != Unsure ||
		!strings.Contains(r.Doubts[0],
			"b: its own address 10.0.0.2 has a route in the table local that is not of the type local") {
		t.Errorf("%s", r.Sentence())
	}

	s = Cabled()
	b = s.Namespace("b")
	withoutRoutes(b, localOf(4))
	b.Links = append(b.Links, state.Link{Index: 9, Name: "red", Kind: "vrf", Up: true, VRFTable: 77})
	b.Link("eth0").Master = "red"
	r = Diagnose(s, farEnd)
	if r.Outcome() != Unsure || !strings.Contains(strings.Join(r.Doubts, "\n"), "in the VRF red") {
		t.Errorf("in a VRF: %s", r.Sentence())
	}
}

// TestSourceOfTypeLocal: a receiver that has the sender's network in its table local may drop the packet as martian.
func TestSourceOfTypeLocal(t *testing.T) {
	s := Cabled()
	b := s.Namespace("b")
	b.Routes = append(b.Routes, state.Route{Family: 4, Type: "local", To: netip.MustParsePrefix("10.0.0.0/24"),
		Table: state.TableLocal, Nexthops: []state.Nexthop{{Dev: "lo"}}})
	r := Diagnose(s, farEnd)
	if r.Outcome() != Unsure || !strings.Contains(r.Doubts[0], "b takes the source 10.0.0.1 for its own address") {
		t.Errorf("%s, %q", r.Sentence(), r.Doubts)
	}
}

// TestMisled: a permanent neighbour entry sends the packet to a namespace without the address. The cause is neither a
// wrong gateway nor forwarding.
func TestMisled(t *testing.T) {
	nobody := netip.MustParseAddr("10.0.0.9")
	for _, to := range []string{"10.0.0.9", "10.5.0.9"} {
		s := Cabled()
		a, b := s.Namespace("a"), s.Namespace("b")
		a.Neighbours = []state.Neighbour{{Addr: nobody, Dev: "eth0", MAC: b.Link("eth0").MAC, State: "permanent"}}
		a.Routes = append(a.Routes, state.Route{
			Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"), Table: state.TableMain,
			Nexthops: []state.Nexthop{{Dev: "eth0", Via: nobody}},
		})
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr(to)})
		if r.Cause == nil || r.Cause.Name != causes.NeighbourWrong || r.Cause.Place() != "eth0 in a" ||
			r.Cause.Repair[0] != "ip -n a neigh del 10.0.0.9 dev eth0" {
			t.Errorf("%s: %+v", to, r.Cause)
		}
	}
}

// TestLinkLocalComesAlone: with IPv6 the kernel gives a link its link-local address by itself, and refuses it then.
func TestLinkLocalComesAlone(t *testing.T) {
	own := state.LinkLocal("02:00:00:00:00:01")
	for value, want := range map[string][]string{
		"0": {"ip -n n addr add " + own.String() + "/64 dev eth0 nodad"},
		"1": {"ip netns exec n sysctl -w net.ipv6.conf.eth0.disable_ipv6=0"},
	} {
		n := &state.Namespace{Name: "n", Links: []state.Link{{Name: "eth0", Up: true, MTU: 1500,
			MAC: "02:00:00:00:00:01"}}, Sysctls: []state.Sysctl{{Key: "net.ipv6.conf.eth0.disable_ipv6", Value: value}}}
		c := new(finding.Cause).AddAddress(facts.At(n, &n.Links[0]), netip.PrefixFrom(own, 64))
		if !slices.Equal(c.Repair, want) {
			t.Errorf("disable_ipv6 %s: %q, want %q", value, c.Repair, want)
		}
		s := finding.After(&state.State{Namespaces: []state.Namespace{*n}}, c.Changes)
		if !facts.Holds(&s.Namespaces[0].Links[0], own) {
			t.Errorf("disable_ipv6 %s: the link does not have its address then", value)
		}
	}
}

// TestAddressOfALinkThatIsDown: the kernel gives a link that is down its route to itself, but none to its network.
func TestAddressOfALinkThatIsDown(t *testing.T) {
	n := &state.Namespace{Name: "n", Links: []state.Link{{Name: "eth0"}}}
	c := new(finding.Cause).AddAddress(facts.At(n, &n.Links[0]), netip.MustParsePrefix("10.0.0.1/24")).SetUp(facts.At(n,
		&n.Links[0]))
	for done, want := range []string{"", "local", "local unicast"} {
		var types []string
		for _, r := range finding.After(&state.State{Namespaces: []state.Namespace{*n}},
			c.Changes[:done]).Namespaces[0].Routes {
			types = append(types, r.Type)
		}
		if got := strings.Join(types, " "); got != want {
			t.Errorf("after %d commands there are the routes %q, want %q", done, got, want)
		}
	}
}
