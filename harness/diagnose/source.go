package diagnose

import (
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// source is the cause that stops a packet in the sending namespace before any route lookup.
func (w *walk) source(n *state.Namespace, p *packet.Packet) *finding.Cause {
	family := p.Family()
	if zone := p.Dst.Zone(); zone != "" && n.Link(zone) == nil {
		return finding.New(causes.NoInterface, n, nil, "%s has no interface %s to reach %s by", n.Name, zone,
			p.Dst.WithZone("")).
			Proof(words.IP(n, "-br link show") + ": " + strings.Join(facts.LinkNames(n), " "))
	}
	if !routing.HasLocalRule(n, family) {
		return w.localRuleMissing(n, family)
	}
	if p.Dst.IsLinkLocalUnicast() && p.Dst.Is6() && p.Dst.Zone() == "" && len(facts.Ordinary(n)) > 0 {
		c := finding.New(causes.ScopeMissing, n, nil,
			"%s is link-local: it may be on any link, so the link has to be named", p.Dst)
		for _, l := range facts.Ordinary(n) {
			c.Advise(words.In(n, "ping %s%%%s", p.Dst, l.Name))
		}
		return c.Proof("RFC 4007: an address of link-local scope is ambiguous without a zone")
	}
	if c := faults.OwnAddress(w.Map, n, p); c != nil {
		return c
	}
	if w.IsOwn(n, p.Dst) || p.Dst.IsLoopback() {
		return nil
	}
	if len(facts.Ordinary(n)) == 0 {
		return finding.New(causes.NoInterface, n, nil, "%s has no interface but lo", n.Name).
			Proof(words.IP(n, "-br link show") + ": lo").Advise("ip link set IFACE netns " + words.NetnsName(n.Name))
	}
	if family == 6 {
		return faults.Speaks6(w.Map, n, p)
	}
	return nil
}

func (w *walk) localRuleMissing(n *state.Namespace, family int) *finding.Cause {
	w.deliversNothing(n, family)
	return finding.New(causes.LocalRuleMissing, n, nil,
		"no rule of %s looks up the table local, so the namespace delivers nothing locally", n.Name).
		Proof(words.RulesShown(n, family)...).Fix(words.IP(n, "%srule add priority 0 lookup local", words.Six(family)))
}

// bound sets the source address of the query, if the namespace has it and may use it.
func (w *walk) bound(n *state.Namespace, p *packet.Packet) bool {
	for _, o := range w.Owned(w.query.Source) {
		if a, _ := facts.AddressOf(o.L, w.query.Source); o.N == n && facts.Usable(a) &&
			w.query.Source.Is4() == p.Dst.Is4() {
			p.Src = w.query.Source.WithZone("")
			return true
		}
	}
	return false
}

// unbound is the cause why nothing can be sent from the source address of the query. If the namespace does not have it,
// the query is wrong: a doubt, not a cause.
func (w *walk) unbound(n *state.Namespace) *finding.Cause {
	for _, o := range w.Owned(w.query.Source) {
		if a, _ := facts.AddressOf(o.L, w.query.Source); o.N == n && !facts.Usable(a) {
			return faults.UnusableAddress(w.Map, o, a)
		}
	}
	w.doubt("nothing can be sent to %s from %s, which is no address of %s of that family", w.query.To,
		w.query.Source, n.Name)
	return nil
}

// notBeyond: a router forwards a packet with a link-local source only out of the link it came in by (RFC 4291, section
// 2.5.6; ip6_forward(), net/ipv6/ip6_output.c).
func (w *walk) notBeyond(from, router *state.Namespace, iif *state.Link, p packet.Packet,
	d routing.Decision) *finding.Cause {
	if p.Family() == 4 || !p.Src.IsLinkLocalUnicast() || d.Hop == nil || d.Hop.Dev == iif.Name {
		return nil
	}
	w.hop(router, iif, p, "its source %s is link-local, so it is not forwarded to another link", p.Src)
	return faults.NoSource(w.Map, from, p, routing.Lookup(from, routing.FlowOf(p, nil)))
}
