package diagnose

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

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

// travel walks a packet from a namespace to where it is taken in, and tells where that is and what it looks like there;
// nil is out of sight.
func (w *walk) travel(n *state.Namespace, p packet) (*state.Namespace, packet, *Cause) {
	var iif *state.Link // by which it came in; nil where it begins
	var passed []*state.Namespace
	for {
		if iif != nil {
			if c := w.arrive(n, iif, &p); c != nil {
				return n, p, c
			}
		} else if c := w.leaveSelf(n, &p); c != nil {
			return n, p, c
		}
		d := w.look(n, p, iif)
		if d.unknown {
			w.hop(n, nil, p, "where the way to %s leads is not known", p.dst)
			return nil, p, nil
		}
		if iif != nil && !d.local() && w.isOwn(n, p.dst) && !w.looksUpLocal(n, p.family()) {
			return n, p, w.localRuleMissing(n, p.family())
		}
		if !d.local() && d.refused == "" && w.usesItself(n, p.dst) {
			w.hop(n, iif, p, "%s is an address of its own, and it is not taken in", p.dst)
			if c := w.undelivered(n, p, d); c != nil {
				return n, p, c
			}
			return nil, p, nil
		}
		if !d.found() {
			if iif != nil && d.refused == "" && !forwards(n, iif, p.family()) {
				return n, p, w.gatewayWrong(n, iif, p)
			}
			w.hop(n, nil, p, "no route to %s", p.dst)
			return n, p, w.noRoute(n, p, d, iif)
		}
		if d.local() {
			w.arrived = iif
			w.hop(n, iif, p, "%s is an address of its own", p.dst)
			c := w.takeIn(n, iif, &p)
			return n, p, c
		}
		if d.route.Type == "broadcast" {
			w.hop(n, iif, p, "%s is the broadcast address of a network", p.dst)
			w.doubt("whether anybody answers to the broadcast address %s is not known here", p.dst)
			return nil, p, nil
		}
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
		if first := slices.Index(passed, n); first >= 0 {
			w.hop(n, iif, p, "here it was before")
			return n, p, w.routingLoop(n, p, w.stations[len(w.stations)-len(passed)+first:])
		}
		passed = append(passed, n)
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

// leaveSelf is what a packet meets that the namespace sends itself: its source address is chosen, and the output filter
// sees it.
func (w *walk) leaveSelf(n *state.Namespace, p *packet) *Cause {
	d := w.look(n, *p, nil)
	if d.found() && !p.src.IsValid() {
		w.choose(n, p, d)
	}
	if !d.found() {
		return nil // told with the route
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
		p.unbound = false // it is looked up again, as it is (ip_route_me_harder)
	}
	return c
}

// choose gives a packet the source that the kernel chooses for it when it has looked up its way. A connection by IPv4
// is looked up once more with it (ip_route_connect); so does the ping of iputils, which asks for its source first, and
// no other echo.
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
		w.doubt("who asks for the source %s first, as the ping of iputils and TCP do, gets no way to %s: %s", p.src,
			p.dst, by)
	}
	p.unbound = true
}

// arrive is what a packet meets before it is routed: ingress, prerouting, and the kernel's doubts about its source.
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

// sourceDoubted is fib_validate_source: a source that is one's own address, and the reverse path filter (ip-sysctl.rst,
// rp_filter).
func (w *walk) sourceDoubted(n *state.Namespace, iif *state.Link, p *packet) *Cause {
	d := lookup(n, flowOf(*p, iif))
	if d.found() && !d.local() && !forwards(n, iif, 4) || !d.found() {
		return nil // stopped before its source is looked at
	}
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
			w.hop(n, iif, *p, "a packet from its own address %s comes in", p.src)
			return c
		}
	}
	mode := strongest(n, iif, "rp_filter")
	if mode == 0 {
		return nil
	}
	way := flow{src: p.dst, dst: p.src, proto: p.proto, sport: p.dport, dport: p.sport}
	if out := d.dev(n); out != nil && !d.local() {
		way.iif = out.Name // as if it came back the same way (__mkroute_input)
	}
	if vrf := vrfOf(n, iif.Name); vrf != nil {
		way.oif = vrf.Name
	}
	back := lookup(n, way)
	if back.unknown {
		w.doubt("%s: where the way back to %s leads was not read, so what the reverse path filter does is not known",
			n.Name, p.src)
		return nil
	}
	numbered := len(addresses(iif, 4)) > 0 // without an address the loose mode is a strict one
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
		"a packet from %s came in by %s, and the way back to there leads elsewhere", p.src, iif.Name).
		proof(sysctlShown(n, key))
	switch {
	case !back.found():
		missing := w.noRoute(n, p.back(), back, nil)
		c.Says = fmt.Sprintf("a packet from %s came in by %s, and there is no way back to there", p.src, iif.Name)
		c.proof(missing.Evidence...).mendAs(missing).changes = missing.changes
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

func leadsOut(r *state.Route, dev string) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Dev == dev })
}

