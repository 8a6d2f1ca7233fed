package diagnose

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// tunnelled is two hosts on a cable with a VXLAN tunnel between them, over which they have addresses.
func tunnelled() *state.State {
	s := Cabled()
	for i, name := range []string{"a", "b"} {
		n := s.Namespace(name)
		l := state.Link{Index: 3, Name: "vx0", Kind: "vxlan", Up: true, Carrier: true, MTU: 1450,
			MAC: "02:00:00:00:01:0" + name,
			VXLAN: &state.VXLAN{ID: 42, DstPort: 4789, Dev: "eth0", Local: n.Link("eth0").Addresses[0].Prefix.Addr(),
				Remote: netip.AddrFrom4([4]byte{10, 0, 0, byte(2 - i)})}}
		give(n, &l, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 8, 0, byte(i + 1)}), 24))
		n.Links = append(n.Links, l)
	}
	return s
}

// ends changes both ends of the tunnel.
func ends(s *state.State, change func(n *state.Namespace, v *state.VXLAN, far *state.Link)) {
	for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}} {
		n := s.Namespace(pair[0])
		change(n, n.Link("vx0").VXLAN, s.Namespace(pair[1]).Link("vx0"))
	}
}

func TestTunnels(t *testing.T) {
	to := netip.MustParseAddr("10.8.0.2")
	group := func(n *state.Namespace, v *state.VXLAN, _ *state.Link) {
		v.Remote, v.Local = netip.MustParseAddr("239.1.1.1"), netip.Addr{}
	}
	// told is the work of a daemon that knows all ends: permanent entries (bridge fdb, ip neigh), and no flooding.
	told := func(n *state.Namespace, v *state.VXLAN, far *state.Link) {
		n.FDB = []state.FDBEntry{{MAC: far.MAC, Dev: "vx0", Dst: v.Remote}}
		n.Neighbours = []state.Neighbour{{Addr: far.Addresses[0].Prefix.Addr(), Dev: "vx0", MAC: far.MAC,
			State: "permanent"}}
		v.Remote = netip.Addr{}
	}
	second := func(s *state.State, id, port int) {
		b := s.Namespace("b")
		b.Link("vx0").VXLAN.DstPort = port
		first := state.Link{Index: 9, Name: "vx9", Kind: "vxlan", Up: true, Carrier: true,
			VXLAN: &state.VXLAN{ID: id, DstPort: 4789}}
		b.Links = append([]state.Link{first}, b.Links...)
	}
	mtu := func(link string, a, b int) func(*state.State) {
		return func(s *state.State) {
			ends(s, func(n *state.Namespace, _ *state.VXLAN, _ *state.Link) { n.Link("vx0").MTU = 9000 })
			s.Namespace("a").Link(link).MTU, s.Namespace("b").Link(link).MTU = a, b
		}
	}
	for _, c := range []struct {
		what   string
		change func(s *state.State)
		q      Query
		want   string
	}{
		{"to the other end", func(*state.State) {}, Query{To: to}, ""},
		{"by a group", func(s *state.State) { ends(s, group) }, Query{To: to}, ""},
		{"by a group that the other end has not joined", func(s *state.State) {
			group(nil, s.Namespace("a").Link("vx0").VXLAN, nil)
		}, Query{To: to}, "tunnel-remote-missing"},
		{"by a group that the other end has not joined, and it does not send here", func(s *state.State) {
			group(nil, s.Namespace("a").Link("vx0").VXLAN, nil)
			s.Namespace("b").Link("vx0").VXLAN.Remote = netip.Addr{}
		}, Query{To: to}, "address-off-segment"},
		{"by a group, filtered", func(s *state.State) {
			ends(s, group)
			s.Namespace("b").Filters = []state.FilterTable{chainIn("ip", "input", "filter", 0, "accept",
				when("udp dport", "4789", "drop"))}
		}, Query{To: to}, "filter-input"},
		{"by a group, from an address that may come in", func(s *state.State) {
			ends(s, group)
			s.Namespace("b").Filters = []state.FilterTable{chainIn("ip", "input", "filter", 0, "drop",
				when("ip saddr", "10.0.0.0/24", "accept"), when("ip saddr", "10.8.0.0/24", "accept"))}
		}, Query{To: to}, ""},
		{"by a group, the link below down", func(s *state.State) {
			ends(s, group)
			s.Namespace("a").Link("eth0").Up = false
		}, Query{To: to}, "link-down"},
		{"by a group, as large as fits with the headers of the tunnel", func(s *state.State) {
			ends(s, group)
			mtu("eth0", 1500, 1500)(s)
		}, Query{To: to, Size: 1422}, ""},
		{"by a group, larger than fits with the headers of the tunnel", func(s *state.State) {
			ends(s, group)
			mtu("eth0", 1500, 1500)(s)
		}, Query{To: to, Size: 1423}, "mtu-exceeded"},
		{"by entries alone", func(s *state.State) { ends(s, told) }, Query{To: to}, ""},
		{"by entries, without the neighbour", func(s *state.State) {
			ends(s, told)
			s.Namespace("a").Neighbours = nil
		}, Query{To: to}, "tunnel-remote-missing"},
		{"TCP, where no echo is answered", func(s *state.State) {
			s.Namespace("b").Sysctls = []state.Sysctl{{Key: "net.ipv4.icmp_echo_ignore_all", Value: "1"}}
		}, Query{To: to, Port: 80}, ""},
		{"as large as fits with the headers of the tunnel", mtu("eth0", 1500, 1500), Query{To: to, Size: 1422}, ""},
		{"larger than fits with the headers of the tunnel", mtu("eth0", 1500, 1500), Query{To: to, Size: 1423},
			"mtu-exceeded"},
		{"larger than the tunnel's other end takes", mtu("eth0", 9000, 1500), Query{To: to, Size: 1472},
			"mtu-mismatch"},
		{"another tunnel, and another port", func(s *state.State) {
			second(s, 7, 8472)
		}, Query{To: to}, "tunnel-port-mismatch"},
	} {
		s := tunnelled()
		c.change(s)
		c.q.From = "a"
		judgeCause(t, c.what, Diagnose(s, c.q), c.want, "")
	}
}

