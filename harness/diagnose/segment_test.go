package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/review"
	"netnscheck/harness/state"
)

// TestLinksThatAreNotFollowed: beyond a tunnel or a bond may be the address of the query; beyond the tap of a virtual
// machine no address of the state is.
func TestLinksThatAreNotFollowed(t *testing.T) {
	to := netip.MustParseAddr("10.8.0.2")
	for _, c := range []struct {
		kind, mode string
		doubt      bool
	}{{"gre", "", true}, {"wireguard", "", true}, {"bond", "", true}, {"tun", "", true}, {"ipvlan", "l3", true},
		{"dummy", "", false}, {"", "", false}} {
		s := Cabled()
		for i, name := range []string{"a", "b"} {
			n := s.Namespace(name)
			l := state.Link{Index: 3, Name: "x0", Kind: c.kind, IPvlan: c.mode, Up: true, Carrier: true, MTU: 1400}
			give(n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 8, 0, byte(i + 1)}), 24))
			n.Links = append(n.Links, l)
		}
		r := Diagnose(s, Query{From: "a", To: to})
		if doubt := len(r.Doubts) > 0; doubt != c.doubt || doubt == (r.Cause != nil) {
			t.Errorf("%q: cause %+v, doubts %q", c.kind, r.Cause, r.Doubts)
		}
	}
}

// TestFramesOutOfSight: frames that a bond or a virtual machine takes leave the state.
func TestFramesOutOfSight(t *testing.T) {
	bonded, virtual := Cabled(), Cabled()
	b := bonded.Namespace("b")
	b.Links = append(b.Links, state.Link{Index: 3, Name: "bond0", Kind: "bond", Up: true, Carrier: true, MTU: 1500,
		Addresses: b.Link("eth0").Addresses})
	b.Link("eth0").Master, b.Link("eth0").Addresses = "bond0", nil
	b = virtual.Namespace("b")
	b.Links = append(b.Links, state.Link{Index: 3, Name: "tap0", Kind: "macvtap", Macvlan: "bridge", Up: true,
		Carrier: true, MTU: 1500, Peer: &state.LinkRef{Netns: "b", Name: "eth0"}})
	for what, c := range map[string]struct {
		s  *state.State
		to string
	}{"bond": {bonded, "10.0.0.2"}, "virtual machine": {virtual, "10.0.0.77"}} {
		if r := Diagnose(c.s, Query{From: "a", To: netip.MustParseAddr(c.to)}); r.Cause != nil || len(r.Doubts) == 0 {
			t.Errorf("%s: cause %+v, doubts %q", what, r.Cause, r.Doubts)
		}
	}
}

// TestIPvlans: those of one parent reach each other and its segment, as macvlans in the mode bridge do.
func TestIPvlans(t *testing.T) {
	s := switched()
	for i, name := range []string{"x", "y"} {
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules()}
		l := state.Link{Index: 2, Name: "iv0", Kind: "ipvlan", IPvlan: "l2", Up: true, Carrier: true, MTU: 1500,
			MAC:  s.Namespace("a").Link("eth0").MAC,
			Peer: &state.LinkRef{Netns: "a", Name: "eth0"}}
		give(&n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 7)}), 24))
		n.Links = append(n.Links, l)
		s.Namespaces = append(s.Namespaces, n)
	}
	for _, pair := range [][2]string{{"x", "10.0.0.8"}, {"x", "10.0.0.2"}, {"b", "10.0.0.7"}} {
		judgeCause(t, pair[0]+" to "+pair[1], Diagnose(s, Query{From: pair[0], To: netip.MustParseAddr(pair[1])}), "",
			"")
	}
	judgeCause(t, "the link below", Diagnose(s, Query{From: "x", To: netip.MustParseAddr("10.0.0.1")}),
		"macvlan-parent", "")
}

