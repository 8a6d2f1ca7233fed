package diagnose

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// gatewayWrong blames the route of the previous station, whose next hop is not a router towards the destination, or the
// rule that led to that route.
func (w *walk) gatewayWrong(n *state.Namespace, iif *state.Link, p packet.Packet) *finding.Cause {
	before := w.stations[len(w.stations)-1]
	if c := w.misled(n, iif, p); c != nil {
		return c
	}
	if c := w.ledAstray(before); c != nil {
		return c
	}
	w.hop(n, iif, p, "%s neither forwards nor has a route on to %s", n.Name, p.Dst)
	c := finding.New(causes.GatewayWrong, before.n, nil,
		"the route of %s to %s leads to %s, which is not a router towards %s", before.n.Name, p.Dst, n.Name, p.Dst)
	key := facts.ForwardingKey(p.Family())
	c.Proof(words.RouteShown(before.n, before.d.Route), words.In(n, "sysctl %s", key)+": "+facts.Sysctl(n, key))
	if !w.mend().OtherGateway(c, before.n, p.Dst, before.d.Route) {
		c.Advise(words.IP(before.n, "%sroute replace %s via GATEWAY", words.Six(p.Family()),
			state.PrefixText(before.d.Route.To)))
	}
	return c
}

// ownGateway: the gateway is an address of the namespace itself.
func (w *walk) ownGateway(n *state.Namespace, p packet.Packet, via netip.Addr, r *state.Route) *finding.Cause {
	for _, o := range w.Owned(via) {
		if a, ok := facts.AddressOf(o.L, via); ok && o.N == n && !facts.Usable(a) {
			return faults.UnusableAddress(w.Map, o, a) // the address is the gateway's, assigned here by mistake
		}
	}
	c := finding.New(causes.GatewayWrong, n, nil, "the gateway %s of %s is its own address", via,
		n.Name).Proof(words.RouteShown(n, r))
	if !w.mend().OtherGateway(c, n, p.Dst, r) {
		c.Advise(words.IP(n, "%sroute replace %s via GATEWAY", words.Six(p.Family()), state.PrefixText(r.To)))
	}
	return c
}

// routingLoop: the packet comes back to a router that it has passed. The repair is at the last router of the loop that
// has a better gateway.
func (w *walk) routingLoop(n *state.Namespace, p packet.Packet, loop []station) *finding.Cause {
	for _, at := range loop {
		if c := w.ledAstray(at); c != nil {
			return c
		}
	}
	c := finding.New(causes.RoutingLoop, n, nil, "packets for %s come back to %s, and loop until their TTL expires",
		p.Dst, n.Name)
	for _, at := range loop {
		c.Proof(words.RouteShown(at.n, at.d.Route))
	}
	for _, at := range slices.Backward(loop) {
		for _, h := range w.mend().Instead(at.n, p.Dst, at.d.Route, w.mend().Gateways(at.n, p.Dst)) {
			if w.Improves(finding.DeleteRoute(at.n.Name, at.d.Route), finding.AddRoute(at.n.Name, at.d.Route.To, h)) {
				repair.ReplaceGateway(c, at.n, at.d.Route, h)
				return c
			}
		}
	}
	return c.Advise(words.IP(loop[len(loop)-1].n, "%sroute replace %s via GATEWAY", words.Six(p.Family()),
		w.NetworkOf(p.Dst)))
}
