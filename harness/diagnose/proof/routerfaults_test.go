package proof_test

import (
	"net/netip"
	"strings"
)

// forwarder picks a hop whose sender is a router.
func (t *topology) forwarder(p path) (int, hop, bool) {
	return t.hop(p, func(k int, _ hop) bool { return k > 0 })
}

func forwardingOff(t *topology, p path) *fault {
	k, h, ok := t.forwarder(p)
	if !ok {
		return nil
	}
	key := "net.ipv4.ip_forward"
	if p.family == 6 {
		key = "net.ipv6.conf.all.forwarding"
	}
	return &fault{does: []string{in(h.sender().name, "sysctl -qw %s=0", key)}, places: []string{h.sender().name},
		at: k*perHop + atForward}
}

func forwardingOffOnLink(t *topology, p path) *fault {
	k, h, ok := t.forwarder(p)
	if !ok || p.family == 6 {
		return nil
	}
	i := p.hops[k-1].in
	return &fault{does: []string{in(h.sender().name, "sysctl -qw net.ipv4.conf.%s.forwarding=0", i.name)},
		places: []string{onLink(i)}, at: k*perHop + atForward}
}

func reversePathFilter(t *topology, p path) *fault {
	if t.kind != "two ways" || p.family == 6 {
		return nil
	}
	to, i := "10.99.0.2", t.nodes[1].ifaces[0]
	if p.from == t.nodes[1] {
		to, i = "10.99.0.1", t.nodes[0].ifaces[1]
	}
	scope := []string{i.name, "all"}[t.rng.IntN(2)]
	return &fault{does: []string{in(i.node.name, "sysctl -qw net.ipv4.conf.%s.rp_filter=1", scope)},
		to: netip.MustParseAddr(to), places: []string{onLink(i)}}
}

// dropping is a rule that drops the path's echo requests, in one of several forms.
func (t *topology) dropping(p path) (family, rule string) {
	v, icmp := "ip", "icmp"
	if p.family == 6 {
		v, icmp = "ip6", "icmpv6"
	}
	family = []string{v, "inet"}[t.rng.IntN(2)]
	end := []string{"drop", "reject", "counter drop"}[t.rng.IntN(3)]
	rules := []string{
		v + " daddr " + p.dest().String(), icmp + " type echo-request",
		v + " daddr " + p.to.on.prefix(p.family).String(),
		"meta l4proto " + map[int]string{4: "icmp", 6: "ipv6-icmp"}[p.family], v + " daddr { " + p.dest().String() +
			", " + p.to.on.free(p.family).String() + " }",
	}
	if t.rng.IntN(6) == 0 {
		return family, end
	}
	return family, rules[t.rng.IntN(len(rules))] + " " + end
}

func filterAt(hook string) faulty {
	return func(t *topology, p path) *fault {
		n, at := t.filterPlace(hook, p)
		if n == nil {
			return nil
		}
		family, rule := t.dropping(p)
		return &fault{does: nft(n.name, family, "filter", hook, rule), places: []string{n.name}, at: at}
	}
}

// filterPlace is a node whose hook a path passes, and its place on the path.
func (t *topology) filterPlace(hook string, p path) (n *node, at int) {
	switch hook {
	case "output":
		return p.from, atRoute
	case "input":
		return p.to.node, (len(p.hops)-1)*perHop + atNext
	}
	k, h, ok := t.forwarder(p)
	if !ok {
		return nil, 0
	}
	return h.sender(), k*perHop + atForward
}

// policyAt drops all that no rule accepts; half of the time the query is for a TCP service.
func policyAt(hook string) faulty {
	return func(t *topology, p path) *fault {
		n, at := t.filterPlace(hook, p)
		if n == nil || strings.Contains(t.kind, "tunnel") { // which would stop the tunnel first
			return nil
		}
		f := &fault{does: policy(n.name, "inet", hook), places: []string{n.name}, at: at}
		if t.rng.IntN(2) == 0 { // nothing comes by what is put behind it
			f.does = append(f.does, in(n.name, "nft add chain inet wall end"),
				in(n.name, "nft add rule inet wall c goto end"))
		}
		if t.rng.IntN(2) == 0 {
			f.port = 8080
			f.does = append(f.does, in(p.to.node.name, "busybox httpd -p %s -h /",
				netip.AddrPortFrom(p.dest(), f.port)))
		}
		return f
	}
}

