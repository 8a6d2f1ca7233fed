package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/translation"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// A router that translates the destination of a packet has to see the reply, to reverse the translation. If the new
// destination is a neighbour of the sender, or the sender itself, the reply takes another path, unless the router
// translates the source too.

// answeredByAnother: the reply to a connection came back from another address than that of the query, so the sender has
// no socket for it. Some programs take datagrams from anybody, so of UDP that is a doubt. An echo reply counts, whoever
// sends it.
func (w *walk) answeredByAnother(answer packet.Packet) *finding.Cause {
	if w.query.Port == 0 || answer.Src == w.query.To && answer.Sport == w.query.Port {
		return nil
	}
	t := translation.Redirected(w.translations)
	// with bridge-nf-call-iptables, a bridge of the router may pass the reply to its connection tracking
	if t == nil || slices.ContainsFunc(t.N.Links, func(l state.Link) bool {
		return l.Kind == "bridge" && facts.CallsFilters(t.N, &l, answer.Family())
	}) {
		return nil
	}
	c := translation.SourceKept(*t, answer.Back())
	if w.query.UDP {
		w.doubt("%s, so the answer comes from there, which a program of UDP may take or not", c.Says)
		return nil
	}
	c.Reply = true
	c.Says += "; the reply does not come back by " + t.N.Name + ", and the sender did not ask " + t.New.String()
	return c
}

// sentBack: a packet came back to its sender by a router that translated its destination. The sender drops a packet
// from its own address.
func (w *walk) sentBack(p packet.Packet) *finding.Cause {
	t := translation.Redirected(w.translations)
	if t == nil {
		return nil
	}
	c := translation.SourceKept(*t, p)
	c.Says += ", whose own address that is: it drops packets from itself"
	return c
}

// hairpinOff: a bridge that shows its packets to the filters of IP translates the destination of one already at the
// port that it comes in by, and then bridges it (br_nf_pre_routing_finish(), net/bridge/br_netfilter_hooks.c). If the
// new destination is behind the same port, the bridge drops it, unless that port is a hairpin (should_deliver(),
// net/bridge/br_forward.c). What the bridge itself routes comes from no port, and needs none.
func (w *walk) hairpinOff(n *state.Namespace, iif *state.Link, p packet.Packet, d routing.Decision) *finding.Cause {
	if iif.Kind != "bridge" || d.Dev(n) != iif || !facts.CallsFilters(n, iif, p.Family()) || !slices.ContainsFunc(
		w.translations, func(t translation.Translation) bool { return t.N == n && t.New == p.Dst && !p.Reply }) {
		return nil
	}
	next, before := p.Dst, w.stations[len(w.stations)-1]
	if d.Hop.Via.IsValid() {
		next = d.Hop.Via
	}
	in := w.portTo(facts.At(before.n, before.d.Dev(before.n)), iif, func(a topology.Arrival) (facts.Port, *state.Link) {
		last := a.Bridges[len(a.Bridges)-1]
		return last.Port, last.In
	}, func(a topology.Arrival) bool { return a.N == n && a.L == iif })
	out := w.portTo(facts.At(n, iif), iif, func(a topology.Arrival) (facts.Port, *state.Link) {
		return a.Bridges[0].Port, a.Bridges[0].Out
	}, func(a topology.Arrival) bool { return a.N != n && w.AnswersFor(a.Port, next) })
	if in == nil || in != out || in.Port == nil || in.Port.Hairpin {
		return nil
	}
	w.hop(n, in, p, "back out of the port that it came in by")
	set := words.In(n, "bridge link set dev %s hairpin on", in.Name)
	return finding.New(causes.HairpinOff, n, in,
		"the bridge %s in %s translates the packet at its port %s, and is to send it out of the same port, but hairpin "+
			"is off there", iif.Name, n.Name, in.Name).
		Proof(words.In(n, "bridge -d link show dev %s", in.Name)+": hairpin off", words.IP(n, "-d link show dev %s",
			iif.Name)+", "+words.SysctlShown(n, facts.BridgeCalls(p.Family()))).
		Fix(set).Then(func(k *finding.Sketch) {
		if _, l := k.Link(n.Name, in.Name); l.Port != nil {
			own := *l.Port
			own.Hairpin, l.Port = true, &own
		}
	})
}

// portTo is the port of a bridge that frames of a link pass to the first link that fits; nil if they pass none.
func (w *walk) portTo(from facts.Port, bridge *state.Link, port func(topology.Arrival) (facts.Port, *state.Link),
	fits func(topology.Arrival) bool) *state.Link {
	for _, a := range w.Map.Segment(from, topology.Frame{}).Arrivals {
		if a.Obstacle != nil || len(a.Bridges) == 0 || !fits(a) {
			continue
		}
		if of, l := port(a); of.L == bridge {
			return l
		}
	}
	return nil
}
