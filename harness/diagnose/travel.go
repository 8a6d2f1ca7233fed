package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// flowOf is the key of a route lookup for a packet: struct flowi4 and flowi6, include/net/flow.h.
func flowOf(p packet, iif *state.Link) flow {
	f := flow{src: p.src, dst: p.dst, oif: p.dst.Zone(), proto: p.proto, sport: p.sport, dport: p.dport}
	if p.unbound {
		f.src = netip.Addr{}
	}
	if iif != nil {
		f.iif = iif.Name
	}
	return f
}

// travel walks a packet from a namespace to the one that delivers it locally, and returns that namespace and the packet
// as it arrives; nil if the destination is outside the state. Each turn of the loop is one namespace.
func (w *walk) travel(n *state.Namespace, p packet) (*state.Namespace, packet, *Cause) {
	var iif *state.Link // the link it came in by; nil in the sending namespace
	var passed []*state.Namespace
	for {
		// Before routing. A received packet goes through ip_rcv(), net/ipv4/ip_input.c, or ipv6_rcv(),
		// net/ipv6/ip6_input.c. One of the namespace's own gets its route and source first, and then passes the output
		// hook in __ip_local_out(), net/ipv4/ip_output.c, or __ip6_local_out(), net/ipv6/output_core.c.
		if iif != nil {
			if c := w.arrive(n, iif, &p); c != nil {
				return n, p, c
			}
		} else if c := w.leaveSelf(n, &p); c != nil {
			return n, p, c
		}
		// Route lookup: ip_route_input_slow() and ip_route_output_key_hash_rcu(), net/ipv4/route.c;
		// ip6_route_input() and ip6_route_output_flags(), net/ipv6/route.c.
		d := w.look(n, p, iif)
		if d.unknown {
			w.hop(n, nil, p, "where the route to %s leads is not known", p.dst)
			return nil, p, nil
		}
		// An address of the namespace's own is delivered locally only by a route of the type local. Without one the
		// packet is routed like any other: the two cases that follow.
		if iif != nil && !d.local() && w.isOwn(n, p.dst) && !w.looksUpLocal(n, p.family()) {
			return n, p, w.localRuleMissing(n, p.family())
		}
		if !d.local() && d.refused == "" && w.usesItself(n, p.dst) {
			w.hop(n, iif, p, "%s is its own address, but there is no local delivery", p.dst)
			if c := w.undelivered(n, p, d); c != nil {
				return n, p, c
			}
			return nil, p, nil
		}
		// No route: a sender gets ENETUNREACH, or the error of the route's type (fib_props, net/ipv4/fib_semantics.c).
		// A router answers with ICMP, for IPv4 only if the link forwards (ip_error(), net/ipv4/route.c).
		if !d.found() {
			if iif != nil && d.refused == "" && !forwards(n, iif, p.family()) {
				return n, p, w.gatewayWrong(n, iif, p)
			}
			w.hop(n, nil, p, "no route to %s", p.dst)
			return n, p, w.noRoute(n, p, d, iif)
		}
		// Local delivery: ip_local_deliver(), net/ipv4/ip_input.c; ip6_input(), net/ipv6/ip6_input.c.
		if d.local() {
			w.arrived = iif
			w.hop(n, iif, p, "local delivery: %s is its own address", p.dst)
			c := w.takeIn(n, iif, &p)
			return n, p, c
		}
		if d.route.Type == "broadcast" {
			w.hop(n, iif, p, "%s is the broadcast address of a network", p.dst)
			w.doubt("whether any host answers to the broadcast address %s is not known here", p.dst)
			return nil, p, nil
		}
		// Forwarding: ip_forward(), net/ipv4/ip_forward.c; ip6_forward(), net/ipv6/ip6_output.c. IPv4 has checked that
		// the link forwards by then (ip_route_input_slow()), IPv6 checks it here.
		if iif != nil {
			if !forwards(n, iif, p.family()) && d.hop != nil && d.hop.Dev == iif.Name &&
				len(w.gateways(passed[len(passed)-1], p.dst)) > 0 {
				return n, p, w.gatewayWrong(n, iif, p)
			}
			if c := w.forward(n, iif, p, d); c != nil {
				return n, p, c
			}
			if c := w.notBeyond(passed[0], n, iif, p, d); c != nil {
				return n, p, c
			}
		}
		// A loop: each router decrements the TTL, until one drops the packet and sends ICMP "time exceeded"
		// (ip_forward(), ip6_forward()).
		if first := slices.Index(passed, n); first >= 0 {
			w.hop(n, iif, p, "the packet has been here before")
			return n, p, w.routingLoop(n, p, w.stations[len(w.stations)-len(passed)+first:])
		}
		passed = append(passed, n)
		// Output: ip_output(), net/ipv4/ip_output.c; ip6_output(), net/ipv6/ip6_output.c. The packet crosses the
		// segment to the next namespace.
		at := station{n, p, d}
		w.stations = append(w.stations, at)
		next, in, c := w.cross(n, iif, &p, d)
		if c != nil {
			if other := w.ledAstray(at); other != nil {
				c = other
			}
			return n, p, c
		}
		if next == nil {
			return nil, p, nil
		}
		if p.dst.Zone() != "" {
			p.dst = p.dst.WithZone(in.Name)
		}
		n, iif, p.unbound = next, in, false
	}
}

