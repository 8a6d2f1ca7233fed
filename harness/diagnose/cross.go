package diagnose

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// cross takes a packet over the segment to the next hop, and returns the namespace and the link it comes in by. Both
// are nil if the next hop is outside the state.
func (w *walk) cross(n *state.Namespace, iif *state.Link, p *packet, d decision) (*state.Namespace, *state.Link,
	*Cause) {
	out := d.dev(n)
	if out == nil {
		return nil, nil, cause(causes.NoRoute, n, nil, "the route of %s to %s has no link", n.Name,
			p.dst).proof(routeShown(n, d.route))
	}
	name := causes.FilterForward
	if iif == nil {
		name = causes.FilterOutput
	}
	// The next hop is the gateway, or the destination itself on a directly connected network: ip_finish_output2(),
	// net/ipv4/ip_output.c, by ip_neigh_for_gw(), include/net/route.h; ip6_finish_output2(), net/ipv6/ip6_output.c, by
	// rt6_nexthop(), include/net/ip6_route.h.
	to := p.dst
	if d.hop.Via.IsValid() {
		to = d.hop.Via
		w.hop(n, out, *p, "to the gateway %s", to)
	} else {
		w.hop(n, out, *p, "directly to %s", to)
	}
	gateway := d.hop.Via.IsValid()
	if gateway && w.isOwn(n, to) {
		return nil, nil, w.ownGateway(n, *p, to, d.route)
	}
	// The link. The kernel comes to its carrier and queue last, in __dev_queue_xmit(), net/core/dev.c; a fault there
	// is reported first, because no packet gets past it.
	if c := w.linkTrouble(n, out, p, iif != nil); c != nil {
		return nil, nil, c
	}
	// A route may have an MTU of its own: ip_dst_mtu_maybe_forward(), include/net/ip.h; ip6_dst_mtu_maybe_forward(),
	// include/net/ip6_route.h.
	if d.route.MTU > 0 && p.size > d.route.MTU && !p.reply && !p.yields {
		return nil, nil, w.tooBig(n, out, *p, iif != nil, narrowRoute(n, d.route, p.size))
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
		return at.n, at.l, nil
	}
	// The neighbour is not reached: a fault of this link, or of the route that leads there, explains more.
	if out.Kind == "bridge" && !out.Carrier && causes.NoCarrier.Explains(c.Name) {
		return nil, nil, w.noPortUp(port{n, out})
	}
	if wrong := w.wrongLink(n, p.dst, d.route); wrong != nil {
		return nil, nil, wrong
	}
	if gateway && causes.GatewayNowhere.Explains(c.Name) {
		c = w.gatewayNowhere(n, out, to, p.dst, d.route)
	}
	return nil, nil, c
}

