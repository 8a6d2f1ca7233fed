package proof_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// topology is a healthy network: the commands that build it, and what a fault needs of it.
type topology struct {
	kind     string
	rng      *rand.Rand
	lines    []string
	nodes    []*node
	segments []*segment
	// oneWay are pairs of nodes of which the first one does not reach the second one, by design.
	oneWay map[[2]string]bool
}

// node is a namespace with addresses.
type node struct {
	name   string
	router bool
	// byDefault is set if it reaches other segments by a default route.
	byDefault bool
	ifaces    []*iface
}

// iface is an interface with an address of each family.
type iface struct {
	node   *node
	name   string
	on     *segment
	v4, v6 netip.Prefix
	// port is the other end of its cable, where that is a port of a bridge.
	port *port
}

type port struct{ netns, name, bridge string }

// segment is a broadcast domain: a cable, or bridges and tunnels.
type segment struct {
	number  int
	kind    string // cable, bridge, vxlan, macvlan
	members []*iface
	v4, v6  netip.Prefix
	tunnels []tunnel // of a vxlan
}

// tunnel is an end of a VXLAN tunnel.
type tunnel struct {
	netns, name string
	below       *iface // in the underlay
}

func (i *iface) prefix(family int) netip.Prefix {
	if family == 6 {
		return i.v6
	}
	return i.v4
}

func (i *iface) addr(family int) netip.Addr { return i.prefix(family).Addr() }

func (i *iface) bits(family int) int { return i.prefix(family).Bits() }

func (s *segment) prefix(family int) netip.Prefix {
	if family == 6 {
		return s.v6
	}
	return s.v4
}

// free is an address of the segment that no interface has.
func (s *segment) free(family int) netip.Addr {
	a := s.prefix(family).Addr()
	for range len(s.members) + 3 {
		a = a.Next()
	}
	return a
}

// ip is an ip command in a namespace, in is any other one.
func ip(netns, format string, args ...any) string {
	if netns == "host" {
		return "ip " + fmt.Sprintf(format, args...)
	}
	return "ip -n " + netns + " " + fmt.Sprintf(format, args...)
}

func in(netns, format string, args ...any) string {
	if netns == "host" {
		return fmt.Sprintf(format, args...)
	}
	return "ip netns exec " + netns + " " + fmt.Sprintf(format, args...)
}

func (t *topology) add(lines ...string) { t.lines = append(t.lines, lines...) }

func (t *topology) netns(name string) {
	if name != "host" {
		t.add("ip netns add "+name, ip(name, "link set lo up"))
	}
}

func (t *topology) node(name string, router bool) *node {
	t.netns(name)
	if router { // it forwards nothing by IPv6 as long as its link-local addresses are tentative
		t.add(in(name, "sysctl -qw net.ipv6.conf.default.accept_dad=0"))
	}
	n := &node{name: name, router: router}
	t.nodes = append(t.nodes, n)
	return n
}

func (t *topology) segment(kind string) *segment {
	number := len(t.segments) + 1
	bits := []int{16, 20, 24, 24, 24, 27}[t.rng.IntN(6)]
	s := &segment{
		number: number, kind: kind,
		v4: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/%d", 10+number, bits)),
		v6: netip.MustParsePrefix(fmt.Sprintf("fd00:%x::/64", 0xa0+number)),
	}
	t.segments = append(t.segments, s)
	return s
}

// join assigns the next addresses of a segment to an existing interface of a node.
func (t *topology) join(s *segment, n *node, name string, p *port) *iface {
	at := func(net netip.Prefix) netip.Prefix {
		a := net.Addr()
		for range len(s.members) + 1 {
			a = a.Next()
		}
		return netip.PrefixFrom(a, net.Bits())
	}
	i := &iface{node: n, name: name, on: s, v4: at(s.v4), v6: at(s.v6), port: p}
	s.members = append(s.members, i)
	n.ifaces = append(n.ifaces, i)
	t.add(ip(n.name, "link set %s up", name), ip(n.name, "addr add %s dev %s", i.v4, name),
		ip(n.name, "addr add %s dev %s nodad", i.v6, name))
	return i
}

// cable connects two nodes.
func (t *topology) cable(a, b *node) *segment {
	s := t.segment("cable")
	x, y := a.next(), b.next()
	t.add(fmt.Sprintf("ip link add %s netns %s type veth peer name %s netns %s", x, a.name, y, b.name))
	t.join(s, a, x, nil)
	t.join(s, b, y, nil)
	return s
}