// leaveSelf chooses the source address of a packet that the namespace itself sends, and runs the output hook. Most
// packets get there by ip_route_output_flow() and then __ip_local_out(), or by their IPv6 counterparts.
func (w *walk) leaveSelf(n *state.Namespace, p *packet) *Cause {
	d := w.look(n, *p, nil)
	if d.found() && !p.src.IsValid() {
		w.choose(n, p, d)
	}
	if !d.found() {
		return nil // reported with the route
	}
	if c := w.sourceMissing(n, *p, d); c != nil {
		return c
	}
	var oif *state.Link
	if d.local() {
		oif = n.Link("lo")
	} else {
		oif = d.dev(n)
	}
	to := p.dst
	c := w.hook(n, "output", causes.FilterOutput, p, nil, oif)
	if p.dst != to {
		p.unbound = false // the new destination is routed with the source (ip_route_me_harder(), net/ipv4/netfilter.c)
	}
	return c
}

// choose sets the source address that the kernel chooses after the first route lookup. An IPv4 connection is looked up
// once more with it (ip_route_connect(), include/net/route.h); so is an echo of iputils ping, which asks for its source
// first, but no other echo.
func (w *walk) choose(n *state.Namespace, p *packet, d decision) {
	p.src = sourceOf(n, d, p.dst)
	if p.family() == 4 && p.proto == "tcp" {
		return
	}
	if with := lookup(n, flowOf(*p, nil)); p.family() == 4 && !with.unknown && !with.found() {
		by := "there is no route for it"
		if with.rule != nil {
			by = ruleShown(n, with.rule)
		}
		w.doubt("a program that binds to the source %s first, as iputils ping and TCP do, finds no route to %s: %s",
			p.src, p.dst, by)
	}
	p.unbound = true
}

// arrive runs what comes before the routing of a received packet: the ingress hook (nf_ingress() in
// __netif_receive_skb_core(), net/core/dev.c), the prerouting hook (ip_rcv(), ipv6_rcv()), and for IPv4 the check of
// the source address.
func (w *walk) arrive(n *state.Namespace, iif *state.Link, p *packet) *Cause {
	if c := w.hook(n, "ingress", causes.FilterIngress, p, iif, nil); c != nil {
		return c
	}
	name := causes.FilterForward
	if w.isOwn(n, p.dst) {
		name = causes.FilterInput
	}
	if c := w.hook(n, "prerouting", name, p, iif, nil); c != nil {
		return c
	}
	if p.family() == 4 {
		return w.sourceDoubted(n, iif, p)
	}
	return nil
}