// TestUnderlayInDoubt: a doubt of the underlay is a doubt of the packet.
func TestUnderlayInDoubt(t *testing.T) {
	s := tunnelled()
	s.Namespace("b").Filters = []state.FilterTable{chainIn("ip", "input", "filter", 0, "drop",
		when("udp dport", "4789", "queue"), when("ip saddr", "10.8.0.1", "accept"))}
	if r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.8.0.2")}); r.Cause != nil || len(r.Doubts) == 0 {
		t.Errorf("cause %v, doubts %q", r.Cause, r.Doubts)
	}
}

// TestUnderlayRepair: a filter in the underlay is opened for the tunnel's packets.
func TestUnderlayRepair(t *testing.T) {
	s := tunnelled()
	s.Namespace("b").Filters = []state.FilterTable{chainIn("ip", "input", "filter", 0, "drop",
		when("l4proto", "icmp", "accept"))}
	judgeCause(t, "policy", Diagnose(s, Query{From: "a", To: netip.MustParseAddr("10.8.0.2")}), "filter-input",
		"ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp dport 4789 accept")
}

// TestTunnelRepair: a remote that is nobody's address is replaced, and what a VXLAN had it has again when it is
// rebuilt.
func TestTunnelRepair(t *testing.T) {
	q := Query{From: "a", To: netip.MustParseAddr("10.8.0.2")}
	s := tunnelled()
	s.Namespace("a").Link("vx0").VXLAN.Remote = netip.MustParseAddr("10.0.0.9")
	judgeCause(t, "nobody's address", Diagnose(s, q), "tunnel-remote-missing",
		"ip -n a link set vx0 type vxlan remote 10.0.0.2")

	s = tunnelled()
	b := s.Namespace("b")
	l := b.Link("vx0")
	l.VXLAN.ID, l.MTU, l.MAC = 24, 1400, "02:00:00:00:00:02"
	b.Routes = append(b.Routes, state.Route{Family: 4, Type: "unicast", To: netip.MustParsePrefix("10.9.0.0/24"),
		Table: state.TableMain, Proto: "boot", Scope: "global",
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.8.0.1"), Dev: "vx0", Flags: []string{"linkdown"}}}})
	repair := strings.Join(Diagnose(s, q).Cause.Repair, "\n") + "\n"
	for _, want := range []string{"ip -n b link add vx0 address 02:00:00:00:00:02 mtu 1400 type vxlan id 42 ",
		"ip -n b route add 10.9.0.0/24 via 10.8.0.1 dev vx0\n"} {
		if !strings.Contains(repair, want) {
			t.Errorf("the repair lacks %q:\n%s", want, repair)
		}
	}
}
