package proof_test

import (
	"strings"
)

func peerDown(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool {
		return h.out.on.kind == "cable" || h.in.port != nil && p.family == 4
	})
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(h.in.node.name, "link set %s down", h.in.name)}, places: []string{onLink(h.in)},
		at: k*perHop + atLink}
}

// ownPortDown sets the bridge port at the other end of the sender's cable down.
func ownPortDown(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.port != nil })
	if !ok {
		return nil
	}
	return &fault{does: []string{ip(h.out.port.netns, "link set %s down", h.out.port.name)},
		places: []string{h.out.port.name + " in " + h.out.port.netns}, at: k*perHop + atLink}
}

// noCarrier removes all ports from a bridge with the sender's address.
func noCarrier(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return strings.HasPrefix(h.out.name, "br") })
	if !ok {
		return nil
	}
	f := &fault{places: []string{onLink(h.out)}, at: k*perHop + atLink}
	for _, m := range h.out.on.members {
		if m.port != nil {
			f.does = append(f.does, ip(m.port.netns, "link set %s nomaster", m.port.name))
		}
	}
	return f
}

// sameNamespace moves the far end of a cable to the namespace of the near one.
func sameNamespace(t *topology, p path) *fault {
	h := p.hops[0]
	if !p.direct() || h.out.on.kind != "cable" || h.in.name == h.out.name && len(h.in.node.ifaces) > 1 {
		return nil
	}
	n, name := p.from.name, "far"
	f := &fault{places: []string{onLink(h.out)}, at: atLink}
	if t.kind != "pair" {
		f.byHand = "nothing tells where the other end belongs"
	}
	f.does = []string{ip(h.in.node.name, "link set %s down", h.in.name),
		ip(h.in.node.name, "link set %s name far", h.in.name), ip(h.in.node.name, "link set far netns %s", n)}
	if t.rng.IntN(2) == 0 {
		f.does = append(f.does, ip(n, "addr add %s dev far%s", h.in.prefix(p.family), nodad(p.family)),
			ip(n, "link set far up"))
		f.places, f.passes = []string{name + " in " + n}, true
	}
	return f
}

func arpOff(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.on.kind == "cable" || h.out.on.kind == "bridge" })
	i := []*iface{h.out, h.in}[t.rng.IntN(2)]
	if !ok || strings.HasPrefix(i.name, "br") {
		return nil
	}
	return &fault{does: []string{ip(i.node.name, "link set %s arp off", i.name)}, places: []string{onLink(i)},
		at: k*perHop + atSegment}
}

func queueDrops(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	qdisc := []string{"pfifo limit 0", "bfifo limit 0", "blackhole",
		"tbf rate 1kbit burst 10b limit 10b"}[t.rng.IntN(4)]
	netns, dev, at := h.out.node.name, h.out.name, k*perHop+atLink
	if h.in.port != nil && t.rng.IntN(2) == 0 {
		netns, dev, at = h.in.port.netns, h.in.port.name, at+1
	}
	return &fault{does: []string{in(netns, "tc qdisc add dev %s root %s", dev, qdisc)},
		places: []string{dev + " in " + netns}, at: at}
}

func mtuExceeded(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.on.kind == "cable" || h.out.on.kind == "bridge" })
	if !ok || strings.HasPrefix(h.out.name, "br") {
		return nil
	}
	return &fault{does: []string{ip(h.out.node.name, "link set %s mtu 1300", h.out.name)},
		places: []string{onLink(h.out)}, bytes: 1400, at: k*perHop + atLink}
}

func mtuMismatch(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(_ int, h hop) bool { return h.out.on.kind == "cable" || h.out.on.kind == "bridge" })
	if !ok || strings.HasPrefix(h.in.name, "br") || strings.HasPrefix(h.out.name, "br") {
		return nil
	}
	netns, name := h.in.node.name, h.in.name
	if h.out.port != nil && t.rng.IntN(2) == 0 {
		netns, name = h.out.port.netns, h.out.port.name
	}
	return &fault{does: []string{ip(netns, "link set %s mtu 1300", name)}, places: []string{name + " in " + netns},
		bytes: 1400, at: k*perHop + atSegment}
}

// mtuBlackHole lowers the MTU of a later link, and drops the ICMP error for it.
func mtuBlackHole(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(k int, h hop) bool { return k > 0 && h.out.on.kind == "cable" })
	if !ok {
		return nil
	}
	table, rule := "ip", "icmp type destination-unreachable drop"
	if p.family == 6 {
		table, rule = "ip6", "icmpv6 type packet-too-big drop"
	}
	does := []string{ip(h.out.node.name, "link set %s mtu 1300", h.out.name)}
	return &fault{does: append(does, nft(p.from.name, table, "filter", "input", rule)...),
		places: []string{onLink(h.out)}, bytes: 1400, at: k*perHop + atLink}
}

// nft are the commands for a table with one chain and one rule.
func nft(netns, family, kind, hook, rule string) []string {
	if hook == "ingress" || strings.HasPrefix(hook, "ingress ") {
		return []string{in(netns, "nft add table %s wall", family),
			in(netns, "nft add chain %s wall c '{ type filter hook %s priority 0 ; }'", family, hook),
			in(netns, "nft add rule %s wall c %s", family, rule)}
	}
	return []string{in(netns, "nft add table %s wall", family),
		in(netns, "nft add chain %s wall c '{ type %s hook %s priority 0 ; policy accept ; }'", family, kind, hook),
		in(netns, "nft add rule %s wall c %s", family, rule)}
}
