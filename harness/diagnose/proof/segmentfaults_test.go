package proof_test

import (
	"fmt"
	"slices"
	"strings"
)

func neighbourWrong(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	return &fault{does: []string{ip(h.out.node.name, "neigh replace %s lladdr 02:00:00:00:de:ad dev %s",
		h.in.addr(p.family), h.out.name)},
		places: []string{onLink(h.out)}, at: k*perHop + atSegment}
}

func addressNowhere(t *topology, p path) *fault {
	if !p.direct() {
		return nil
	}
	does := ip(p.to.node.name, "addr del %s dev %s", p.to.prefix(p.family), p.to.name)
	if p.family == 6 && t.rng.IntN(2) == 0 { // with all that the link has
		does = in(p.to.node.name, "sysctl -qw net.ipv6.conf.%s.disable_ipv6=1", p.to.name)
	}
	return &fault{does: []string{does}, places: []string{p.from.name}, at: atSegment}
}

// otherBridge moves the owner's port to a bridge of its own.
func otherBridge(t *topology, p path) *fault {
	i := p.to.port
	if !p.direct() || i == nil || len(p.to.on.members) == 2 {
		return nil // the bridge would be left without ports
	}
	return &fault{does: []string{ip(i.netns, "link add br9 type bridge"), ip(i.netns, "link set br9 up"),
		ip(i.netns, "link set %s master br9", i.name)},
		places: []string{onLink(p.to)}, at: atSegment}
}

// wrongNamespace moves the destination's address to a namespace that is not on the segment.
func wrongNamespace(t *topology, p path) *fault {
	if !p.direct() {
		return nil
	}
	var far []*iface
	for _, n := range t.nodes {
		if !p.to.on.present(n.name) {
			far = append(far, n.ifaces...)
		}
	}
	i, ok := pick(t, far)
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(p.to.node.name, "addr del %s dev %s", p.to.prefix(p.family), p.to.name),
		ip(i.node.name, "addr add %s/%d dev %s%s", p.dest(), p.dest().BitLen(), i.name, nodad(p.family))},
		places: []string{onLink(i)}, at: atSegment}
}

// present reports whether a namespace has an interface or a bridge on a segment: then it answers for all its addresses
// there.
func (s *segment) present(netns string) bool {
	return slices.ContainsFunc(s.members, func(m *iface) bool {
		return m.node.name == netns || m.port != nil && m.port.netns == netns
	})
}

// chatty reports whether a tunnel sends neighbour requests on a hop all the time: its neighbours know each other
// without requests of their own.
func (t *topology) chatty(h hop) bool {
	return strings.Contains(t.kind, "tunnel") && h.in.on.kind != "vxlan"
}

func arpIgnored(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	if p.family != 4 || t.chatty(h) {
		return nil
	}
	scope := []string{h.in.name, "all"}[t.rng.IntN(2)]
	if h.in.on.kind == "vxlan" {
		scope = h.in.name // all would stop the underlay first
	}
	return &fault{does: []string{in(h.in.node.name, "sysctl -qw net.ipv4.conf.%s.arp_ignore=8", scope)},
		places: []string{onLink(h.in)}, at: k*perHop + atSegment}
}

func bridgeDown(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.port != nil })
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(h.out.port.netns, "link set %s down", h.out.port.bridge)},
		places: []string{h.out.port.bridge + " in " + h.out.port.netns}, at: k*perHop + atSegment}
}

// anyPort is the port of one end of a hop.
func (t *topology) anyPort(p path) (int, *port, bool) {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.port != nil || h.in.port != nil })
	if !ok {
		return 0, nil, false
	}
	i := []*iface{h.out, h.in}[t.rng.IntN(2)]
	if i.port == nil {
		i = map[bool]*iface{true: h.in, false: h.out}[i == h.out]
	}
	return k, i.port, true
}

func notAPort(t *topology, p path) *fault {
	k, i, ok := t.anyPort(p)
	if !ok || len(p.hops[k].out.on.members) == 2 {
		return nil // the bridge is left without ports
	}
	return &fault{does: []string{ip(i.netns, "link set %s nomaster", i.name)},
		places: []string{i.name + " in " + i.netns}, at: k*perHop + atSegment}
}

func portDown(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.in.port != nil })
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(h.in.port.netns, "link set %s down", h.in.port.name)},
		places: []string{h.in.port.name + " in " + h.in.port.netns}, at: k*perHop + atSegment}
}

// portWaits: with spanning tree, a port that comes up listens first.
func portWaits(t *topology, p path) *fault {
	k, i, ok := t.anyPort(p)
	if !ok {
		return nil
	}
	return &fault{byHand: "spanning tree lets it forward in the end", places: []string{i.name + " in " + i.netns},
		at: k*perHop + atSegment, does: []string{
			ip(i.netns, "link set %s type bridge stp_state 1", i.bridge), ip(i.netns, "link set %s down", i.name),
			ip(i.netns, "link set %s up", i.name)}}
}

// portBlocked sets the state of a port by hand: listening, learning or disabled.
func portBlocked(t *topology, p path) *fault {
	k, i, ok := t.anyPort(p)
	if !ok {
		return nil
	}
	return &fault{places: []string{i.name + " in " + i.netns}, at: k*perHop + atSegment,
		does: []string{in(i.netns, "bridge link set dev %s state %d", i.name, t.rng.IntN(3))}}
}

func portIsolated(t *topology, p path) *fault {
	k, h, ok := t.hop(p, bridged)
	if !ok {
		return nil
	}
	a, b := h.out.port, h.in.port
	return &fault{does: []string{in(a.netns, "bridge link set dev %s isolated on", a.name),
		in(b.netns, "bridge link set dev %s isolated on", b.name)},
		places: []string{b.name + " in " + b.netns}, at: k*perHop + atSegment}
}