// sourceDoubted is fib_validate_source(), net/ipv4/fib_frontend.c: a source address that is the receiver's own, and the
// reverse path filter (ip-sysctl.rst, rp_filter).
func (w *walk) sourceDoubted(n *state.Namespace, iif *state.Link, p *packet) *Cause {
	// Without a route, or without forwarding, ip_route_input_slow() drops the packet before it validates the source.
	d := lookup(n, flowOf(*p, iif))
	if d.found() && !d.local() && !forwards(n, iif, 4) || !d.found() {
		return nil
	}
	// The receiver's own address as source is martian, unless accept_local is set (__fib_validate_source()).
	if w.isOwn(n, p.src) && strongest(n, iif, "accept_local") == 0 {
		for _, o := range w.owned(p.src) {
			if o.n == n {
				for _, other := range w.owned(p.src) {
					if other.n != n {
						return duplicateAddress(o, other, p.src)
					}
				}
			}
		}
		if c := w.sentBack(*p); c != nil {
			w.hop(n, iif, *p, "a packet with its own address %s as source comes in", p.src)
			return c
		}
	}
	if own := lookup(n, flow{src: p.dst, dst: p.src}); own.local() && !w.isOwn(n, p.src) {
		w.doubt("%s takes the source %s for its own address, and may drop the packet or answer itself: %s", n.Name,
			p.src, routeShown(n, own.route))
	}
	// The kernel looks up the route to the source (__fib_validate_source()). The strict mode requires it to lead out of
	// the link the packet came in by, the loose mode that there is one.
	mode := strongest(n, iif, "rp_filter")
	if mode == 0 {
		return nil
	}
	way := flow{src: p.dst, dst: p.src, proto: p.proto, sport: p.dport, dport: p.sport}
	if out := d.dev(n); out != nil && !d.local() {
		way.iif = out.Name // as if the reply had come in by the outgoing link (__mkroute_input(), net/ipv4/route.c)
	}
	if vrf := vrfOf(n, iif.Name); vrf != nil {
		way.oif = vrf.Name
	}
	back := lookup(n, way)
	if back.unknown {
		w.doubt("%s: where the reply path to %s leads was not read, so what the reverse path filter does is not known",
			n.Name, p.src)
		return nil
	}
	numbered := len(addresses(iif, 4)) > 0 // on a link without an address the loose mode is as strict as the strict one
	if back.found() && (mode == 2 && numbered || back.hop != nil && leadsOut(back.route, iif.Name)) {
		return nil
	}
	link, all := ofLink(4, iif.Name, "rp_filter"), ofLink(4, "all", "rp_filter")
	key := link
	if number(n, key) < mode {
		key = all
	}
	w.hop(n, iif, *p, "the reverse path filter drops packets from %s", p.src)
	c := cause(causes.ReversePathFilter, n, iif,
		"a packet from %s came in by %s, but the route back to it leads elsewhere", p.src, iif.Name).
		proof(sysctlShown(n, key))
	switch {
	case !back.found():
		missing := w.noRoute(n, p.back(), back, nil)
		c.Says = fmt.Sprintf("a packet from %s came in by %s, but there is no route back to it", p.src, iif.Name)
		c.proof(missing.Evidence...).fixAs(missing).changes = missing.changes
	case numbered:
		c.proof(routeShown(n, back.route)).setSysctl(n, key, "2")
	default:
		c.proof(routeShown(n, back.route), ip(n, "addr show dev %s", iif.Name)+": no address")
		for _, key := range []string{link, all} {
			if number(n, key) != 0 {
				c.setSysctl(n, key, "0")
			}
		}
	}
	return c
}

// leadsOut reports whether a route has a nexthop out of a link.
func leadsOut(r *state.Route, dev string) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Dev == dev })
}

