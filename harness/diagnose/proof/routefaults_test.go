package proof_test

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
)

func linkDown(t *topology, p path) *fault {
	k, h, ok := t.hop(p, nil)
	if !ok {
		return nil
	}
	f := &fault{does: []string{ip(h.sender().name, "link set %s down", h.out.name)}, places: []string{onLink(h.out)},
		at: k*perHop + atRoute}
	if p.family == 6 && len(h.sender().ifaces) == 1 { // its addresses went with it
		f.names = []causes.Cause{causes.NoAddress}
		f.places = append(f.places, h.sender().name)
	}
	return f
}

func noAddress(t *topology, p path) *fault {
	i := p.hops[0].out
	if t.kind == "two ways" {
		return nil // there is one on lo
	}
	if p.family == 6 && (p.direct() && i.node.byDefault || !p.direct() && len(p.hops) == 1) {
		return nil // the link-local address will do on the link of the gateway
	}
	f := &fault{places: []string{onLink(i)}, at: atRoute}
	if links := linksOf(i.node); links > 1 || i.node.name == "host" || t.kind == "bridged tunnel" &&
		strings.HasPrefix(i.node.name, "vtep") {
		f.places = []string{i.node.name}
	}
	for _, i := range i.node.ifaces {
		f.does = append(f.does, ip(i.node.name, "addr del %s dev %s", i.prefix(p.family), i.name))
	}
	if i.node.name == "host" && p.family == 4 {
		f.does = append(f.does, "ip addr flush dev lo", "ip addr add 127.0.0.1/8 dev lo")
	}
	return f
}

// linksOf counts the links of a namespace besides lo: with a bridge's ports.
func linksOf(n *node) int {
	count := len(n.ifaces)
	for _, i := range n.ifaces {
		for _, m := range i.on.members {
			if m.port != nil && m.port.netns == n.name {
				count++
			}
		}
	}
	return count
}

func prefixMismatch(t *topology, p path) *fault {
	i := []*iface{p.hops[0].out, p.to}[t.rng.IntN(2)]
	if !p.direct() || i.node.byDefault {
		return nil
	}
	long := i.prefix(p.family).Addr().BitLen()
	n := i.node.name
	f := &fault{places: []string{onLink(i)}, at: atRoute,
		does: []string{ip(n, "addr del %s dev %s", i.prefix(p.family), i.name),
			ip(n, "addr add %s dev %s%s", netip.PrefixFrom(i.addr(p.family), long), i.name, nodad(p.family))}}
	if i == p.to {
		f.at += 1000
	}
	return f
}

func nodad(family int) string {
	if family == 6 {
		return " nodad"
	}
	return ""
}

func connectedRouteMissing(t *topology, p path) *fault {
	i := []*iface{p.hops[0].out, p.to}[t.rng.IntN(2)]
	if !p.direct() || i.node.byDefault {
		return nil
	}
	f := &fault{places: []string{onLink(i)}, at: atRoute,
		does: []string{ip(i.node.name, "%sroute del %s dev %s", six(p.family), i.prefix(p.family).Masked(), i.name)}}
	if i == p.to {
		f.at += 1000
	}
	return f
}

// localRouteMissing deletes the route of the type local for the address of one of the two ends.
func localRouteMissing(t *topology, p path) *fault {
	i := []*iface{p.hops[0].out, p.to}[t.rng.IntN(2)]
	command := ip(i.node.name, "%sroute del local %s dev %s table local", six(p.family), i.prefix(p.family).Addr(),
		i.name)
	return &fault{places: []string{onLink(i)}, does: []string{command}}
}

// localRuleTooLate moves the rule of the table local behind that of the table main.
func localRuleTooLate(t *topology, p path) *fault {
	n, v := p.to.node.name, six(p.family)
	return &fault{places: []string{n}, alone: true, does: []string{ip(n, "%srule add priority 40000 lookup local", v),
		ip(n, "%srule del priority 0", v)}}
}

// routed picks a hop by a gateway.
func (t *topology) routed(p path) (int, hop, bool) {
	return t.hop(p, func(k int, h hop) bool { return k < len(p.hops)-1 && t.kind != "two ways" })
}

// routeTo is the prefix of the route by which a node sends to the path's end.
func (t *topology) routeTo(n *node, p path) string {
	if n.byDefault {
		return "default"
	}
	return p.to.on.prefix(p.family).String()
}

func noRoute(t *topology, p path) *fault {
	k, h, ok := t.routed(p)
	if !ok {
		return nil
	}
	n := h.sender()
	return &fault{does: []string{ip(n.name, "%sroute del %s", six(p.family), t.routeTo(n, p))},
		places: []string{n.name}, at: k*perHop + atRoute}
}