// forward is what a router does with a packet that is not for itself.
func (w *walk) forward(n *state.Namespace, iif *state.Link, p packet, d decision) *Cause {
	family := p.family()
	if !forwards(n, iif, family) {
		if c := w.misled(n, iif, p); c != nil {
			return c
		}
		w.hop(n, iif, p, "it is for somebody else, and %s does not forward", n.Name)
		return w.forwardingOff(n, iif, family)
	}
	return w.hook(n, "forward", causes.FilterForward, &p, iif, d.dev(n))
}

func (w *walk) forwardingOff(n *state.Namespace, iif *state.Link, family int) *Cause {
	all := forwardingKey(family)
	if family == 6 || sysctl(n, all) == "0" {
		return cause(causes.ForwardingOff, n, nil, "%s is on the way, and it does not forward packets", n.Name).
			proof(in(n, "sysctl %s", all)+": "+sysctl(n, all)).setSysctl(n, all, "1")
	}
	key := ofLink(family, iif.Name, "forwarding")
	return cause(causes.ForwardingOff, n, iif, "%s forwards, but not what comes in by %s", n.Name, iif.Name).
		proof(in(n, "sysctl %s", key)+": 0").setSysctl(n, key, "1")
}

// takeIn is what a packet meets that is for the namespace itself.
func (w *walk) takeIn(n *state.Namespace, iif *state.Link, p *packet) *Cause {
	if iif == nil {
		iif = n.Link("lo")
	}
	if c := w.hook(n, "input", causes.FilterInput, p, iif, nil); c != nil {
		return c
	}
	switch {
	case p.reply || p.proto == "udp": // what a tunnel has sent, its device takes
		return nil
	case p.proto == "tcp":
		return w.listens(n, *p)
	}
	key := "net.ipv4.icmp_echo_ignore_all"
	if p.family() == 6 {
		key = "net.ipv6.icmp.echo_ignore_all"
	}
	if sysctl(n, key) == "1" {
		return cause(causes.EchoIgnored, n, nil, "%s does not answer echo requests, to anybody", n.Name).
			proof(in(n, "sysctl %s", key)+": 1").setSysctl(n, key, "0")
	}
	return nil
}

func (w *walk) listens(n *state.Namespace, p packet) *Cause {
	c := cause(causes.NotListening, n, nil, "nobody in %s listens on %s, TCP port %d", n.Name, p.dst, p.dport)
	for _, l := range n.Listeners {
		if l.Proto != "tcp" || l.Port != p.dport {
			continue
		}
		addr := l.Addr.Unmap()
		if addr == p.dst.WithZone("") || addr.IsUnspecified() &&
			(addr.Is4() == p.dst.Is4() || addr.Is6() && !l.V6Only) {
			return nil
		}
		c.Says = n.Name + " listens on that port, but on " + addr.String() + " alone"
		c.proof(in(n, "ss -ltn") + ": " + netip.AddrPortFrom(addr, l.Port).String())
	}
	if at := w.maybeSentOn; at.n != nil {
		w.doubt("%s: nobody there listens on %s, TCP port %d, unless a rule of %s sends the packet elsewhere: %s",
			n.Name, p.dst, p.dport, at.n.Name, at.rule)
		return nil
	}
	if len(c.Evidence) == 0 {
		c.proof(in(n, "ss -ltn") + ": nothing on that port")
	}
	return c.advise("start the service on " + netip.AddrPortFrom(p.dst, p.dport).String() + " or on all addresses")
}
