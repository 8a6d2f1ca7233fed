package diagnose

import (
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// The kernel delivers a packet locally if the lookup finds a route of the type local (ip_route_input_slow(),
// net/ipv4/route.c; ip6_route_input(), net/ipv6/route.c). It adds such a route to the table local with each address
// (fib_add_ifaddr(), net/ipv4/fib_frontend.c; addrconf_f6i_alloc(), net/ipv6/route.c). The address alone is not enough.

// undelivered is the cause why a namespace does not locally deliver a packet for an address of its own, for which the
// lookup found no route of the type local; nil if that is a doubt.
func (w *walk) undelivered(n *state.Namespace, p packet.Packet, d routing.Decision) *finding.Cause {
	at := w.OwnLink(n, p.Dst)
	a, _ := facts.AddressOf(at.L, p.Dst)
	if vrf := routing.VrfOf(n, at.L.Name); vrf != nil {
		w.doubt("%s: %s is on %s, which is in the VRF %s: whether %s takes packets for it is not known here", n.Name,
			p.Dst, at.L.Name, vrf.Name, n.Name)
		return nil
	}
	if !at.L.Up && p.Family() == 6 { // keep_addr_on_down: the link is down, its address stays, its route is gone
		return faults.IsDown(w.Map, at, p.Family(), &a)
	}
	local := &state.Rule{Family: p.Family(), Action: "lookup", Table: state.TableLocal}
	route, _ := routing.InTable(n, local, routing.Flow{Src: p.Src, Dst: p.Dst})
	switch {
	case route == nil:
		return faults.LocalRouteMissing(at, a)
	case route.Type == "local":
		return w.localTooLate(n, p, d, route)
	}
	w.doubt("%s: its own address %s has a route in the table local that is not of the type local: %s", n.Name, p.Dst,
		state.RouteText(*route))
	return nil
}

// localTooLate: another rule comes before the one that looks up the table local, or that one does not match the packet.
func (w *walk) localTooLate(n *state.Namespace, p packet.Packet, d routing.Decision,
	route *state.Route) *finding.Cause {
	if d.Rule == nil { // the rule that looks up the table local has selectors that do not match
		return w.localRuleMissing(n, p.Family())
	}
	c := finding.New(causes.RuleDiverts, n, nil,
		"the rule of %s with priority %d applies to packets for %s, its own address, before the table local does",
		n.Name, d.Rule.Priority, p.Dst).
		Proof(words.RuleShown(n, d.Rule), words.RouteShown(n, route))
	free := uint32(0) // a new rule comes after those of the same priority (fib_nl_newrule(), net/core/fib_rules.c)
	for _, r := range facts.RulesOf(n, p.Family()) {
		if r.Priority == free {
			free++
		}
	}
	if free > d.Rule.Priority {
		return c.DeleteRule(n, d.Rule)
	}
	return c.Fix(words.IP(n, "%srule add priority %d lookup local", words.Six(p.Family()), free)).
		Then(func(k *finding.Sketch) {
			in := k.Netns(n.Name)
			in.Rules = append(in.Rules, state.Rule{Family: p.Family(), Priority: free, Action: "lookup",
				Table: state.TableLocal})
		})
}

// misled: the packet came here by a permanent entry in the neighbour table of the previous station, but the address of
// that entry is not here; nil if it is.
func (w *walk) misled(n *state.Namespace, iif *state.Link, p packet.Packet) *finding.Cause {
	if w.fromOutside() {
		return nil
	}
	before := w.stations[len(w.stations)-1]
	next, out := before.p.Dst, before.d.Dev(before.n)
	if via := before.d.Hop.Via; via.IsValid() {
		next = via
	}
	known := facts.NeighbourOf(before.n, out, next)
	if known == nil || known.State != "permanent" || w.IsOwn(n, next) {
		return nil
	}
	w.hop(n, iif, p, "%s is not here", next)
	return finding.New(causes.NeighbourWrong, before.n, out,
		"the neighbour entry of %s for %s has the MAC address %s, that of %s in %s, which does not have the address",
		before.n.Name, next, known.MAC, iif.Name, n.Name).
		Proof(words.IP(before.n, "neigh show dev %s", out.Name)+": "+state.NeighbourText(*known),
			words.LinkShown(n, iif)+" link/ether "+iif.MAC).
		ForgetNeighbour(before.n, out, next)
}
