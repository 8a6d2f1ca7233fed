package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/filter"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// travel walks a packet from a namespace, which sends it or (iif) gets it by a link, to the one that delivers it
// locally, and returns that namespace and the packet as it arrives; nil if the destination is outside the state. Each
// turn of the loop is one namespace.
func (w *walk) travel(n *state.Namespace, iif *state.Link, p packet.Packet) (*state.Namespace, packet.Packet,
	*finding.Cause) {
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
		if d.Unknown {
			w.hop(n, nil, p, "where the route to %s leads is not known", p.Dst)
			return nil, p, nil
		}
		// An address of the namespace's own is delivered locally only by a route of the type local. Without one the
		// packet is routed like any other: the two cases that follow.
		if iif != nil && !d.Local() && w.IsOwn(n, p.Dst) && !routing.HasLocalRule(n, p.Family()) {
			return n, p, w.localRuleMissing(n, p.Family())
		}
		if !d.Local() && d.Refused == "" && w.UsesItself(n, p.Dst) {
			w.hop(n, iif, p, "%s is its own address, but there is no local delivery", p.Dst)
			if c := w.undelivered(n, p, d); c != nil {
				return n, p, c
			}
			return nil, p, nil
		}
		// No route: a sender gets ENETUNREACH, or the error of the route's type (fib_props, net/ipv4/fib_semantics.c).
		// A router answers with ICMP, for IPv4 only if the link forwards (ip_error(), net/ipv4/route.c).
		if !d.Found() {
			if iif != nil && d.Refused == "" && !facts.Forwards(n, iif, p.Family()) && !w.fromOutside() {
				return n, p, w.gatewayWrong(n, iif, p)
			}
			w.hop(n, nil, p, "no route to %s", p.Dst)
			return n, p, w.noRoute(n, p, d, iif)
		}
		// Local delivery: ip_local_deliver(), net/ipv4/ip_input.c; ip6_input(), net/ipv6/ip6_input.c.
		if d.Local() {
			w.arrived = iif
			w.hop(n, iif, p, "local delivery: %s is its own address", p.Dst)
			c := w.takeIn(n, iif, &p)
			return n, p, c
		}
		if d.Route.Type == "broadcast" {
			w.hop(n, iif, p, "%s is the broadcast address of a network", p.Dst)
			w.doubt("whether any host answers to the broadcast address %s is not known here", p.Dst)
			return nil, p, nil
		}
		// Forwarding: ip_forward(), net/ipv4/ip_forward.c; ip6_forward(), net/ipv6/ip6_output.c. IPv4 has checked that
		// the link forwards by then (ip_route_input_slow()), IPv6 checks it here.
		if iif != nil {
			if len(passed) > 0 && !facts.Forwards(n, iif, p.Family()) && d.Hop != nil && d.Hop.Dev == iif.Name &&
				len(w.mend().Gateways(passed[len(passed)-1], p.Dst)) > 0 {
				return n, p, w.gatewayWrong(n, iif, p)
			}
			if c := w.forward(n, iif, p, d); c != nil {
				return n, p, c
			}
			if c := w.hairpinOff(n, iif, p, d); c != nil {
				return n, p, c
			}
			if len(passed) > 0 {
				if c := w.notBeyond(passed[0], n, iif, p, d); c != nil {
					return n, p, c
				}
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
		at := station{n: n, iif: iif, p: p, d: d}
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
		w.stations[len(w.stations)-1].crossed = true
		if p.Dst.Zone() != "" {
			p.Dst = p.Dst.WithZone(in.Name)
		}
		if n != next {
			p.Tags = packet.Tags{Vague: facts.MarksBelow(next, in)} // skb_scrub_packet(), net/core/skbuff.c
		}
		n, iif, p.Unbound = next, in, false
	}
}

// leaveSelf chooses the source address of a packet that the namespace itself sends, and runs the output hook. Most
// packets get there by ip_route_output_flow() and then __ip_local_out(), or by their IPv6 counterparts.
func (w *walk) leaveSelf(n *state.Namespace, p *packet.Packet) *finding.Cause {
	d := w.look(n, *p, nil)
	if d.Found() && !p.Src.IsValid() {
		w.choose(n, p, d)
	}
	if !d.Found() {
		return nil // reported with the route
	}
	if c := faults.SourceMissing(w.Map, n, *p, d); c != nil {
		return c
	}
	var oif *state.Link
	if d.Local() {
		oif = n.Link("lo")
	} else {
		oif = d.Dev(n)
	}
	to, tags := p.Dst, p.Tags
	c := w.hook(n, "output", causes.FilterOutput, p, nil, oif)
	if p.Tags != tags && p.Dst == to {
		w.remarked(n, *p, d)
	}
	if p.Dst != to {
		p.Unbound = false // the new destination is routed with the source (ip_route_me_harder(), net/ipv4/netfilter.c)
	}
	return c
}

// remarked notes that a mark set at output counts for the packet's route only if a chain of the type route sets it
// (ip_route_me_harder(), net/ipv4/netfilter.c).
func (w *walk) remarked(n *state.Namespace, p packet.Packet, before routing.Decision) {
	for _, b := range filter.ChainsAt(n, "output", filter.Families(p.Family())...) {
		if b.Chain.Type == "route" {
			return
		}
	}
	if d := routing.Lookup(n, routing.FlowOf(p, nil)); d.Route != before.Route || d.Refused != before.Refused {
		if w.maybeSentOn.n == nil {
			w.maybeSentOn = maybeSentOn{n, "the mark that a chain at output sets"}
		}
		w.doubt("%s: a chain at output marks the packet, but is not of the type route, so its route stays that without "+
			"the mark, which is not followed here", n.Name)
	}
}

// choose sets the source address that the kernel chooses after the first route lookup. An IPv4 connection is looked up
// once more with it (ip_route_connect(), include/net/route.h); so is an echo of iputils ping, which asks for its source
// first, but no other echo.
func (w *walk) choose(n *state.Namespace, p *packet.Packet, d routing.Decision) {
	p.Src = routing.SourceOf(n, d, p.Dst)
	if p.Family() == 4 && p.Proto == "tcp" {
		return
	}
	if with := routing.Lookup(n, routing.FlowOf(*p, nil)); p.Family() == 4 && !with.Unknown && !with.Found() {
		by := "there is no route for it"
		if with.Rule != nil {
			by = words.RuleShown(n, with.Rule)
		}
		w.doubt("a program that binds to the source %s first, as iputils ping and TCP do, finds no route to %s: %s",
			p.Src, p.Dst, by)
	}
	p.Unbound = true
}

// arrive runs what comes before the routing of a received packet: the ingress hook (nf_ingress() in
// __netif_receive_skb_core(), net/core/dev.c), the prerouting hook (ip_rcv(), ipv6_rcv()), and for IPv4 the check of
// the source address.
func (w *walk) arrive(n *state.Namespace, iif *state.Link, p *packet.Packet) *finding.Cause {
	if c := w.hook(n, "ingress", causes.FilterIngress, p, iif, nil); c != nil {
		return c
	}
	name := causes.FilterForward
	if w.IsOwn(n, p.Dst) {
		name = causes.FilterInput
	}
	if c := w.hook(n, "prerouting", name, p, iif, nil); c != nil {
		return c
	}
	if p.Family() == 4 {
		return w.sourceDoubted(n, iif, p)
	}
	return nil
}

// sourceDoubted is fib_validate_source(), net/ipv4/fib_frontend.c: a source address that is the receiver's own, and the
// reverse path filter (ip-sysctl.rst, rp_filter).
func (w *walk) sourceDoubted(n *state.Namespace, iif *state.Link, p *packet.Packet) *finding.Cause {
	// Without a route, or without forwarding, ip_route_input_slow() drops the packet before it validates the source.
	d := routing.Lookup(n, routing.FlowOf(*p, iif))
	if d.Found() && !d.Local() && !facts.Forwards(n, iif, 4) || !d.Found() {
		return nil
	}
	// The receiver's own address as source is martian, unless accept_local is set (__fib_validate_source()).
	if w.IsOwn(n, p.Src) && facts.Strongest(n, iif, "accept_local") == 0 {
		for _, o := range w.Owned(p.Src) {
			if o.N == n {
				for _, other := range w.Owned(p.Src) {
					if other.N != n {
						return faults.DuplicateAddress(o, other, p.Src)
					}
				}
			}
		}
		if c := w.sentBack(*p); c != nil {
			w.hop(n, iif, *p, "a packet with its own address %s as source comes in", p.Src)
			return c
		}
	}
	if own := routing.Lookup(n, routing.Flow{Src: p.Dst, Dst: p.Src}); own.Local() && !w.IsOwn(n, p.Src) {
		w.doubt("%s takes the source %s for its own address, and may drop the packet or answer itself: %s", n.Name,
			p.Src, words.RouteShown(n, own.Route))
	}
	// The kernel looks up the route to the source (__fib_validate_source()). The strict mode requires it to lead out of
	// the link the packet came in by, the loose mode that there is one.
	mode := facts.Strongest(n, iif, "rp_filter")
	if mode == 0 {
		return nil
	}
	way := routing.Flow{Src: p.Dst, Dst: p.Src, Proto: p.Proto, Sport: p.Dport, Dport: p.Sport}
	if out := d.Dev(n); out != nil && !d.Local() {
		way.Iif = out.Name // as if the reply had come in by the outgoing link (__mkroute_input(), net/ipv4/route.c)
	}
	if vrf := routing.VrfOf(n, iif.Name); vrf != nil {
		way.Oif = vrf.Name
	}
	back := routing.Lookup(n, way)
	if back.Unknown {
		w.doubt("%s: where the reply path to %s leads was not read, so what the reverse path filter does is not known",
			n.Name, p.Src)
		return nil
	}
	numbered := len(facts.Addresses(iif,
		4)) > 0 // on a link without an address the loose mode is as strict as the strict one
	if back.Found() && (mode == 2 && numbered || back.Hop != nil && facts.LeadsOut(back.Route, iif.Name)) {
		return nil
	}
	link, all := facts.OfLink(4, iif.Name, "rp_filter"), facts.OfLink(4, "all", "rp_filter")
	key := link
	if facts.Number(n, key) < mode {
		key = all
	}
	w.hop(n, iif, *p, "the reverse path filter drops packets from %s", p.Src)
	c := finding.New(causes.ReversePathFilter, n, iif,
		"a packet from %s came in by %s, but the route back to it leads elsewhere", p.Src, iif.Name).
		Proof(words.SysctlShown(n, key))
	switch {
	case !back.Found():
		missing := w.noRoute(n, p.Back(), back, n.Link(way.Iif))
		c.Says = fmt.Sprintf("a packet from %s came in by %s, but there is no route back to it", p.Src, iif.Name)
		c.Proof(missing.Evidence...).FixAs(missing).Changes = missing.Changes
	case numbered:
		c.Proof(words.RouteShown(n, back.Route)).SetSysctl(n, key, "2")
	default:
		c.Proof(words.RouteShown(n, back.Route), words.IP(n, "addr show dev %s", iif.Name)+": no address")
		for _, key := range []string{link, all} {
			if facts.Number(n, key) != 0 {
				c.SetSysctl(n, key, "0")
			}
		}
	}
	return c
}

// forward checks that a router forwards a packet that is not for itself, and runs the forward hook (NF_INET_FORWARD, in
// ip_forward() and ip6_forward()).
func (w *walk) forward(n *state.Namespace, iif *state.Link, p packet.Packet, d routing.Decision) *finding.Cause {
	family := p.Family()
	if !facts.Forwards(n, iif, family) {
		if c := w.misled(n, iif, p); c != nil {
			return c
		}
		w.hop(n, iif, p, "the packet is for another host, and %s does not forward", n.Name)
		return w.forwardingOff(n, iif, family)
	}
	return w.hook(n, "forward", causes.FilterForward, &p, iif, d.Dev(n))
}

func (w *walk) forwardingOff(n *state.Namespace, iif *state.Link, family int) *finding.Cause {
	all := facts.ForwardingKey(family)
	if family == 6 || facts.Sysctl(n, all) == "0" {
		return finding.New(causes.ForwardingOff, n, nil, "%s is a router on the path, but does not forward packets",
			n.Name).
			Proof(words.In(n, "sysctl %s", all)+": "+facts.Sysctl(n, all)).SetSysctl(n, all, "1")
	}
	key := facts.OfLink(family, iif.Name, "forwarding")
	return finding.New(causes.ForwardingOff, n, iif, "%s forwards packets, but none that comes in by %s", n.Name,
		iif.Name).
		Proof(words.In(n, "sysctl %s", key)+": 0").SetSysctl(n, key, "1")
}

// takeIn delivers a packet locally: the input hook (NF_INET_LOCAL_IN, in ip_local_deliver() and ip6_input()), then the
// socket of a TCP port (tcp_v4_rcv(), net/ipv4/tcp_ipv4.c) or the echo responder (icmp_echo(), net/ipv4/icmp.c;
// icmpv6_rcv(), net/ipv6/icmp.c).
func (w *walk) takeIn(n *state.Namespace, iif *state.Link, p *packet.Packet) *finding.Cause {
	if iif == nil {
		iif = n.Link("lo")
	}
	if c := w.hook(n, "input", causes.FilterInput, p, iif, nil); c != nil {
		return c
	}
	switch {
	case p.Reply || w.tunnels > 0: // a tunnel's device receives the packets of the tunnel
		return nil
	case p.Proto == "tcp" || p.Proto == "udp":
		return w.listens(n, iif, *p)
	}
	key := "net.ipv4.icmp_echo_ignore_all"
	if p.Family() == 6 {
		key = "net.ipv6.icmp.echo_ignore_all"
	}
	if facts.Sysctl(n, key) == "1" {
		return finding.New(causes.EchoIgnored, n, nil, "%s does not answer echo requests", n.Name).
			Proof(words.In(n, "sysctl %s", key)+": 1").SetSysctl(n, key, "0")
	}
	return nil
}

// answersFromAnother notes as a doubt that a datagram's answer, sent by a socket that has no address, gets the source
// that its route prefers, unless the program asks for the one that was asked (ip(7), IP_PKTINFO).
func (w *walk) answersFromAnother(n *state.Namespace, iif *state.Link, p packet.Packet) {
	if p.Proto != "udp" {
		return
	}
	to := p.Src
	if to.IsLinkLocalUnicast() && to.Is6() {
		to = to.WithZone(iif.Name)
	}
	answer := packet.Packet{Dst: to, Proto: "udp", Sport: p.Dport, Dport: p.Sport}
	d := routing.Lookup(n, routing.FlowOf(answer, nil))
	if d.Found() && !d.Local() {
		if src := routing.SourceOf(n, d, to); src != p.Dst.WithZone("") {
			w.doubt("%s: the socket has no address of its own, so unless its program takes care it answers from %s, and "+
				"not from %s, which was asked", n.Name, src, p.Dst)
		}
	}
}

// listens reports whether a socket listens on the packet's address and port (__inet_lookup_listener(),
// net/ipv4/inet_hashtables.c; __udp4_lib_lookup(), net/ipv4/udp.c). Without one, the kernel answers with a reset
// (tcp_v4_send_reset()), or "port unreachable" (__udp4_lib_rcv()).
func (w *walk) listens(n *state.Namespace, iif *state.Link, p packet.Packet) *finding.Cause {
	shown := words.In(n, "ss -l%cn", p.Proto[0])
	c := finding.New(causes.NotListening, n, nil, "no socket in %s listens on %s, %s port %d", n.Name, p.Dst,
		strings.ToUpper(p.Proto), p.Dport)
	for _, l := range n.Listeners {
		if l.Proto != p.Proto || l.Port != p.Dport {
			continue
		}
		addr := l.Addr.Unmap()
		if addr == p.Dst.WithZone("") {
			return nil
		}
		if addr.IsUnspecified() && (addr.Is4() == p.Dst.Is4() || addr.Is6() && !l.V6Only) {
			w.answersFromAnother(n, iif, p)
			return nil
		}
		c.Says = n.Name + " listens on that port, but only on " + addr.String()
		c.Proof(shown + ": " + netip.AddrPortFrom(addr, l.Port).String())
	}
	if len(c.Evidence) == 0 {
		c.Proof(shown + ": nothing on that port")
	}
	return c.Advise("start the service on " + netip.AddrPortFrom(p.Dst, p.Dport).String() + " or on all addresses")
}