// next is the name of the next interface of a node; the same names are in all namespaces.
func (n *node) next() string { return fmt.Sprint("eth", len(n.ifaces)) }

// bridge adds a bridge in a namespace and connects nodes to it.
func (t *topology) bridge(s *segment, netns, name string, nodes ...*node) {
	t.add(ip(netns, "link add %s type bridge", name), ip(netns, "link set %s up", name))
	for _, n := range nodes {
		p := &port{netns, "p-" + n.name, name}
		x := n.next()
		t.add(fmt.Sprintf("ip link add %s netns %s type veth peer name %s%s", x, n.name, p.name,
			map[bool]string{false: " netns " + netns}[netns == "host"]),
			ip(netns, "link set %s master %s up", p.name, name))
		t.join(s, n, x, p)
	}
}

// forward enables forwarding on the routers and adds the routes that each node needs.
func (t *topology) forward() {
	for _, n := range t.nodes {
		if n.router {
			t.add(in(n.name, "sysctl -qw net.ipv4.ip_forward=1"),
				in(n.name, "sysctl -qw net.ipv6.conf.all.forwarding=1"))
		}
	}
	for _, n := range t.nodes {
		if len(n.ifaces) == 1 && len(t.segments) > 1 {
			if r := n.ifaces[0].on.router(n); r != nil && !t.isolated(n.ifaces[0].on) {
				n.byDefault = true
				t.add(ip(n.name, "route add default via %s", r.v4.Addr()),
					ip(n.name, "-6 route add default via %s", r.v6.Addr()))
			}
			continue
		}
		for _, s := range t.segments {
			if hops := t.route(n, s); len(hops) > 1 {
				t.add(ip(n.name, "route add %s via %s", s.v4, hops[0].in.v4.Addr()),
					ip(n.name, "-6 route add %s via %s", s.v6, hops[0].in.v6.Addr()))
			}
		}
	}
}

// isolated reports whether no other segment is reached from this one.
func (t *topology) isolated(s *segment) bool { return s.router(nil) == nil }

// router is the first router of a segment other than a node.
func (s *segment) router(besides *node) *iface {
	for _, m := range s.members {
		if m.node.router && m.node != besides {
			return m
		}
	}
	return nil
}

// hop is one segment of a path: out of an interface of one node, in by one of the next node.
type hop struct{ out, in *iface }

// route is the shortest path from a node to a segment; its last hop is onto that segment, with a nil in.
func (t *topology) route(from *node, to *segment) []hop {
	type partial struct {
		n    *node
		hops []hop
	}
	queue, seen := []partial{{from, nil}}, map[*node]bool{from: true}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, i := range at.n.ifaces {
			if i.on == to {
				return append(at.hops, hop{out: i})
			}
		}
		for _, i := range at.n.ifaces {
			for _, m := range i.on.members {
				if m.node.router && !seen[m.node] {
					seen[m.node] = true
					queue = append(queue, partial{m.node, append(at.hops[:len(at.hops):len(at.hops)], hop{i, m})})
				}
			}
		}
	}
	return nil
}

// path is the path from a node to an address of another one.
type path struct {
	from   *node
	to     *iface
	family int
	hops   []hop
}

func (p path) dest() netip.Addr { return p.to.addr(p.family) }

// direct reports whether both ends have one interface, on the same segment.
func (p path) direct() bool { return len(p.hops) == 1 && p.hops[0].in == p.to }

func (p path) String() string {
	return fmt.Sprintf("%s to %s (%s in %s)", p.from.name, p.dest(), p.to.name, p.to.node.name)
}

// paths are the paths between all pairs, in both families, that the topology promises.
func (t *topology) paths() (all []path) {
	for _, from := range t.nodes {
		for _, n := range t.nodes {
			if from == n || t.oneWay[[2]string{from.name, n.name}] {
				continue
			}
			for _, to := range n.ifaces {
				hops := t.route(from, to.on)
				if hops == nil {
					continue
				}
				// The destination may be met before its segment: then the last hop leads to the interface of it that is
				// nearer.
				for k, h := range hops {
					if h.in != nil && h.in.node == n {
						hops = append(hops[:k:k], hop{h.out, h.in})
						break
					}
					if h.in == nil {
						hops = append(hops[:k:k], hop{h.out, to})
					}
				}
				for _, family := range []int{4, 6} {
					all = append(all, path{from, to, family, hops})
				}
			}
		}
	}
	return all
}

func (t *topology) String() string { return t.kind + ":\n  " + strings.Join(t.lines, "\n  ") }