// linkTrouble is a fault of the outgoing link itself: no carrier, a queue that drops, an MTU that is too small, NOARP.
func (w *walk) linkTrouble(n *state.Namespace, out *state.Link, p *packet, router bool) *Cause {
	// Carrier: without it the link has a queue that drops everything, noop_qdisc (dev_deactivate(),
	// net/sched/sch_generic.c). Both ends of a veth pair have carrier only while both are up (veth_open() and
	// veth_close(), drivers/net/veth.c).
	peer := w.below(out)
	switch {
	case out.Kind == "veth" && peer != nil && peer.n == n && peer.l.Master == "":
		c := cause(causes.SameNamespace, n, out, "both ends of the pair %s and %s are in %s, so it leads nowhere else",
			out.Name, peer.l.Name, n.Name).
			proof(linkShown(n, out), linkShown(n, peer.l))
		return w.moveOut(c, *peer)
	case !out.Carrier && out.Kind == "veth" && peer != nil && !peer.l.Up:
		return w.peerDown(port{n, out}, *peer)
	case !out.Carrier && (out.Kind != "bridge" || len(ports(n, out)) == 0):
		c := cause(causes.NoCarrier, n, out, "%s in %s is up but has no carrier", out.Name,
			n.Name).proof(linkShown(n, out))
		switch {
		case out.Kind == "bridge":
			c.Says += ": the bridge has no port"
			w.portsBack(c, port{n, out})
		case out.Peer != nil && out.Peer.Hidden:
			c.Says += "; its peer is in a namespace that was not read"
		case peer != nil && !peer.l.Up:
			c.Says += ": " + peer.l.Name + " below it is down"
			c.proof(linkShown(peer.n, peer.l)).setUp(*peer)
		}
		return c
	}
	// The queueing discipline: __dev_xmit_skb(), net/core/dev.c.
	if c := dropsAll(n, out, p.size); c != nil {
		return c
	}
	// The MTU: a router checks it in ip_forward() or ip6_forward(), and a sender in __ip_append_data(),
	// net/ipv4/ip_output.c, or __ip6_append_data(), net/ipv6/ip6_output.c.
	if p.size > out.MTU {
		c := w.tooBig(n, out, *p, router, narrowLink(n, out, p.size))
		if !p.yields && (!p.reply || c.Name == causes.MTUBlackHole) {
			return c
		}
		// A reply may be fragmented (icmp_push_reply(), net/ipv4/icmp.c): by routers, or in IPv6 by its sender after a
		// "packet too big".
		p.size = out.MTU
	}
	// NOARP: arp_constructor(), net/ipv4/arp.c, and ndisc_constructor(), net/ipv6/ndisc.c, resolve no address on it.
	if out.NoARP && out.Kind == "veth" {
		return arpOff(n, out)
	}
	return nil
}

// noPortUp is a bridge that has ports, none of which has carrier.
func (w *walk) noPortUp(bridge port) *Cause {
	c := cause(causes.NoCarrier, bridge.n, bridge.l, "%s in %s is up but has no carrier: no port of the bridge is up",
		bridge.l.Name, bridge.n.Name).proof(linkShown(bridge.n, bridge.l))
	for _, q := range ports(bridge.n, bridge.l) {
		c.proof(linkShown(bridge.n, q))
		if !q.Up {
			c.setUp(port{bridge.n, q})
		}
		if peer := w.below(q); peer != nil && !peer.l.Up {
			c.setUp(*peer)
		}
	}
	return c
}

func (w *walk) peerDown(l, peer port) *Cause {
	return cause(causes.PeerDown, peer.n, peer.l, "%s in %s is administratively down, so %s in %s has no carrier",
		peer.l.Name, peer.n.Name, l.l.Name, l.n.Name).
		proof(linkShown(peer.n, peer.l), linkShown(l.n, l.l)).setUp(peer)
}

// portsBack makes ports of a bridge out of the veth ends in its namespace that are no ports: those with the bridge's
// network at the other end, or all of them if there is none.
func (w *walk) portsBack(c *Cause, bridge port) {
	var near, all []port
	for _, l := range ordinary(bridge.n) {
		peer := w.below(l)
		if l.Kind != "veth" || l.Master != "" || peer == nil || peer.n == bridge.n ||
			len(addresses(l, 4))+len(addresses(l, 6)) > 0 {
			continue
		}
		all = append(all, port{bridge.n, l})
		if sharesNetwork(peer.l, bridge.l) {
			near = append(near, port{bridge.n, l})
		}
	}
	if len(near) == 0 {
		near = all
	}
	for _, at := range near {
		c.setMaster(at, bridge.l.Name)
		if !at.l.Up {
			c.setUp(at)
		}
	}
}

func sharesNetwork(a, b *state.Link) bool {
	for _, x := range a.Addresses {
		for _, y := range b.Addresses {
			if familyOf(x.Prefix.Addr()) == familyOf(y.Prefix.Addr()) && !x.Prefix.Addr().IsLinkLocalUnicast() &&
				covers(y, x.Prefix.Addr()) {
				return true
			}
		}
	}
	return false
}