// forward checks that a router forwards a packet that is not for itself, and runs the forward hook (NF_INET_FORWARD, in
// ip_forward() and ip6_forward()).
func (w *walk) forward(n *state.Namespace, iif *state.Link, p packet, d decision) *Cause {
	family := p.family()
	if !forwards(n, iif, family) {
		if c := w.misled(n, iif, p); c != nil {
			return c
		}
		w.hop(n, iif, p, "the packet is for another host, and %s does not forward", n.Name)
		return w.forwardingOff(n, iif, family)
	}
	return w.hook(n, "forward", causes.FilterForward, &p, iif, d.dev(n))
}

func (w *walk) forwardingOff(n *state.Namespace, iif *state.Link, family int) *Cause {
	all := forwardingKey(family)
	if family == 6 || sysctl(n, all) == "0" {
		return cause(causes.ForwardingOff, n, nil, "%s is a router on the path, but does not forward packets", n.Name).
			proof(in(n, "sysctl %s", all)+": "+sysctl(n, all)).setSysctl(n, all, "1")
	}
	key := ofLink(family, iif.Name, "forwarding")
	return cause(causes.ForwardingOff, n, iif, "%s forwards packets, but none that comes in by %s", n.Name, iif.Name).
		proof(in(n, "sysctl %s", key)+": 0").setSysctl(n, key, "1")
}

// takeIn delivers a packet locally: the input hook (NF_INET_LOCAL_IN, in ip_local_deliver() and ip6_input()), then the
// socket of a TCP port (tcp_v4_rcv(), net/ipv4/tcp_ipv4.c) or the echo responder (icmp_echo(), net/ipv4/icmp.c;
// icmpv6_rcv(), net/ipv6/icmp.c).
func (w *walk) takeIn(n *state.Namespace, iif *state.Link, p *packet) *Cause {
	if iif == nil {
		iif = n.Link("lo")
	}
	if c := w.hook(n, "input", causes.FilterInput, p, iif, nil); c != nil {
		return c
	}
	switch {
	case p.reply || p.proto == "udp": // UDP is a tunnel's, and its device receives it
		return nil
	case p.proto == "tcp":
		return w.listens(n, *p)
	}
	key := "net.ipv4.icmp_echo_ignore_all"
	if p.family() == 6 {
		key = "net.ipv6.icmp.echo_ignore_all"
	}
	if sysctl(n, key) == "1" {
		return cause(causes.EchoIgnored, n, nil, "%s does not answer echo requests", n.Name).
			proof(in(n, "sysctl %s", key)+": 1").setSysctl(n, key, "0")
	}
	return nil
}

// listens reports whether a socket listens on the packet's address and port (__inet_lookup_listener(),
// net/ipv4/inet_hashtables.c). Without one, the kernel answers with a reset (tcp_v4_send_reset()).
func (w *walk) listens(n *state.Namespace, p packet) *Cause {
	c := cause(causes.NotListening, n, nil, "no socket in %s listens on %s, TCP port %d", n.Name, p.dst, p.dport)
	for _, l := range n.Listeners {
		if l.Proto != "tcp" || l.Port != p.dport {
			continue
		}
		addr := l.Addr.Unmap()
		if addr == p.dst.WithZone("") || addr.IsUnspecified() &&
			(addr.Is4() == p.dst.Is4() || addr.Is6() && !l.V6Only) {
			return nil
		}
		c.Says = n.Name + " listens on that port, but only on " + addr.String()
		c.proof(in(n, "ss -ltn") + ": " + netip.AddrPortFrom(addr, l.Port).String())
	}
	if at := w.maybeSentOn; at.n != nil {
		w.doubt("%s: no socket listens on %s, TCP port %d, unless a rule of %s sends the packet elsewhere: %s",
			n.Name, p.dst, p.dport, at.n.Name, at.rule)
		return nil
	}
	if len(c.Evidence) == 0 {
		c.proof(in(n, "ss -ltn") + ": nothing on that port")
	}
	return c.advise("start the service on " + netip.AddrPortFrom(p.dst, p.dport).String() + " or on all addresses")
}
