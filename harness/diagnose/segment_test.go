package diagnose

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

// TestLinksThatAreNotFollowed: behind a tunnel or a bond may be whoever is asked for, and behind a virtual machine's tap nobody that is seen.
func TestLinksThatAreNotFollowed(t *testing.T) {
	to := netip.MustParseAddr("10.8.0.2")
	for _, c := range []struct {
		kind, mode string
		doubt      bool
	}{{"gre", "", true}, {"wireguard", "", true}, {"bond", "", true}, {"tun", "", true}, {"ipvlan", "l3", true}, {"dummy", "", false}, {"", "", false}} {
		s := cabled()
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

// TestFramesOutOfSight: what a bond or a virtual machine takes is not seen.
func TestFramesOutOfSight(t *testing.T) {
	bonded, virtual := cabled(), cabled()
	b := bonded.Namespace("b")
	b.Links = append(b.Links, state.Link{Index: 3, Name: "bond0", Kind: "bond", Up: true, Carrier: true, MTU: 1500, Addresses: b.Link("eth0").Addresses})
	b.Link("eth0").Master, b.Link("eth0").Addresses = "bond0", nil
	b = virtual.Namespace("b")
	b.Links = append(b.Links, state.Link{Index: 3, Name: "tap0", Kind: "macvtap", Macvlan: "bridge", Up: true, Carrier: true, MTU: 1500, Peer: &state.LinkRef{Netns: "b", Name: "eth0"}})
	for what, c := range map[string]struct {
		s  *state.State
		to string
	}{"bond": {bonded, "10.0.0.2"}, "virtual machine": {virtual, "10.0.0.77"}} {
		if r := Diagnose(c.s, Query{From: "a", To: netip.MustParseAddr(c.to)}); r.Cause != nil || len(r.Doubts) == 0 {
			t.Errorf("%s: cause %+v, doubts %q", what, r.Cause, r.Doubts)
		}
	}
}

// TestIPvlans: those of one link hear each other and what is behind it, as macvlans in the mode bridge do.
func TestIPvlans(t *testing.T) {
	s := switched()
	for i, name := range []string{"x", "y"} {
		n := state.Namespace{Name: name, Links: []state.Link{loopback()}, Rules: defaultRules()}
		l := state.Link{Index: 2, Name: "iv0", Kind: "ipvlan", IPvlan: "l2", Up: true, Carrier: true, MTU: 1500, MAC: s.Namespace("a").Link("eth0").MAC,
			Peer: &state.LinkRef{Netns: "a", Name: "eth0"}}
		give(&n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 7)}), 24))
		n.Links = append(n.Links, l)
		s.Namespaces = append(s.Namespaces, n)
	}
	for _, pair := range [][2]string{{"x", "10.0.0.8"}, {"x", "10.0.0.2"}, {"b", "10.0.0.7"}} {
		judgeCause(t, pair[0]+" to "+pair[1], Diagnose(s, Query{From: pair[0], To: netip.MustParseAddr(pair[1])}), "", "")
	}
	judgeCause(t, "the link below", Diagnose(s, Query{From: "x", To: netip.MustParseAddr("10.0.0.1")}), "macvlan-parent", "")
}

// TestRedundantPath: of two cables between bridges one is blocked by the spanning tree, whichever is looked at first.
func TestRedundantPath(t *testing.T) {
	for _, blocked := range []string{"", "x1", "x2", "y1", "y2", "both"} {
		t.Run("blocked "+blocked, func(t *testing.T) {
			s := switched()
			sw, b := s.Namespace("sw"), s.Namespace("b")
			bridge := state.Namespace{Name: "sw2", Links: []state.Link{loopback(), {Index: 2, Name: "br0", Kind: "bridge", Up: true, Carrier: true, MTU: 1500, Bridge: &state.Bridge{}}}}
			sw.Link("br0").Bridge.VLANFiltering = false
			join := func(n *state.Namespace, index int, name, peer, there string) {
				l := state.Link{Index: index, Name: name, Kind: "veth", Up: true, Carrier: true, MTU: 1500, Master: "br0", Peer: &state.LinkRef{Netns: there, Name: peer},
					Port: &state.Port{State: "forwarding"}}
				if name == blocked || blocked == "both" && name[0] == 'x' {
					l.Port.State = "blocking"
				}
				n.Links = append(n.Links, l)
			}
			join(sw, 10, "x1", "y1", "sw2")
			join(sw, 11, "x2", "y2", "sw2")
			join(&bridge, 10, "y1", "x1", "sw")
			join(&bridge, 11, "y2", "x2", "sw")
			join(&bridge, 12, "p-b", "eth0", "b")
			sw.Link("p-b").Master, sw.Link("p-b").Name = "", "spare"
			b.Link("eth0").Peer.Netns = "sw2"
			s.Namespaces = append(s.Namespaces, bridge)
			r := Diagnose(s, Query{From: "a", To: s.Namespace("b").Link("eth0").Addresses[0].Prefix.Addr()})
			name := ""
			if r.Cause != nil {
				name = r.Cause.Name
			}
			if want := map[bool]string{true: "port-blocked"}[blocked == "both"]; name != want {
				t.Errorf("cause %q, want %q: %v", name, want, r.Cause)
			}
		})
	}
}

// TestBridgesInDoubt: of a bridge on the way, too, has everything to be known.
func TestBridgesInDoubt(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(sw *state.Namespace, mac string)
		doubt  bool
	}{
		{"unread", func(sw *state.Namespace, _ string) { sw.Unread = []string{"nftables: no permission"} }, true},
		{"filters of tc at a port", func(sw *state.Namespace, _ string) { sw.Qdiscs = []state.Qdisc{{Dev: "p-b", Kind: "clsact"}} }, true},
		{"another discipline", func(sw *state.Namespace, _ string) { sw.Qdiscs = []state.Qdisc{{Dev: "p-b", Kind: "fq"}} }, false},
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
		if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.0.0.2")}); r.Cause != nil || len(r.Doubts) > 0 != c.doubt {
			t.Errorf("%s: cause %+v, doubts %q", c.what, r.Cause, r.Doubts)
		}
	}
}
