package diagnose

import (
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// cross takes a packet over the segment to the next hop, and returns the namespace and the link it comes in by. Both
// are nil if the next hop is outside the state.
func (w *walk) cross(n *state.Namespace, iif *state.Link, p *packet.Packet, d routing.Decision) (*state.Namespace,
	*state.Link,
	*finding.Cause) {
	out := d.Dev(n)
	if out == nil {
		return nil, nil, finding.New(causes.NoRoute, n, nil, "the route of %s to %s has no link", n.Name,
			p.Dst).Proof(words.RouteShown(n, d.Route))
	}
	name := causes.FilterForward
	if iif == nil {
		name = causes.FilterOutput
	}
	// The next hop is the gateway, or the destination itself on a directly connected network: ip_finish_output2(),
	// net/ipv4/ip_output.c, by ip_neigh_for_gw(), include/net/route.h; ip6_finish_output2(), net/ipv6/ip6_output.c, by
	// rt6_nexthop(), include/net/ip6_route.h.
	to := p.Dst
	if d.Hop.Via.IsValid() {
		to = d.Hop.Via
		w.hop(n, out, *p, "to the gateway %s", to)
	} else {
		w.hop(n, out, *p, "directly to %s", to)
	}
	gateway := d.Hop.Via.IsValid()
	if gateway && w.IsOwn(n, to) {
		return nil, nil, w.ownGateway(n, *p, to, d.Route)
	}
	// The link. The kernel comes to its carrier and queue last, in __dev_queue_xmit(), net/core/dev.c; a fault there
	// is reported first, because no packet gets past it.
	if c := w.linkTrouble(n, out, p, iif != nil); c != nil {
		return nil, nil, c
	}
	// A route may have an MTU of its own: ip_dst_mtu_maybe_forward(), include/net/ip.h; ip6_dst_mtu_maybe_forward(),
	// include/net/ip6_route.h.
	if d.Route.MTU > 0 && p.Size > d.Route.MTU && !p.Reply && !p.Yields {
		return nil, nil, w.tooBig(n, out, *p, iif != nil, faults.NarrowRoute(n, d.Route, p.Size))
	}
	// The postrouting hook, with source translation: NF_INET_POST_ROUTING, in ip_output() and ip6_output().
	if c := w.hook(n, "postrouting", name, p, iif, out); c != nil {
		return nil, nil, c
	}
	// The egress hook: nf_hook_egress(), in __dev_queue_xmit().
	if c := w.hook(n, "egress", causes.FilterIngress, p, nil, out); c != nil {
		return nil, nil, c
	}
	// The neighbour: neigh_resolve_output(), net/core/neighbour.c, asks by arp_solicit(), net/ipv4/arp.c, or
	// ndisc_solicit(), net/ipv6/ndisc.c. Then the frame crosses the segment.
	at, c := w.resolve(n, out, to, *p)
	if c == nil {
		return at.N, at.L, nil
	}
	// The neighbour is not reached: a fault of this link, or of the gateway, explains more.
	if out.Kind == "bridge" && !out.Carrier && causes.NoCarrier.Explains(c.Name) {
		return nil, nil, faults.NoPortUp(w.Map, facts.At(n, out))
	}
	if gateway && causes.GatewayNowhere.Explains(c.Name) {
		nowhere := finding.New(causes.GatewayNowhere, n, nil, "the gateway %s of %s is no address on the segment of %s",
			to, n.Name, out.Name).Proof(words.RouteShown(n, d.Route))
		return nil, nil, w.mend().GatewayBack(nowhere, n, out, to, p.Dst, d.Route)
	}
	return nil, nil, c
}

// linkTrouble is a fault of the outgoing link itself: no carrier, a queue that drops, an MTU that is too small, NOARP.
func (w *walk) linkTrouble(n *state.Namespace, out *state.Link, p *packet.Packet, router bool) *finding.Cause {
	// Carrier: without it the link has a queue that drops everything, noop_qdisc (dev_deactivate(),
	// net/sched/sch_generic.c). Both ends of a veth pair have carrier only while both are up (veth_open() and
	// veth_close(), drivers/net/veth.c).
	peer := w.Below(out)
	switch {
	case out.Kind == "veth" && peer != nil && peer.N == n && peer.L.Master == "":
		c := finding.New(causes.SameNamespace, n, out,
			"both ends of the pair %s and %s are in %s, so it leads nowhere else",
			out.Name, peer.L.Name, n.Name).
			Proof(words.LinkShown(n, out), words.LinkShown(n, peer.L))
		return faults.MoveOut(w.Map, c, *peer)
	case !out.Carrier && out.Kind == "veth" && peer != nil && !peer.L.Up:
		return topology.PeerDown(facts.At(n, out), *peer)
	case !out.Carrier && (out.Kind != "bridge" || len(facts.Ports(n, out)) == 0):
		c := finding.New(causes.NoCarrier, n, out, "%s in %s is up but has no carrier", out.Name,
			n.Name).Proof(words.LinkShown(n, out))
		switch {
		case out.Kind == "bridge":
			c.Says += ": the bridge has no port"
			faults.PortsBack(w.Map, c, facts.At(n, out))
		case out.Peer != nil && out.Peer.Hidden:
			c.Says += "; its peer is in a namespace that was not read"
		case peer != nil && !peer.L.Up:
			c.Says += ": " + peer.L.Name + " below it is down"
			c.Proof(words.LinkShown(peer.N, peer.L)).SetUp(*peer)
		}
		return c
	}
	// The queueing discipline: __dev_xmit_skb(), net/core/dev.c.
	if c := topology.DropsAll(n, out, p.Size); c != nil {
		return c
	}
	// The MTU: a router checks it in ip_forward() or ip6_forward(), and a sender in __ip_append_data(),
	// net/ipv4/ip_output.c, or __ip6_append_data(), net/ipv6/ip6_output.c.
	if p.Size > out.MTU {
		c := w.tooBig(n, out, *p, router, faults.NarrowLink(w.Map, n, out, p.Size))
		if !p.Yields && (!p.Reply || c.Name == causes.MTUBlackHole) {
			return c
		}
		// A reply may be fragmented (icmp_push_reply(), net/ipv4/icmp.c): by routers, or in IPv6 by its sender after a
		// "packet too big".
		p.Size = out.MTU
	}
	// NOARP: arp_constructor(), net/ipv4/arp.c, and ndisc_constructor(), net/ipv6/ndisc.c, resolve no address on it.
	if out.NoARP && out.Kind == "veth" {
		return faults.ARPOff(n, out)
	}
	return nil
}

// tooBig is the cause for a packet that is larger than an MTU and must not be fragmented. A router reports it to the
// source: ICMP "fragmentation needed" (ip_forward()), or ICMPv6 "packet too big" (ip6_forward()). If that message is
// lost, the sender never learns of it: a black hole.
func (w *walk) tooBig(n *state.Namespace, out *state.Link, p packet.Packet, router bool,
	where faults.Narrow) *finding.Cause {
	if router && p.Src.IsValid() && !(p.Reply && p.Family() == 4) {
		answer := &walk{Map: w.Map, tunnels: w.tunnels, query: w.query, translations: w.translations, turns: w.turns}
		icmp := packet.Packet{Dst: p.Src, Proto: "icmp", ICMP: "destination-unreachable", Reply: true}
		if p.Family() == 6 {
			icmp.Proto, icmp.ICMP = "ipv6-icmp", "packet-too-big"
		}
		if _, _, lost := answer.travel(n, nil, icmp); lost != nil {
			c := finding.New(causes.MTUBlackHole, n, out,
				"a packet of %d bytes does not fit %s (MTU %d), and the ICMP error does not get back to the sender: %s",
				p.Size, where.What, where.Mtu, lost.Says).
				Proof(append([]string{where.Shown}, lost.Evidence...)...).FixAs(lost)
			where.Widen(c)
			return c
		}
	}
	c := finding.New(causes.MTUExceeded, n, out,
		"a packet of %d bytes that must not be fragmented does not fit %s (MTU %d)",
		p.Size, where.What, where.Mtu).
		Proof(where.Shown)
	if from := w.State.Namespace(w.query.From); where.Widen(c) && router && from != nil {
		c.ForgetPathMTUs(from, p.Family()) // it has cached the smaller MTU
	}
	return c
}
