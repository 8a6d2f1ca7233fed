package proof_test

import (
	"fmt"
	"math/rand/v2"
)

// shapes make random topologies of 2 to 12 namespaces.
var shapes = []struct {
	kind  string
	shape func(*topology)
}{
	{"pair", pair}, {"star", star}, {"star", star}, {"chain", chain}, {"chain", chain}, {"two bridges", twoBridges},
	{"two bridges", twoBridges},
	{"tunnel", tunnelBetweenHosts}, {"bridged tunnel", tunnelBetweenBridges}, {"macvlan", macvlans},
	{"two ways", twoWays}, {"translation", translation},
}

func randomTopology(rng *rand.Rand) *topology {
	s := shapes[rng.IntN(len(shapes))]
	t := &topology{kind: s.kind, rng: rng, oneWay: map[[2]string]bool{}}
	s.shape(t)
	return t
}

func (t *topology) hosts(n int) (nodes []*node) {
	for range n {
		nodes = append(nodes, t.node(fmt.Sprint("h", len(t.nodes)+1), false))
	}
	return nodes
}

func pair(t *topology) {
	h := t.hosts(2)
	t.cable(h[0], h[1])
}

// star is a bridge with its hosts; the bridge may be the host's, and it may have addresses itself.
func star(t *topology) {
	center := "sw"
	if t.rng.IntN(3) == 0 {
		center = "host"
	}
	s := t.segment("bridge")
	hosts := t.hosts(2 + t.rng.IntN(8))
	if t.rng.IntN(2) == 0 {
		t.netns(center)
		t.bridge(s, center, "br0", hosts...)
		return
	}
	n := t.node(center, false)
	t.bridge(s, center, "br0", hosts...)
	t.join(s, n, "br0", nil)
}

// chain is host, routers in a line, host.
func chain(t *topology) {
	before := t.hosts(1)[0]
	for i := range 1 + t.rng.IntN(4) {
		r := t.node(fmt.Sprint("r", i+1), true)
		t.cable(before, r)
		before = r
	}
	t.cable(before, t.hosts(1)[0])
	t.forward()
}

// twoBridges are two segments and a router, in a namespace of its own or in that of the bridges.
func twoBridges(t *topology) {
	left, right := t.segment("bridge"), t.segment("bridge")
	a, b := t.hosts(1+t.rng.IntN(4)), t.hosts(1+t.rng.IntN(4))
	r := t.node("gw", true)
	if t.rng.IntN(2) == 0 {
		t.bridge(left, "gw", "br0", a...)
		t.bridge(right, "gw", "br1", b...)
		t.join(left, r, "br0", nil)
		t.join(right, r, "br1", nil)
	} else {
		t.netns("sw1")
		t.netns("sw2")
		t.bridge(left, "sw1", "br0", append(a, r)...)
		t.bridge(right, "sw2", "br0", append(b, r)...)
	}
	t.forward()
}

// tunnelBetweenHosts is a VXLAN tunnel over a cable or over a router.
func tunnelBetweenHosts(t *topology) {
	h := t.hosts(2)
	a, b := t.underlay(h[0], h[1])
	s := t.segment("vxlan")
	t.vxlan(s, a, b)
	for i, n := range h {
		t.join(s, n, "vx0", nil)
		s.tunnels[i].below = n.ifaces[0]
	}
}

// underlay connects two nodes by a cable or by a router, and returns their interfaces in it.
func (t *topology) underlay(a, b *node) (*iface, *iface) {
	if t.rng.IntN(2) == 0 {
		s := t.cable(a, b)
		return s.members[0], s.members[1]
	}
	r := t.node("r1", true)
	x, y := t.cable(a, r), t.cable(r, b)
	t.forward()
	return x.members[0], y.members[1]
}

func (t *topology) vxlan(s *segment, a, b *iface) {
	for _, e := range [][2]*iface{{a, b}, {b, a}} {
		t.add(ip(e[0].node.name, "link add vx0 type vxlan id 42 dstport 4789 local %s remote %s", e[0].v4.Addr(),
			e[1].v4.Addr()))
		s.tunnels = append(s.tunnels, tunnel{e[0].node.name, "vx0", e[0]})
	}
}

// tunnelBetweenBridges is a bridge at each end of a tunnel, with a host or two.
func tunnelBetweenBridges(t *topology) {
	x, y := t.node("vtep1", false), t.node("vtep2", false)
	a, b := t.underlay(x, y)
	s := t.segment("vxlan")
	t.vxlan(s, a, b)
	for _, n := range []*node{x, y} {
		t.bridge(s, n.name, "br0", t.hosts(1+t.rng.IntN(2))...)
		t.add(ip(n.name, "link set vx0 master br0 up"))
	}
}

// macvlans are macvlans of one parent, and a node at the other end of its cable. The parent has no address: it would
// not reach them.
func macvlans(t *topology) {
	s := t.segment("macvlan")
	out := t.hosts(1)[0]
	t.netns("par")
	t.add(fmt.Sprintf("ip link add eth0 netns %s type veth peer name up0 netns par", out.name),
		ip("par", "link set up0 up"))
	t.join(s, out, "eth0", nil)
	for i, n := range t.hosts(2 + t.rng.IntN(3)) {
		t.add(ip("par", "link add mv%d link up0 netns %s type macvlan mode bridge", i, n.name))
		t.join(s, n, fmt.Sprint("mv", i), nil)
	}
}

// twoWays are two hosts on two cables, with addresses on lo: packets take one cable, and replies the other.
func twoWays(t *topology) {
	h := t.hosts(2)
	first, second := t.cable(h[0], h[1]), t.cable(h[0], h[1])
	for i, n := range h {
		t.add(ip(n.name, "addr add 10.99.0.%d/32 dev lo", i+1))
	}
	t.add(ip(h[0].name, "route add 10.99.0.2 via %s src 10.99.0.1", first.members[1].v4.Addr()),
		ip(h[1].name, "route add 10.99.0.1 via %s src 10.99.0.2", second.members[0].v4.Addr()))
}

// translation is a router that translates the source of what goes out; the nodes beyond it have no route back.
func translation(t *topology) {
	a, r, b := t.node("h1", false), t.node("nat", true), t.node("h2", false)
	x := t.cable(a, r)
	t.cable(r, b)
	a.byDefault = true
	t.add(in("nat", "sysctl -qw net.ipv4.ip_forward=1"), in("nat", "sysctl -qw net.ipv6.conf.all.forwarding=1"),
		ip("h1", "route add default via %s", x.members[1].v4.Addr()),
		ip("h1", "-6 route add default via %s", x.members[1].v6.Addr()),
		in("nat", "nft add table ip nat"),
		in("nat", "nft add chain ip nat post '{ type nat hook postrouting priority 100 ; }'"),
		in("nat", "nft add rule ip nat post oifname eth1 masquerade"),
		in("nat", "nft add table ip6 nat"),
		in("nat", "nft add chain ip6 nat post '{ type nat hook postrouting priority 100 ; }'"),
		in("nat", "nft add rule ip6 nat post oifname eth1 masquerade"))
	t.oneWay[[2]string{"h2", "h1"}], t.oneWay[[2]string{"h2", "nat"}] = true, true
}