// moveOut moves one end of a pair to the namespace that has nothing but lo, if there is exactly one.
func (w *walk) moveOut(c *Cause, end port) *Cause {
	var empty []string
	for i := range w.state.Namespaces {
		if n := &w.state.Namespaces[i]; n != end.n && n.Name != state.Host && len(ordinary(n)) == 0 {
			empty = append(empty, n.Name)
		}
	}
	if len(empty) != 1 {
		return c.advise(ip(end.n, "link set %s netns OTHER", end.l.Name))
	}
	return c.fix(ip(end.n, "link set %s netns ", end.l.Name) + netnsName(empty[0])).then(func(k *sketch) {
		from, there := k.link(end.n.Name, end.l.Name)
		to, moved := k.netns(empty[0]), *there
		moved.Up, moved.Carrier, moved.Addresses = false, false, nil
		from.Links = slices.DeleteFunc(from.Links, func(l state.Link) bool { return l.Name == moved.Name })
		from.Routes = slices.DeleteFunc(from.Routes, func(r state.Route) bool { return leadsOut(&r, moved.Name) })
		to.Links = append(to.Links, moved)
		if moved.Peer == nil {
			return
		}
		if stays := from.Link(moved.Peer.Name); stays != nil {
			stays.Peer = &state.LinkRef{Index: moved.Index, Netns: to.Name, Name: moved.Name}
		}
	})
}

func arpOff(n *state.Namespace, l *state.Link) *Cause {
	return cause(causes.ARPOff, n, l, "%s in %s neither sends nor answers neighbour requests (NOARP)", l.Name, n.Name).
		proof(linkShown(n, l)).fix(ip(n, "link set %s arp on", l.Name))
}

// dropsAll finds a queueing discipline that drops everything, or every packet of a size in bytes; 0 is the size of an
// echo request without a payload.
func dropsAll(n *state.Namespace, l *state.Link, size int) *Cause {
	frame := max(smallest, min(size, l.MTU)+ethernetHeader)
	for i := range n.Qdiscs {
		q := &n.Qdiscs[i]
		if q.Dev != l.Name || q.Default {
			continue
		}
		room, what := frame, "drops every packet"
		switch {
		case q.Kind == "blackhole", q.Kind == "netem" && strings.Contains(q.Options, "loss 100%"):
			room = 0
		case q.Kind == "bfifo" && q.Options == "limit 0b", q.Kind == "pfifo" && q.Options == "limit 0p":
			room = 0
		case q.Kind == "tbf":
			room = roomOfTBF(q.Options)
		}
		if room >= frame {
			continue
		}
		if room >= smallest {
			what = fmt.Sprintf("drops every frame of more than %d bytes, and this one has %d", room, frame)
		}
		return cause(causes.QueueDrops, n, l, "the queueing discipline %s of %s in %s %s", q.Kind, l.Name, n.Name,
			what).
			proof(in(n, "tc qdisc show dev %s", l.Name) + ": " + state.QdiscText(*q)).fix(
			in(n, "tc qdisc del dev %s root", l.Name))
	}
	return nil
}

const (
	ethernetHeader = 14
	smallest       = 42 // bytes of the smallest frame with an echo or an ARP request
)

// roomOfTBF is the size in bytes of the largest frame that fits the bucket and the queue of a tbf (tbf_enqueue(),
// net/sched/sch_tbf.c).
func roomOfTBF(options string) int {
	room := math.MaxInt
	words := strings.Fields(options)
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] != "burst" && words[i] != "limit" {
			continue
		}
		if bytes, err := strconv.Atoi(strings.TrimSuffix(words[i+1], "b")); err == nil {
			room = min(room, bytes)
		}
	}
	return room
}

// narrow is a link, or a route with an MTU of its own, that a packet does not fit.
type narrow struct {
	what          string
	mtu           int
	shown, repair string
}

func narrowLink(n *state.Namespace, l *state.Link, size int) narrow {
	return narrow{l.Name + " in " + n.Name, l.MTU, linkShown(n, l), ip(n, "link set %s mtu %d", l.Name, size)}
}

