package drawing_test

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/state"
)

// sample builds a state as the kernel would show it.
type sample struct {
	state.State
	index int
}

func newSample(names ...string) *sample {
	s := &sample{index: 1}
	for _, name := range names {
		s.Namespaces = append(s.Namespaces, state.Namespace{Name: name, Links: []state.Link{{
			Index: 1, Name: "lo", Kind: "loopback", Up: true, Carrier: true, OperState: "unknown", MTU: 65536,
			Addresses: []state.Address{{Prefix: netip.MustParsePrefix("127.0.0.1/8")},
				{Prefix: netip.MustParsePrefix("::1/128")}},
		}}})
	}
	return s
}

// link adds an interface that is up.
func (s *sample) link(netns, name, kind string, addresses ...string) *state.Link {
	s.index++
	n := s.Namespace(netns)
	l := state.Link{Index: s.index, Name: name, Kind: kind, Up: true, Carrier: true, OperState: "up", MTU: 1500}
	for _, a := range addresses {
		l.Addresses = append(l.Addresses, state.Address{Prefix: netip.MustParsePrefix(a)})
	}
	n.Links = append(n.Links, l)
	return &n.Links[len(n.Links)-1]
}

// cable adds a veth pair; each end is the namespace, the name and the addresses.
func (s *sample) cable(a, b []string) {
	x := s.link(a[0], a[1], "veth", a[2:]...).Index
	y := s.link(b[0], b[1], "veth", b[2:]...)
	s.named(b[0], b[1]).Peer = &state.LinkRef{Index: x, Netns: a[0], Name: a[1]}
	s.named(a[0], a[1]).Peer = &state.LinkRef{Index: y.Index, Netns: b[0], Name: b[1]}
}

func (s *sample) named(netns, name string) *state.Link { return s.Namespace(netns).Link(name) }

// port puts an interface into a bridge.
func (s *sample) port(netns, name, bridge string) {
	l := s.named(netns, name)
	l.Master, l.Port = bridge, &state.Port{State: "forwarding"}
}

func (s *sample) gateway(netns, via, dev string) {
	n := s.Namespace(netns)
	n.Routes = append(n.Routes, state.Route{
		Family: 4, Type: "unicast", To: netip.MustParsePrefix("0.0.0.0/0"), Table: state.TableMain,
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr(via), Dev: dev}},
	})
}

func pairSample() *sample {
	s := newSample("host", "prodns", "testns")
	s.link("host", "eth0", "", "10.0.2.15/24")
	s.gateway("host", "10.0.2.2", "eth0")
	s.cable([]string{"prodns", "vnix-prodns", "192.168.2.102/24"},
		[]string{"testns", "vnic-testns", "192.168.2.103/24"})
	return s
}

func halfUpSample() *sample {
	s := pairSample()
	near, far := s.named("prodns", "vnix-prodns"), s.named("testns", "vnic-testns")
	near.Carrier = false
	far.Up, far.Carrier = false, false
	lo := s.named("testns", "lo")
	lo.Up, lo.Carrier, lo.Addresses = false, false, nil
	return s
}

// starSample is a bridge in the host with so many namespaces attached to it.
func starSample(leaves int) *sample {
	names := []string{"host"}
	for i := range leaves {
		names = append(names, fmt.Sprint("n", i+1))
	}
	s := newSample(names...)
	s.link("host", "br0", "bridge", "10.0.0.254/24")
	for i := range leaves {
		n := fmt.Sprint("n", i+1)
		s.cable([]string{"host", fmt.Sprint("v", i+1)}, []string{n, "eth0", fmt.Sprintf("10.0.0.%d/24", i+1)})
		s.port("host", fmt.Sprint("v", i+1), "br0")
		s.gateway(n, "10.0.0.254", "eth0")
	}
	return s
}

func starWithFaultsSample() *sample {
	s := starSample(50)
	far := s.named("n17", "eth0")
	far.Up, far.Carrier = false, false
	s.named("host", "v17").Carrier = false
	s.named("host", "v30").Port.State = "blocking"
	return s
}