// policy are the commands for a table with one chain, which drops all that no rule accepts.
func policy(netns, family, hook string, rules ...string) []string {
	does := []string{in(netns, "nft add table %s wall", family),
		in(netns, "nft add chain %s wall c '{ type filter hook %s priority 0 ; policy drop ; }'", family, hook)}
	for _, rule := range rules {
		does = append(does, in(netns, "nft add rule %s wall c %s", family, rule))
	}
	return does
}

// discoveryForgotten accepts echo requests but no neighbour solicitations.
func discoveryForgotten(t *topology, p path) *fault {
	n, at := t.filterPlace("input", p)
	if p.family == 4 || strings.Contains(t.kind, "tunnel") {
		return nil
	}
	return &fault{does: policy(n.name, "ip6", "input", "icmpv6 type { echo-request, echo-reply } accept"),
		places: []string{n.name}, at: at}
}

// bridged is a hop from one port of a bridge to another one.
func bridged(_ int, h hop) bool {
	return h.out.port != nil && h.in.port != nil && h.out.port.netns == h.in.port.netns
}

func bridgePolicy(t *topology, p path) *fault {
	k, h, ok := t.hop(p, bridged)
	if !ok {
		return nil
	}
	return &fault{does: policy(h.out.port.netns, "bridge", "forward"), places: []string{h.out.port.netns},
		at: k*perHop + atSegment}
}

// arpForgotten accepts IP over a bridge, but no ARP.
func arpForgotten(t *topology, p path) *fault {
	k, h, ok := t.hop(p, bridged)
	if !ok || p.family == 6 {
		return nil
	}
	return &fault{does: policy(h.out.port.netns, "bridge", "forward", "ether type ip accept"),
		places: []string{h.out.port.netns}, at: k*perHop + atSegment}
}

func filterBridge(t *topology, p path) *fault {
	k, h, ok := t.hop(p, bridged)
	if !ok {
		return nil
	}
	v := map[int]string{4: "ip", 6: "ip6"}[p.family]
	rules := []string{v + " daddr " + p.dest().String() + " drop", "oifname " + h.in.port.name + " drop",
		"iifname " + h.out.port.name + " drop"}
	return &fault{does: nft(h.out.port.netns, "bridge", "filter", "forward", rules[t.rng.IntN(len(rules))]),
		places: []string{h.out.port.netns}, at: k*perHop + atSegment}
}

func filterIngress(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	_, rule := t.dropping(p)
	if i := len(rule) - len("reject"); i >= 0 && rule[i:] == "reject" { // not at this hook
		rule = rule[:i] + "drop"
	}
	return &fault{does: nft(h.in.node.name, "netdev", "filter", "ingress device "+h.in.name, rule),
		places: []string{h.in.node.name}, at: k*perHop + atNext}
}

func filterARP(t *topology, p path) *fault {
	k, h, ok := t.hop(p, nil)
	if !ok || p.family == 6 || t.chatty(h) {
		return nil
	}
	n, hook := h.out.node, "output"
	if t.rng.IntN(2) == 0 {
		n, hook = h.in.node, "input"
	}
	return &fault{does: nft(n.name, "arp", "filter", hook, "drop"), places: []string{n.name}, at: k*perHop + atSegment}
}

func echoIgnored(_ *topology, p path) *fault {
	key := "net.ipv4.icmp_echo_ignore_all"
	if p.family == 6 {
		key = "net.ipv6.icmp.echo_ignore_all"
	}
	return &fault{does: []string{in(p.to.node.name, "sysctl -qw %s=1", key)}, places: []string{p.to.node.name},
		at: (len(p.hops)-1)*perHop + atNext}
}

func translationMissing(t *topology, p path) *fault {
	if t.kind != "translation" || p.from.name != "h1" || p.to.node.name != "h2" {
		return nil
	}
	v, other := "ip", "198.51.100.0/24"
	if p.family == 6 {
		v, other = "ip6", "2001:db8::/32"
	}
	return &fault{does: []string{in("nat", "nft flush chain %s nat post", v),
		in("nat", "nft add rule %s nat post %s saddr %s masquerade", v, v, other)},
		places: []string{"nat"}, at: 1000}
}

func notListening(_ *topology, p path) *fault {
	return &fault{port: 8080, places: []string{p.to.node.name}, byHand: "the service has to be started",
		at: (len(p.hops)-1)*perHop + atNext}
}