func routeOf(kind string) faulty {
	return func(t *topology, p path) *fault {
		k, h, _ := t.hop(p, nil)
		n := h.sender()
		return &fault{does: []string{ip(n.name, "%sroute add %s %s", six(p.family), kind, p.dest())},
			places: []string{n.name}, at: k*perHop + atRoute}
	}
}

func ruleDiverts(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	n := h.sender()
	action := []string{"unreachable", "prohibit", "blackhole"}[t.rng.IntN(3)]
	return &fault{does: []string{ip(n.name, "%srule add to %s priority 100 %s", six(p.family), p.dest(), action)},
		places: []string{n.name}, at: k*perHop + atRoute}
}

// ruleToWrongTable routes packets for the destination by a table whose gateway does not exist.
func ruleToWrongTable(t *topology, p path) *fault {
	k, h, _ := t.hop(p, nil)
	n := h.sender()
	route := ip(n.name, "%sroute add default via %s dev %s table 100", six(p.family), h.out.on.free(p.family),
		h.out.name)
	if t.rng.IntN(2) == 0 {
		route = ip(n.name, "%sroute add unreachable default table 100", six(p.family))
	}
	return &fault{does: []string{route, ruleTo100(n, p)}, places: []string{n.name}, at: k*perHop + atRoute}
}

// ruleToBystander routes packets for the destination by a table whose gateway is not a router towards it. If the right
// path is broken too, it cannot be distinguished from a right one.
func ruleToBystander(t *topology, p path) *fault {
	k, h, ok := t.routed(p)
	if !ok {
		return nil
	}
	other, ok := pick(t, t.bystanders(h, p))
	if !ok {
		return nil
	}
	n := h.sender()
	route := ip(n.name, "%sroute add default via %s dev %s table 100", six(p.family), other.addr(p.family), h.out.name)
	return &fault{does: []string{route, ruleTo100(n, p)}, places: []string{n.name}, at: k*perHop + atRoute, alone: true}
}

func ruleTo100(n *node, p path) string {
	return ip(n.name, "%srule add to %s priority 100 lookup 100", six(p.family), p.dest())
}

func (t *topology) replaceGateway(n *node, p path, via netip.Addr, dev string) []string {
	to := t.routeTo(n, p)
	return []string{ip(n.name, "%sroute del %s", six(p.family), to),
		ip(n.name, "%sroute add %s via %s dev %s", six(p.family), to, via, dev)}
}

func gatewayNowhere(t *topology, p path) *fault {
	k, h, ok := t.routed(p)
	if !ok {
		return nil
	}
	n := h.sender()
	return &fault{does: t.replaceGateway(n, p, h.out.on.free(p.family), h.out.name), places: []string{n.name},
		at: k*perHop + atRoute}
}

// bystanders are the nodes on the segment of a hop that are not routers.
func (t *topology) bystanders(h hop, p path) []*iface {
	return slices.DeleteFunc(slices.Clone(h.out.on.members), func(m *iface) bool {
		return m.node.router || m.node == h.sender() || m.node == p.to.node
	})
}

func gatewayWrong(t *topology, p path) *fault {
	k, h, ok := t.routed(p)
	if !ok {
		return nil
	}
	n := h.sender()
	other, ok := pick(t, t.bystanders(h, p))
	if !ok {
		return nil
	}
	return &fault{does: t.replaceGateway(n, p, other.addr(p.family), h.out.name), places: []string{n.name},
		at: k*perHop + atRoute}
}

// wrongLink adds a second route to the network of a hop, out of another link.
func wrongLink(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(k int, h hop) bool {
		return k == len(p.hops)-1 && len(h.sender().ifaces) > 1 && h.in == p.to && t.kind != "two ways"
	})
	if !ok {
		return nil
	}
	n := h.sender()
	others := slices.DeleteFunc(slices.Clone(n.ifaces), func(i *iface) bool { return i == h.out })
	other := others[0]
	if slices.ContainsFunc(other.on.members, func(m *iface) bool { return m.node == p.to.node }) {
		return nil // it answers there too
	}
	net := h.out.prefix(p.family).Masked()
	does := []string{ip(n.name, "route prepend %s dev %s", net, other.name)}
	if p.family == 6 {
		does = []string{ip(n.name, "-6 route add %s dev %s metric 10", net, other.name)}
	}
	return &fault{does: does, places: []string{onLink(other)}, at: k*perHop + atRoute}
}

// routingLoop routes packets for the destination back to the router that they came from.
func routingLoop(t *topology, p path) *fault {
	k, h, ok := t.hop(p, func(k int, h hop) bool { return k > 1 && k < len(p.hops)-1 })
	if !ok {
		return nil
	}
	n := h.sender()
	back := p.hops[k-1]
	return &fault{does: t.replaceGateway(n, p, back.out.addr(p.family), back.in.name),
		places: []string{back.sender().name}, at: (k-1)*perHop + atRoute}
}