// doubled is two switches with a host on each, a on sw and b on sw2, and two cables between them: x1 and x2 on sw, y1
// and y2 on sw2.
func doubled() *state.State {
	s := switched()
	sw, b := s.Namespace("sw"), s.Namespace("b")
	bridge := state.Namespace{Name: "sw2",
		Links: []state.Link{loopback(), {Index: 2, Name: "br0", Kind: "bridge", Up: true, Carrier: true, MTU: 1500,
			Bridge: &state.Bridge{}}}}
	sw.Link("br0").Bridge.VLANFiltering = false
	join := func(n *state.Namespace, index int, name, peer, there string) {
		n.Links = append(n.Links, state.Link{Index: index, Name: name, Kind: "veth", Up: true, Carrier: true, MTU: 1500,
			Master: "br0", Peer: &state.LinkRef{Netns: there, Name: peer},
			Port: &state.Port{State: "forwarding"}})
	}
	join(sw, 10, "x1", "y1", "sw2")
	join(sw, 11, "x2", "y2", "sw2")
	join(&bridge, 10, "y1", "x1", "sw")
	join(&bridge, 11, "y2", "x2", "sw")
	join(&bridge, 12, "p-b", "eth0", "b")
	sw.Link("p-b").Master, sw.Link("p-b").Name = "", "spare"
	b.Link("eth0").Peer.Netns = "sw2"
	s.Namespaces = append(s.Namespaces, bridge)
	return s
}

// TestRedundantPath: of two cables between bridges spanning tree blocks one, whichever is searched first.
func TestRedundantPath(t *testing.T) {
	for _, blocked := range []string{"", "x1", "x2", "y1", "y2", "both"} {
		t.Run("blocked "+blocked, func(t *testing.T) {
			s := doubled()
			for _, netns := range []string{"sw", "sw2"} {
				for i := range s.Namespace(netns).Links {
					l := &s.Namespace(netns).Links[i]
					if l.Name == blocked || blocked == "both" && l.Name[0] == 'x' {
						l.Port.State = "blocking"
					}
				}
			}
			r := Diagnose(s, Query{From: "a", To: s.Namespace("b").Link("eth0").Addresses[0].Prefix.Addr()})
			name := ""
			if r.Cause != nil {
				name = r.Cause.Name.String()
			}
			if want := map[bool]string{true: "port-blocked"}[blocked == "both"]; name != want {
				t.Errorf("cause %q, want %q: %v", name, want, r.Cause)
			}
		})
	}
}

// TestPortsThatDoNotForward: the repair of a port that does not forward depends on what set its state, and closes no
// ring.
func TestPortsThatDoNotForward(t *testing.T) {
	for _, c := range []struct {
		what   string
		stp    int
		state  string
		ports  []string // of sw
		passes bool
		review bool // it is reported by a review
		repair []string
	}{
		{"a port that listens", 1, "listening", []string{"p-a"}, true, true,
			[]string{"wait: spanning tree lets the port forward after listening and learning, 4.5 s after it " +
				"came up"}},
		{"a port that learns in a ring", 1, "learning", []string{"x1", "x2"}, true, true,
			[]string{"wait: spanning tree lets the port forward after listening and learning, 4.5 s after it " +
				"came up"}},
		{"ports that are spares", 1, "blocking", []string{"x1", "x2"}, false, false,
			[]string{"fix the other path, for which spanning tree keeps this port as a spare; it opens the port " +
				"24.5 s after it has lost that path"}},
		{"a port that spanning tree has not got", 1, "disabled", []string{"p-a"}, false, true,
			[]string{"ip -n sw link set p-a down", "ip -n sw link set p-a up"}},
		{"a port that has just got its carrier", 1, "disabled as yet", []string{"p-a"}, true, true,
			[]string{"wait: the bridge enables the port as soon as the kernel reports the carrier"}},
		{"set by hand", 0, "listening", []string{"p-a"}, false, true,
			[]string{"ip netns exec sw bridge link set dev p-a state 3"}},
		{"disabled by hand", 0, "disabled", []string{"p-a"}, false, true,
			[]string{"ip netns exec sw bridge link set dev p-a state 3"}},
		{"a ring opened by hand", 0, "disabled", []string{"x1", "x2"}, false, true,
			[]string{"ip -n sw link set br0 type bridge stp_state 1", "ip -n sw link set x1 down",
				"ip -n sw link set x1 up"}},
	} {
		s := doubled()
		sw := s.Namespace("sw")
		*sw.Link("br0").Bridge = state.Bridge{STP: c.stp, ForwardDelay: 225, MaxAge: 2000}
		for _, name := range c.ports {
			sw.Link(name).Port.State, _, _ = strings.Cut(c.state, " ")
			if c.state == "disabled as yet" {
				sw.Link(name).OperState = "down"
			}
		}
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
		if r.Cause == nil || r.Cause.Name != causes.PortBlocked || r.Cause.Link != c.ports[0] ||
			r.Cause.Passes != c.passes || !slices.Equal(slices.Concat(r.Cause.Repair, r.Cause.Advice), c.repair) {
			t.Errorf("%s: %s", c.what, told(r))
		}
		found := slices.DeleteFunc(review.Of(chartOfState(s)), func(found finding.Cause) bool {
			return found.Name != causes.PortBlocked || found.Passes != c.passes
		})
		if want := map[bool]int{true: len(c.ports)}[c.review]; len(found) != want {
			t.Errorf("%s: the review has %d, want %d: %v", c.what, len(found), want, found)
		}
	}
}

