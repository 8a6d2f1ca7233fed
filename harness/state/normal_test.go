package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(adr("::"), pfx("::/0"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// lab is the state of a lab; each call makes a new one.
func lab() *State {
	return &State{Namespaces: []Namespace{
		{Name: "host", Inode: 1, Links: []Link{{Index: 1, Name: "lo", Kind: "loopback", Up: true, Carrier: true,
			MTU: 65536, OperState: "unknown"}},
			Rules:   []Rule{{Family: 4, Table: 255, Action: "lookup"}},
			Sysctls: []Sysctl{{"net.ipv4.ip_forward", "0"}}},
		{Name: "testns", Inode: 2,
			Links: []Link{
				{Index: 1, Name: "lo", Kind: "loopback", MTU: 65536},
				{Index: 5, Name: "eth0", AltNames: []string{"z", "a"}, Kind: "veth", Up: true, Carrier: true,
					OperState: "up", MTU: 1500,
					MAC: "5a:de:54:a2:28:2e", MACRandom: true, TxQLen: 1000, Qdisc: "noqueue", Promiscuity: 1,
					Counters: map[string]uint64{"rx_packets": 3},
					Peer:     &LinkRef{Index: 7, Netns: "prodns", Name: "eth1"},
					Port:     &Port{State: "forwarding", Cost: 2},
					Addresses: []Address{
						{Prefix: pfx("fe80::58de:54ff:fea2:282e/64"), Scope: "link",
							Flags: []string{"tentative", "permanent"}, ValidLft: Forever, PreferredLft: Forever,
							Proto: 3},
						{Prefix: pfx("10.0.0.1/24"), Scope: "global", Label: "eth0", Flags: []string{"permanent"},
							ValidLft: Forever, PreferredLft: Forever},
						{Prefix: pfx("fd00::1/64"), Scope: "global", Flags: []string{"tentative"}, ValidLft: 100,
							PreferredLft: 50},
					}},
			},
			Routes: []Route{
				{Family: 6, Type: "local", To: pfx("fd00::1/128"), Table: 255, Proto: "kernel",
					Nexthops: []Nexthop{{Dev: "eth0"}}},
				{Family: 6, Type: "unicast", To: pfx("fe80::/64"), Table: 254, Proto: "kernel",
					Nexthops: []Nexthop{{Dev: "eth0"}}},
				{Family: 6, Type: "multicast", To: pfx("ff00::/8"), Table: 255, Proto: "kernel",
					Nexthops: []Nexthop{{Dev: "eth0"}}},
				{Family: 6, Type: "unicast", To: pfx("::/0"), Table: 254, Proto: "ra",
					Nexthops: []Nexthop{{Dev: "eth0"}}},
				{Family: 4, Type: "local", To: pfx("10.0.0.1/32"), Table: 255, Proto: "kernel", Scope: "host",
					Nexthops: []Nexthop{{Dev: "eth0"}}},
				{Family: 4, Type: "unicast", To: pfx("10.0.0.0/24"), Table: 254, Proto: "kernel", Scope: "link",
					Nexthops: []Nexthop{{Dev: "eth0", Flags: []string{"dead", "linkdown"}}}},
				{Family: 4, Type: "unicast", To: pfx("0.0.0.0/0"), Table: 254, Proto: "boot", Scope: "global",
					Nexthops: []Nexthop{{Via: adr("10.0.0.9"), Dev: "eth0", Flags: []string{"onlink"}}}},
			},
			Neighbours: []Neighbour{
				{Addr: adr("10.0.0.9"), Dev: "eth0", MAC: "02:00:00:00:00:09", State: "reachable"},
				{Addr: adr("10.0.0.8"), Dev: "eth0", MAC: "02:00:00:00:00:08", State: "permanent"},
				{Addr: adr("10.0.0.7"), Dev: "eth0", Proxy: true},
				{Addr: adr("ff02::16"), Dev: "eth0", MAC: "33:33:00:00:00:16", State: "noarp"},
				{Addr: adr("10.0.0.6"), Dev: "eth0", State: "failed"},
			},
			FDB: []FDBEntry{
				{MAC: "02:00:00:00:00:09", Dev: "eth0", Master: "br0", Learned: true},
				{MAC: "5a:de:54:a2:28:2e", Dev: "eth0", Master: "br0", Permanent: true},
				{MAC: "02:00:00:00:00:0a", Dev: "eth0", Master: "br0", Permanent: true},
			},
			Qdiscs:    []Qdisc{{Dev: "eth0", Kind: "noqueue", Handle: "0:", Parent: "root", Default: true}},
			Listeners: []Listener{{Proto: "tcp", Addr: adr("0.0.0.0"), Port: 80}},
			NetnsIDs:  []NetnsID{{ID: 0, Netns: "prodns"}},
		},
	}}
}

func TestNormal(t *testing.T) {
	s := lab()
	normal := s.Normal()
	equal(t, s, lab()) // the receiver is not changed
	equal(t, normal.Normal(), normal)
	n := normal.Namespace("testns")
	eth0 := n.Link("eth0")
	equal(t, *eth0, Link{Name: "eth0", AltNames: []string{"a", "z"}, Kind: "veth", Up: true, MTU: 1500, MACRandom: true,
		TxQLen: 1000,
		Peer:   &LinkRef{Netns: "prodns", Name: "eth1"}, Port: &Port{Cost: 2},
		Addresses: []Address{
			{Prefix: pfx("10.0.0.1/24"), Scope: "global", Label: "eth0", Flags: []string{"permanent"},
				ValidLft: Forever, PreferredLft: Forever},
			{Prefix: pfx("fd00::1/64"), Scope: "global", Flags: []string{}},
		}})
	var routes []string
	for _, r := range n.Routes {
		routes = append(routes, RouteText(r))
	}
	equal(t, routes, []string{
		"default via 10.0.0.9 dev eth0 onlink",
		"10.0.0.0/24 dev eth0 proto kernel scope link",
		"local 10.0.0.1 dev eth0 table local proto kernel scope host",
	})
	equal(t, n.Neighbours, []Neighbour{
		{Addr: adr("10.0.0.7"), Dev: "eth0", Proxy: true},
		{Addr: adr("10.0.0.8"), Dev: "eth0", MAC: "02:00:00:00:00:08", State: "permanent"},
	})
	equal(t, n.FDB, []FDBEntry{{MAC: "02:00:00:00:00:0a", Dev: "eth0", Master: "br0", Permanent: true}})
	if n.Inode != 0 || n.Qdiscs != nil || n.Listeners != nil || n.NetnsIDs != nil {
		t.Errorf("inode, default qdisc, listener or namespace id is left: %+v", n)
	}
}

// TestNormalKeeps changes one setting after the other: the normal form has to differ.
func TestNormalKeeps(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(n *Namespace)
	}{
		{"down", func(n *Namespace) { n.Links[1].Up = false }},
		{"MTU", func(n *Namespace) { n.Links[1].MTU = 1400 }},
		{"name", func(n *Namespace) { n.Links[1].Name = "eth9" }},
		{"altname", func(n *Namespace) { n.Links[1].AltNames = nil }},
		{"a MAC address that was set", func(n *Namespace) { n.Links[1].MACRandom = false }},
		{"peer", func(n *Namespace) { n.Links[1].Peer.Name = "eth2" }},
		{"address", func(n *Namespace) { n.Links[1].Addresses = n.Links[1].Addresses[:1] }},
		{"a lifetime that ends", func(n *Namespace) { n.Links[1].Addresses[1].ValidLft = 100 }},
		{"a link-local address that was set", func(n *Namespace) {
			n.Links[1].Addresses[0] = Address{Prefix: pfx("fe80::1/64"), Scope: "link"}
		}},
		{"route", func(n *Namespace) { n.Routes = n.Routes[:6] }},
		{"gateway", func(n *Namespace) { n.Routes[6].Nexthops[0].Via = adr("10.0.0.3") }},
		{"a multicast route that was set", func(n *Namespace) { n.Routes[2].Proto = "boot" }},
		{"rule", func(n *Namespace) { n.Rules = append(n.Rules, Rule{Family: 4, Priority: 9}) }},
		{"neighbour", func(n *Namespace) { n.Neighbours[1].MAC = "02:00:00:00:00:07" }},
		{"forwarding entry", func(n *Namespace) { n.FDB = n.FDB[:2] }},
		{"qdisc", func(n *Namespace) { n.Qdiscs[0] = Qdisc{Dev: "eth0", Kind: "fq", Handle: "1:", Parent: "root"} }},
		{"sysctl", func(n *Namespace) { n.Sysctls = []Sysctl{{"net.ipv4.ip_forward", "1"}} }},
		{"bridge port", func(n *Namespace) { n.Links[1].Port.Isolated = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := lab()
			c.set(changed.Namespace("testns"))
			if len(Diff(lab().Normal(), changed.Normal())) == 0 {
				t.Error("the normal form does not show it")
			}
		})
	}
}

// TestNormalForgets changes values that the kernel sets by itself: the normal form has to stay the same.
func TestNormalForgets(t *testing.T) {
	changed := lab()
	n := changed.Namespace("testns")
	n.Inode, n.NetnsIDs, n.Listeners = 9, nil, nil
	l := &n.Links[1]
	l.Index, l.Carrier, l.OperState, l.MAC, l.Counters, l.Port.State, l.Peer.Index = 9, false, "lowerlayerdown",
		"5a:de:54:a2:28:00", nil, "disabled", 3
	l.Addresses = l.Addresses[1:]
	l.Addresses[1].Flags, l.Addresses[1].ValidLft = nil, 3
	n.Routes = n.Routes[4:]
	n.Routes[1].Nexthops[0].Flags = nil
	n.Neighbours[0].State = "stale"
	n.FDB[1].MAC = l.MAC
	n.FDB = n.FDB[1:]
	n.Qdiscs = nil
	equal(t, Diff(lab().Normal(), changed.Normal()), []string(nil))
	equal(t, len(Diff(lab(), changed)) > 0, true)
}

func TestAHandleThatTheKernelChoseIsNoDifference(t *testing.T) {
	with := func(handle, parent string) *State {
		return &State{Namespaces: []Namespace{{Name: Host,
			Qdiscs: []Qdisc{{Dev: "eth0", Kind: "tbf", Handle: handle, Parent: parent}}}}}
	}
	if d := Parity(with("8001:", "root"), with("8a02:", "root")); len(d) > 0 {
		t.Errorf("two handles that the kernel chose: %q", d)
	}
	if d := Parity(with("2:", "8001:1"), with("2:", "8002:1")); len(d) > 0 {
		t.Errorf("below two handles that the kernel chose: %q", d)
	}
	if d := Parity(with("1:", "root"), with("2:", "root")); len(d) == 0 {
		t.Error("two handles that were given are no difference")
	}
}

// TestVLANTables: the tables of a port and of a bridge belong to the configuration, in any order.
func TestVLANTables(t *testing.T) {
	with := func(port, own []PortVLAN) *State {
		return &State{Namespaces: []Namespace{{Name: "n", Links: []Link{
			{Name: "br0", Bridge: &Bridge{VLANs: own}}, {Name: "p1", Port: &Port{VLANs: port}}}}}}
	}
	one, ten, eleven := PortVLAN{ID: 1, PVID: true, Untagged: true}, PortVLAN{ID: 10}, PortVLAN{ID: 11}
	a, b := with([]PortVLAN{one, ten, eleven}, []PortVLAN{one}), with([]PortVLAN{eleven, ten, one}, []PortVLAN{one})
	if diff := Diff(a.Normal(), b.Normal()); len(diff) > 0 {
		t.Error(diff)
	}
	c := with([]PortVLAN{one, ten}, []PortVLAN{ten, one})
	want := []string{
		"n: br0: bridge: VLANs 1 PVID untagged, then 1 PVID untagged, 10",
		"n: p1: bridge port: VLANs 1 PVID untagged, 10-11, then 1 PVID untagged, 10",
	}
	if diff := cmp.Diff(want, Diff(a.Normal(), c.Normal())); diff != "" {
		t.Error(diff)
	}
	if c.Namespaces[0].Links[0].Bridge.VLANs[0] != ten {
		t.Error("the normal form sorted the table of the state itself")
	}
}

// TestALinkLocalAddressOfAFormerMAC: a bridge keeps the link-local address that the kernel made from its first MAC
// address. Where the kernel tells nothing of who made an address (before Linux 5.18), its form tells; where it does, an
// address of that form which it did not make was added by hand.
func TestALinkLocalAddressOfAFormerMAC(t *testing.T) {
	for _, c := range []struct {
		name, kind, prefix string
		proto, loopback    uint8
		kept               bool
	}{
		{"made by a kernel that says so", "bridge", "fe80::9ccb:66ff:fe11:2233/64", 3, 1, false},
		{"made by a kernel that tells nothing", "bridge", "fe80::9ccb:66ff:fe11:2233/64", 0, 0, false},
		{"added by hand, and the kernel says so", "bridge", "fe80::9ccb:66ff:fe11:2233/64", 0, 1, true},
		{"of another form", "bridge", "fe80::1/64", 0, 0, true},
		{"with another prefix length", "bridge", "fe80::9ccb:66ff:fe11:2233/128", 0, 0, true},
		{"no link-local address", "bridge", "fd00::9ccb:66ff:fe11:2233/64", 0, 0, true},
		{"on a link that never takes another's MAC", "veth", "fe80::9ccb:66ff:fe11:2233/64", 0, 0, true},
	} {
		s := &State{Namespaces: []Namespace{
			{Name: "host", Links: []Link{{Name: "lo", Kind: "loopback",
				Addresses: []Address{{Prefix: pfx("127.0.0.1/8"), Proto: c.loopback}}}}},
			{Name: "sw", Links: []Link{{Name: "br0", Kind: c.kind, MAC: "02:00:00:00:01:01",
				Addresses: []Address{{Prefix: pfx(c.prefix), Proto: c.proto}}}}},
		}}
		if got := len(s.Normal().Namespaces[1].Links[0].Addresses) == 1; got != c.kept {
			t.Errorf("%s: in the normal form: %v, want %v", c.name, got, c.kept)
		}
	}
}
