package diagnose

import (
	"cmp"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/filter"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/neighbour"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/translation"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// hook runs a packet through the base chains at a hook, and translates its addresses at their place in the order. A
// drop is a cause of the given name.
func (w *walk) hook(n *state.Namespace, hook string, name causes.Cause, p *packet.Packet, iif,
	oif *state.Link) *finding.Cause {
	c := w.chains(n, hook, name, p, iif, oif)
	if c != nil {
		w.hop(n, iif, *p, "the packet filter drops the packet")
	}
	return c
}

// chains is hook without a hop in the path.
func (w *walk) chains(n *state.Namespace, hook string, name causes.Cause, p *packet.Packet, iif,
	oif *state.Link) *finding.Cause {
	if len(n.Filters) == 0 && len(n.LegacyFilters) == 0 {
		return nil
	}
	tables := filter.Families(p.Family())
	if hook == "ingress" || hook == "egress" {
		tables = []string{"netdev", "inet"}
	}
	// nf_hook_slow(), net/netfilter/core.c: an accept ends one base chain, and the next one still sees the packet; a
	// drop is final.
	place, translates := translation.Places[hook]
	bases := filter.ChainsAt(n, hook, tables...)
	for i, b := range bases {
		if b.Chain.Type == "nat" || !b.On(iif, oif) {
			continue
		}
		if translates && b.Chain.Priority > place {
			w.translate(n, hook, p, iif, oif)
			translates = false
		}
		w.disputed(n, b, bases[i+1:], filter.Seen{Packet: *p, Iif: iif, Oif: oif})
		if c := w.judge(n, b, name, p, filter.Seen{Iif: iif, Oif: oif}); c != nil {
			return c
		}
	}
	if p.Untracked && !p.Reply {
		w.untracked = append(w.untracked, n)
	}
	if translates {
		w.translate(n, hook, p, iif, oif)
	}
	return nil
}

// judge runs a packet through one base chain, which may mark it.
func (w *walk) judge(n *state.Namespace, b filter.Base, name causes.Cause, p *packet.Packet,
	s filter.Seen) *finding.Cause {
	s.Packet = *p
	o := filter.Judge(n, b, name, w.known(n, s))
	w.doubtAll(o.Doubts)
	if o.Elsewhere != "" && w.maybeSentOn.n == nil {
		w.maybeSentOn = maybeSentOn{n, o.Elsewhere}
	}
	*p = o.Packet
	return o.Cause
}

// disputed notes that the order of a chain and a later one, which is not known, makes a difference to the packet.
func (w *walk) disputed(n *state.Namespace, b filter.Base, later []filter.Base, s filter.Seen) {
	order := filter.Disputed(n, b, later, w.known(n, s))
	if order == "" {
		return
	}
	w.doubt("%s: %s", n.Name, order)
	if w.maybeSentOn.n == nil {
		w.maybeSentOn = maybeSentOn{n, order}
	}
}

// known is a packet with what connection tracking in a namespace knows of it.
func (w *walk) known(n *state.Namespace, s filter.Seen) filter.Seen {
	s.Status = translation.Status(w.translations, n)
	s.Passed = !slices.Contains(w.untracked, n) &&
		slices.ContainsFunc(w.path, func(h Hop) bool { return !h.Reply && h.Netns == n.Name })
	s.Turn = func(rule *state.FilterRule, key string, by []string) int { return w.draw(n, rule, key, by, s.Reply) }
	return s
}

// translate changes the addresses of a packet as the nat chains of a hook do.
func (w *walk) translate(n *state.Namespace, hook string, p *packet.Packet, iif, oif *state.Link) {
	if p.Untracked {
		return
	}
	if p.Reply {
		*p = translation.Undo(w.translations, n, hook, *p)
		return
	}
	r := translation.Apply(n, hook, w.known(n, filter.Seen{Packet: *p, Iif: iif, Oif: oif}))
	w.doubtAll(r.Doubts)
	if r.Others {
		w.translators = append(w.translators, n)
	}
	switch from := hook == "postrouting" || hook == "input"; {
	case r.Perhaps == "":
	case from && w.maybeFrom.n == nil:
		w.maybeFrom = maybeSentOn{n, r.Perhaps}
	case !from && w.maybeSentOn.n == nil:
		w.maybeSentOn = maybeSentOn{n, r.Perhaps}
	}
	*p = r.Packet
	if r.Done != nil {
		w.translations = append(w.translations, *r.Done)
		w.hop(n, nil, *p, "%s becomes %s (%s)", r.Done.Old, r.Done.New, r.Done.How)
	}
}

// filteredQuestion runs the packet filters between two neighbours for a neighbour request and its reply.
func (w *walk) filteredQuestion(from facts.Port, to netip.Addr, owner *topology.Arrival,
	p packet.Packet) *finding.Cause {
	asker := neighbour.Asker(w.Map, from, to, p)
	question, answer := packet.Packet{Src: asker, Dst: to}, packet.Packet{Src: to, Dst: asker, Reply: true}
	if to.Is6() {
		question.Proto, question.ICMP, question.Dst = "ipv6-icmp", "nd-neighbor-solicit", packet.Solicited(to)
		answer.Proto, answer.ICMP = "ipv6-icmp", "nd-neighbor-advert"
	}
	back := slices.Clone(owner.Bridges)
	slices.Reverse(back)
	for i := range back {
		back[i].In, back[i].Out = back[i].Out, back[i].In
	}
	if c := w.filteredDiscovery(from, owner.Port, owner.Bridges, question, p); c != nil {
		return c
	}
	return w.filteredDiscovery(owner.Port, from, back, answer, p.Back())
}

// filteredDiscovery runs the packet filters for a neighbour request or its reply p, from one neighbour over the bridges
// to the other. A chain that drops next as well, the packet that needs the neighbour, is reported for next: the rule
// that accepts next opens the chain for p too.
func (w *walk) filteredDiscovery(from, to facts.Port, over []topology.Passage, p, next packet.Packet) *finding.Cause {
	// ARP passes the hooks of the family arp (arp_xmit() and arp_rcv(), net/ipv4/arp.c); neighbour discovery is ICMPv6,
	// and passes those of ip6 and inet (ndisc_send_skb(), net/ipv6/ndisc.c).
	arp := p.ICMP == ""
	at := func(n *state.Namespace, hook string, iif, oif *state.Link) *finding.Cause {
		tables, name := filter.Families(6), causes.FilterInput
		switch {
		case hook == "ingress" || hook == "egress":
			tables, name = []string{"netdev"}, causes.FilterIngress
		case arp:
			tables, name = []string{"arp"}, causes.FilterARP
		case hook == "output":
			name = causes.FilterOutput
		}
		for _, b := range filter.ChainsAt(n, hook, tables...) {
			if b.Chain.Type != "nat" && b.On(iif, oif) {
				c := w.judge(n, b, name, &p, filter.Seen{Iif: iif, Oif: oif, ARP: arp})
				if c != nil && !arp && (hook == "input" && w.IsOwn(n, next.Dst) || hook == "output" &&
					w.IsOwn(n, next.Src)) {
					connection := map[bool]string{true: "established", false: "new"}[next.Reply]
					c = cmp.Or(w.judge(n, b, name, &next, filter.Seen{Iif: iif, Oif: oif, Tracking: connection}), c)
				}
				if c != nil {
					return c
				}
			}
		}
		return nil
	}
	if c := at(from.N, "output", nil, from.L); c != nil {
		return c
	}
	if c := at(from.N, "egress", nil, from.L); c != nil {
		return c
	}
	for _, b := range over {
		if b.In != nil {
			if c := at(b.N, "ingress", b.In, nil); c != nil {
				return c
			}
		}
		if c := w.filteredBridge(b, p, arp); c != nil {
			return c
		}
		if b.Out != nil {
			if c := at(b.N, "egress", nil, b.Out); c != nil {
				return c
			}
		}
	}
	if c := at(to.N, "ingress", to.L, nil); c != nil {
		return c
	}
	return at(to.N, "input", to.L, nil)
}

// filtered runs the packet filters of a bridge and its ports. What another namespace knows of the packet is no longer
// known there.
func (w *walk) filtered(at topology.Passage, p packet.Packet) *finding.Cause {
	if last := len(w.stations) - 1; last >= 0 && w.stations[last].n != at.N {
		p.Tags = packet.Tags{}
	}
	if at.In != nil {
		if c := w.chains(at.N, "ingress", causes.FilterIngress, &p, at.In, nil); c != nil {
			return c
		}
	}
	if c := w.filteredBridge(at, p, false); c != nil || at.Out == nil {
		return c
	}
	return w.chains(at.N, "egress", causes.FilterIngress, &p, nil, at.Out)
}

// filteredBridge runs the filters of a bridge for a frame from one port to another, or from or to the bridge itself.
// Only the forward hook has both devices (__br_forward(), net/bridge/br_forward.c).
func (w *walk) filteredBridge(at topology.Passage, p packet.Packet, arp bool) *finding.Cause {
	if len(at.N.Filters) == 0 && len(at.N.LegacyFilters) == 0 {
		return nil
	}
	type hook struct {
		name     string
		iif, oif *state.Link
	}
	// From port to port: prerouting in br_handle_frame(), net/bridge/br_input.c, forward in __br_forward(), postrouting
	// in br_forward_finish(), net/bridge/br_forward.c. To the bridge: input in br_pass_frame_up(). From it: output in
	// __br_forward().
	hooks := []hook{{"prerouting", at.In, nil}, {"forward", at.In, at.Out}, {"postrouting", nil, at.Out}}
	switch {
	case at.Out == nil:
		hooks = []hook{hooks[0], {"input", at.In, nil}}
	case at.In == nil:
		hooks = []hook{{"output", nil, at.Out}, hooks[2]}
	}
	for _, h := range hooks {
		for _, b := range filter.ChainsAt(at.N, h.name, "bridge") {
			c := w.judge(at.N, b, causes.FilterBridge, &p, filter.Seen{Iif: h.iif, Oif: h.oif, ARP: arp})
			if c != nil {
				return c
			}
		}
	}
	key := facts.BridgeCalls(p.Family())
	if arp || at.In == nil || at.Out == nil || !facts.CallsFilters(at.N, at.L, p.Family()) {
		return nil
	}
	// br_netfilter runs the forward hook of IP for bridged packets, with the bridge in the place of its ports
	// (brnf_get_logical_dev(), net/bridge/br_netfilter_hooks.c).
	c := w.chains(at.N, "forward", causes.FilterForward, &p, at.L, at.L)
	switch {
	case c == nil:
	case facts.Sysctl(at.N, key) == "1":
		c.Proof(words.SysctlShown(at.N, key))
	default:
		c.Proof(words.IP(at.N, "-d link show dev %s", at.L.Name) + ": nf_call_" +
			map[int]string{4: "iptables", 6: "ip6tables"}[p.Family()] + " 1")
	}
	return c
}