// TestBridgesInDoubt: unread parts of a bridge on the path are doubts too.
func TestBridgesInDoubt(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(sw *state.Namespace, mac string)
		doubt  bool
	}{
		{"unread", func(sw *state.Namespace, _ string) { sw.Unread = []string{"nftables: no permission"} }, true},
		{"filters of tc at a port", func(sw *state.Namespace, _ string) {
			sw.TCFilters = []state.TCFilter{{Dev: "p-b", Hook: "egress", Kind: "matchall"}}
		}, true},
		{"filters of tc at another port", func(sw *state.Namespace, _ string) {
			sw.TCFilters = []state.TCFilter{{Dev: "p-c", Hook: "egress", Kind: "matchall"}}
		}, false},
		{"a discipline for filters that has none", func(sw *state.Namespace, _ string) {
			sw.Qdiscs = []state.Qdisc{{Dev: "p-b", Kind: "clsact"}}
		}, false},
		{"another discipline", func(sw *state.Namespace, _ string) {
			sw.Qdiscs = []state.Qdisc{{Dev: "p-b", Kind: "fq"}}
		}, false},
		{"an entry for another port", func(sw *state.Namespace, mac string) {
			sw.FDB = []state.FDBEntry{{MAC: mac, Dev: "p-a", Master: "br0"}}
		}, true},
		{"an entry for the port", func(sw *state.Namespace, mac string) {
			sw.FDB = []state.FDBEntry{{MAC: mac, Dev: "p-b", Master: "br0"}}
		}, false},
		{"what was learned", func(sw *state.Namespace, mac string) {
			sw.FDB = []state.FDBEntry{{MAC: mac, Dev: "p-a", Master: "br0", Learned: true}}
		}, false},
	} {
		s := switched()
		c.change(s.Namespace("sw"), s.Namespace("b").Link("eth0").MAC)
		if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}); r.Cause != nil ||
			len(r.Doubts) > 0 != c.doubt {
			t.Errorf("%s: cause %+v, doubts %q", c.what, r.Cause, r.Doubts)
		}
	}
}

// TestBridgeCallsFilters: bridged packets pass the filters of IP if the namespace or the bridge itself says so, and
// br_netfilter, which has the setting, is loaded.
func TestBridgeCallsFilters(t *testing.T) {
	for _, c := range []struct {
		setting string // "" without br_netfilter
		own     bool
		proof   string // "" if nothing is filtered
	}{
		{"0", false, ""},
		{"", true, ""},
		{"1", false, "ip netns exec sw sysctl net.bridge.bridge-nf-call-iptables: 1"},
		{"0", true, "ip -n sw -d link show dev br0: nf_call_iptables 1"},
	} {
		s := switched()
		sw := s.Namespace("sw")
		sw.Link("br0").Bridge.VLANFiltering, sw.Link("br0").Bridge.NFCallIPTables = false, c.own
		if c.setting != "" {
			sw.Sysctls = []state.Sysctl{{Key: "net.bridge.bridge-nf-call-iptables", Value: c.setting}}
		}
		sw.Filters = []state.FilterTable{{Family: "ip", Name: "filter", Chains: []state.FilterChain{{Name: "FORWARD",
			Type: "filter", Hook: "forward", Policy: "drop"}}}}
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")})
		switch {
		case c.proof == "" && r.Cause != nil:
			t.Errorf("%q, %v: %+v", c.setting, c.own, *r.Cause)
		case c.proof != "" && (r.Cause == nil || r.Cause.Name != causes.FilterForward ||
			!slices.Contains(r.Cause.Evidence, c.proof)):
			t.Errorf("%q, %v: %+v", c.setting, c.own, r.Cause)
		}
	}
}