// narrowRoute is a route with an MTU of its own. The command that replaces it leaves out the flags that the kernel
// reports for its next hops, and the next hops themselves if the route has a nexthop object.
func narrowRoute(n *state.Namespace, r *state.Route, size int) narrow {
	wide := *r
	wide.MTU, wide.MTULock = size, false
	wide.Nexthops = nil
	if r.NexthopID == 0 {
		for _, h := range r.Nexthops {
			h.Flags = slices.DeleteFunc(slices.Clone(h.Flags), func(flag string) bool { return flag != "onlink" })
			wide.Nexthops = append(wide.Nexthops, h)
		}
	}
	return narrow{"the route of " + n.Name + " to " + state.PrefixText(r.To), r.MTU, routeShown(n, r),
		ip(n, "%sroute replace %s", six(r.Family), state.RouteText(wide))}
}

// tooBig is the cause for a packet that is larger than an MTU and must not be fragmented. A router reports it to the
// source: ICMP "fragmentation needed" (ip_forward()), or ICMPv6 "packet too big" (ip6_forward()). If that message is
// lost, the sender never learns of it: a black hole.
func (w *walk) tooBig(n *state.Namespace, out *state.Link, p packet, router bool, where narrow) *Cause {
	if router && p.src.IsValid() && !(p.reply && p.family() == 4) {
		answer := &walk{state: w.state, query: w.query, owners: w.owners, translations: w.translations, turns: w.turns}
		icmp := packet{dst: p.src, proto: "icmp", icmp: "destination-unreachable", reply: true}
		if p.family() == 6 {
			icmp.proto, icmp.icmp = "ipv6-icmp", "packet-too-big"
		}
		if _, _, lost := answer.travel(n, icmp); lost != nil {
			return cause(causes.MTUBlackHole, n, out,
				"a packet of %d bytes does not fit %s (MTU %d), and the ICMP error does not get back to the sender: %s",
				p.size, where.what, where.mtu, lost.Says).
				proof(append([]string{where.shown}, lost.Evidence...)...).fixAs(lost).fix(where.repair)
		}
	}
	c := cause(causes.MTUExceeded, n, out, "a packet of %d bytes that must not be fragmented does not fit %s (MTU %d)",
		p.size, where.what, where.mtu).
		proof(where.shown).fix(where.repair)
	if from := w.state.Namespace(w.query.From); router && from != nil { // it has cached the smaller MTU
		c.fix(forget(from, p.family()))
	}
	return c
}

// wrongLink finds a second route to the same prefix that leads to the destination, while the preferred one does not.
func (w *walk) wrongLink(n *state.Namespace, dst netip.Addr, won *state.Route) *Cause {
	for i := range n.Routes {
		r := &n.Routes[i]
		if r == won || r.To != won.To || r.Table != won.Table || r.Type != "unicast" || len(r.Nexthops) == 0 ||
			len(won.Nexthops) == 0 {
			continue
		}
		l := n.Link(r.Nexthops[0].Dev)
		if l == nil || !l.Up || l.Name == won.Nexthops[0].Dev {
			continue
		}
		to := dst
		if r.Nexthops[0].Via.IsValid() {
			to = r.Nexthops[0].Via
		}
		for _, at := range w.endpoints(port{n, l}) {
			if at.n != n && w.answersFor(at, to) {
				return cause(causes.RouteOutOfWrongLink, n, n.Link(won.Nexthops[0].Dev),
					"two routes lead to %s; the preferred one leads out of %s, where %s is not, the other one out "+
						"of %s, where it is",
					won.To, won.Nexthops[0].Dev, dst, l.Name).
					proof(routeShown(n, won), routeShown(n, r)).
					fix(ip(n, "%sroute del %s dev %s%s", six(won.Family), state.PrefixText(won.To),
						won.Nexthops[0].Dev, metric(won)))
			}
		}
	}
	return nil
}

func metric(r *state.Route) string {
	if r.Metric == 0 {
		return ""
	}
	return " metric " + itoa(int(r.Metric))
}