func addressOnPort(t *topology, p path) *fault {
	if !p.direct() {
		return nil
	}
	for _, pair := range [][2]*iface{{p.to, p.hops[0].out}, {p.hops[0].out, p.to}} {
		if bridge, other := pair[0], pair[1]; strings.HasPrefix(bridge.name, "br") && other.port != nil {
			n := bridge.node.name
			return &fault{does: []string{ip(n, "addr del %s dev %s", bridge.prefix(p.family), bridge.name),
				ip(n, "addr add %s dev %s%s", bridge.prefix(p.family), other.port.name, nodad(p.family))},
				places: []string{other.port.name + " in " + n}, at: atSegment}
		}
	}
	return nil
}

// --- Tunnels ---

// again recreates an end of a tunnel, with other settings.
func (t *topology) again(p path, which int, options func(a, b tunnel) string) *fault {
	s := p.to.on
	a, b := s.tunnels[which], s.tunnels[1-which]
	f := &fault{does: []string{ip(a.netns, "link del vx0"), ip(a.netns, "link add vx0 type vxlan %s", options(a, b))},
		places: []string{"vx0 in " + s.tunnels[0].netns, "vx0 in " + s.tunnels[1].netns}, at: atSegment}
	for _, i := range s.members {
		if i.node.name == a.netns && i.name == "vx0" {
			f.does = append(f.does, ip(a.netns, "link set vx0 up"), ip(a.netns, "addr add %s dev vx0", i.v4),
				ip(a.netns, "addr add %s dev vx0 nodad", i.v6))
			return f
		}
	}
	f.does = append(f.does, ip(a.netns, "link set vx0 master br0 up"))
	return f
}

// across reports whether a path goes through the tunnel of its segment.
func across(t *topology, p path) bool {
	return p.to.on.kind == "vxlan" && len(p.hops) == 1 &&
		(p.to.port == nil || p.hops[0].out.port.netns != p.to.port.netns)
}

func vniMismatch(t *topology, p path) *fault {
	if !across(t, p) {
		return nil
	}
	return t.again(p, t.rng.IntN(2), func(a, b tunnel) string {
		return fmt.Sprintf("id 43 dstport 4789 local %s remote %s", a.below.v4.Addr(), b.below.v4.Addr())
	})
}

func tunnelPortMismatch(t *topology, p path) *fault {
	if !across(t, p) {
		return nil
	}
	return t.again(p, t.rng.IntN(2), func(a, b tunnel) string {
		return fmt.Sprintf("id 42 dstport 8472 local %s remote %s", a.below.v4.Addr(), b.below.v4.Addr())
	})
}

func tunnelRemoteMissing(t *topology, p path) *fault {
	if !across(t, p) {
		return nil
	}
	near := 0
	if s := p.to.on; s.tunnels[1].netns == p.from.name || p.to.port != nil &&
		s.tunnels[1].netns == p.hops[0].out.port.netns {
		near = 1
	}
	// The far end would learn the remote for the reply.
	return t.again(p, near, func(a, b tunnel) string {
		return fmt.Sprintf("id 42 dstport 4789 local %s", a.below.v4.Addr())
	})
}

// --- Macvlans and doubles ---

func macvlanPrivate(t *topology, p path) *fault {
	if p.to.on.kind != "macvlan" || p.from.ifaces[0].name == "eth0" || p.to.name == "eth0" {
		return nil
	}
	i := []*iface{p.from.ifaces[0], p.to}[t.rng.IntN(2)]
	return &fault{does: []string{ip(i.node.name, "link set %s type macvlan mode private", i.name)},
		places: []string{onLink(i)}, at: atSegment}
}

// macvlanParent queries the parent, which never receives from its children.
func macvlanParent(t *topology, p path) *fault {
	i := p.from.ifaces[0]
	if p.to.on.kind != "macvlan" || i.name == "eth0" {
		return nil
	}
	a := i.on.free(p.family)
	return &fault{does: []string{ip("par", "addr add %s/%d dev up0%s", a, i.bits(p.family), nodad(p.family))}, to: a,
		places: []string{onLink(i)},
		byHand: "it is so by design"}
}

func duplicateMAC(t *topology, p path) *fault {
	k, h, ok := t.hop(p, portsOf)
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(h.out.node.name, "link set %s address 02:00:00:00:00:05", h.out.name),
		ip(h.in.node.name, "link set %s address 02:00:00:00:00:05", h.in.name)},
		places: []string{onLink(h.out), onLink(h.in)}, at: k*perHop + atSegment}
}

func duplicateAddress(t *topology, p path) *fault {
	if !p.direct() || p.to.on.kind == "macvlan" {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(p.to.on.members), func(m *iface) bool {
		return m == p.to || m == p.hops[0].out
	})
	if other, ok := pick(t, others); ok && other.node != p.to.node && other.node != p.from {
		i := []*iface{p.to, p.hops[0].out}[t.rng.IntN(2)]
		return &fault{does: []string{ip(other.node.name, "addr add %s dev %s%s", i.prefix(p.family), other.name,
			nodad(p.family))},
			places: []string{onLink(i), onLink(other)}, passes: true, at: atSegment}
	}
	if p.to.on.kind != "cable" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "addr add %s dev %s%s", p.to.prefix(p.family), p.hops[0].out.name,
		nodad(p.family))},
		places: []string{onLink(p.to), onLink(p.hops[0].out)}, passes: true}
}