// chainSample is a line of routers.
func chainSample(routers int) *sample {
	var names []string
	for i := range routers {
		names = append(names, fmt.Sprint("r", i+1))
	}
	s := newSample(names...)
	for i := 1; i < routers; i++ {
		s.cable([]string{fmt.Sprint("r", i), fmt.Sprint("right", i), fmt.Sprintf("10.0.%d.1/30", i),
			fmt.Sprintf("fd00:%d::1/64", i)},
			[]string{fmt.Sprint("r", i+1), fmt.Sprint("left", i+1), fmt.Sprintf("10.0.%d.2/30", i),
				fmt.Sprintf("fd00:%d::2/64", i)})
	}
	return s
}

// routerSample has two bridges, in namespaces of their own, and a router between them.
func routerSample() *sample {
	s := newSample("a1", "a2", "b1", "b2", "router", "swa", "swb")
	for _, side := range []string{"a", "b"} {
		sw := "sw" + side
		s.link(sw, "br-"+side, "bridge")
		net := map[string]string{"a": "10.1.0", "b": "10.2.0"}[side]
		for _, n := range []string{"1", "2"} {
			s.cable([]string{side + n, "eth0", net + ".1" + n + "/24"}, []string{sw, "port" + n})
			s.port(sw, "port"+n, "br-"+side)
			s.gateway(side+n, net+".1", "eth0")
		}
		s.cable([]string{"router", "eth-" + side, net + ".1/24"}, []string{sw, "uplink"})
		s.port(sw, "uplink", "br-"+side)
	}
	return s
}

// twoBridgesSample has two bridges in the host, and a router on both.
func twoBridgesSample() *sample {
	s := newSample("host", "a1", "a2", "b1", "b2", "router")
	for _, side := range []string{"a", "b"} {
		s.link("host", "br-"+side, "bridge")
		net := map[string]string{"a": "10.1.0", "b": "10.2.0"}[side]
		for _, n := range []string{side + "1", side + "2", "router"} {
			address := map[string]string{"router": net + ".1/24"}[n]
			if address == "" {
				address = net + ".1" + n[1:] + "/24"
			}
			s.cable([]string{"host", side + "-" + n}, []string{n, "eth-" + side, address})
			s.port("host", side+"-"+n, "br-"+side)
		}
	}
	return s
}

func strangeSample() *sample {
	s := newSample("a\xffb", "新しい\x1b[31m", "x<&\">\u202e")
	s.cable([]string{"a\xffb", "e\xc3\x01", "fe80::1/64", "2001:db8:1234:5678:9abc:def0:1234:5678/64"},
		[]string{"新しい\x1b[31m", "ü\u200b0", "10.9.0.1/24"})
	return s
}

// wordsSample has what is described in words: a ring, a pair within one namespace, a peer outside the state, a tunnel,
// a tentative address.
func wordsSample() *sample {
	s := newSample("a", "b", "c")
	for i, pair := range []string{"ab", "bc", "ca"} {
		s.cable([]string{pair[:1], fmt.Sprint("to-", pair[1:])},
			[]string{pair[1:], fmt.Sprint("from-", pair[:1]), fmt.Sprintf("10.%d.0.1/24", i)})
	}
	s.cable([]string{"a", "left"}, []string{"a", "right"})
	s.link("b", "gone", "veth").Peer = &state.LinkRef{Index: 7, Hidden: true}
	tunnel := s.link("c", "vx5", "vxlan", "fd00::5/64")
	tunnel.VXLAN, tunnel.MTU = &state.VXLAN{ID: 5, Remote: netip.MustParseAddr("10.0.0.9")}, 1450
	tunnel.Addresses[0].Flags = []string{"tentative", "dadfailed"}
	s.Namespace("c").Unread = []string{"packet filter: operation not permitted"}
	s.NotNamespaces = []string{"stale"}
	return s
}

// macvlanSample has children of one interface in several namespaces: they share it as they would share a bridge.
func macvlanSample() *sample {
	s := newSample("host", "m1", "m2")
	s.link("host", "eth0", "", "192.0.2.1/24")
	for _, n := range []string{"m1", "m2"} {
		l := s.link(n, "mv0", "macvlan", "192.0.2."+n[1:]+"0/24")
		l.Macvlan, l.Peer = "bridge", &state.LinkRef{Index: s.named("host", "eth0").Index, Netns: "host", Name: "eth0"}
	}
	return s
}
