package diagnose

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// translation is a change that a namespace made to an address of the packet; connection tracking reverses it for the
// reply.
type translation struct {
	n        *state.Namespace
	source   bool // the source was translated, else the destination
	old, new netip.Addr
	oldPort  uint16
	newPort  uint16
	shown    string // the rule, with the command that shows it
}

// maybeSentOn is the first rule that is not understood and may have changed the destination of the packet.
type maybeSentOn struct {
	n    *state.Namespace
	rule string
}

// translate applies the nat chains at a hook: nf_nat_inet_fn(), net/netfilter/nf_nat_core.c. Only the first packet of a
// connection runs through them; connection tracking remembers the result, and reverses it for replies.
func (w *walk) translate(n *state.Namespace, hook string, p *packet, iif, oif *state.Link) {
	// The source is translated at postrouting and input, the destination at prerouting and output (HOOK2MANIP,
	// include/net/netfilter/nf_nat.h). A reply is translated without the chains: nf_nat_packet().
	source := hook == "postrouting" || hook == "input"
	if p.reply {
		w.untranslate(n, source, p)
		return
	}
	for _, b := range chainsAt(n, hook, families(p.family())...) {
		if b.chain.Type != "nat" {
			continue
		}
		r := &run{walk: w, n: n, table: b.table,
			seen: seen{packet: *p, iif: iif, oif: oif, tracking: w.tracking(n, b, *p), status: w.status(n)}}
		rule, _ := r.translation(b.chain, 0)
		if hook == "postrouting" && rule == nil && translates(b.table, b.chain) {
			w.translators = append(w.translators, n)
		}
		if rule == nil {
			if !source && r.unsettled != "" && w.maybeSentOn.n == nil {
				w.maybeSentOn = maybeSentOn{n, r.unsettled}
			}
			continue
		}
		// The new address. masquerade: that of the outgoing link (nf_nat_masquerade_ipv4(),
		// net/netfilter/nf_nat_masquerade.c). redirect: that of the incoming link, or at output the loopback address
		// (nf_nat_redirect_ipv4(), net/netfilter/nf_nat_redirect.c).
		t := translation{n: n, source: source, oldPort: p.dport, newPort: p.dport,
			shown: in(n, "nft list chain %s %s %s", b.table.Family, b.table.Name, b.chain.Name) + ": " + rule.Text}
		switch rule.Verdict {
		case "masquerade":
			t.old, t.new = p.src, firstAddress(oif, p.family())
		case "snat":
			t.old, t.new = p.src, rule.Addr
		case "dnat":
			t.old, t.new = p.dst, rule.Addr
		case "redirect":
			if t.old, t.new = p.dst, firstAddress(iif, p.family()); hook == "output" {
				t.new = loopbackOf(p.family())
			}
		default:
			continue
		}
		if !t.new.IsValid() {
			t.new = t.old
		}
		if t.source {
			p.src = t.new
		} else {
			p.dst = t.new
			if rule.Port != 0 {
				t.newPort, p.dport = rule.Port, rule.Port
			}
		}
		w.translations = append(w.translations, t)
		w.hop(n, nil, *p, "%s becomes %s (%s)", t.old, t.new, rule.Verdict)
		return
	}
}

// translation is the rule of a nat chain that translates the packet, nil if none does; over means that no later rule
// counts. A rule that is not understood and may translate is a doubt: from there on the packet may have other
// addresses.
func (r *run) translation(c *state.FilterChain, deep int) (rule *state.FilterRule, over bool) {
	for i := range c.Rules {
		rule := &c.Rules[i]
		fits, known := r.fits(rule)
		if !known {
			r.doubtful(c, rule)
		}
		if !fits {
			continue
		}
		switch rule.Verdict {
		case "masquerade", "snat", "dnat", "redirect":
			if r.unsettled != "" {
				r.doubt("%s: whether “%s” translates the packet depends on an earlier rule: %s", r.n.Name, rule.Text,
					r.unsettled)
			}
			return rule, true
		case "accept", "drop":
			return nil, true
		case "return":
			return nil, false
		case "jump", "goto":
			target := chainNamed(r.table, rule.Target)
			if target == nil || deep >= depth {
				r.doubtful(c, rule)
				continue
			}
			if found, over := r.translation(target, deep+1); over {
				return found, true
			}
			if rule.Verdict == "goto" {
				return nil, false
			}
		}
	}
	return nil, false
}

// translates reports whether a chain translates the source of some packets.
func translates(t *state.FilterTable, c *state.FilterChain) bool {
	for i := range c.Rules {
		switch c.Rules[i].Verdict {
		case "masquerade", "snat":
			return true
		case "jump", "goto":
			if target := chainNamed(t, c.Rules[i].Target); target != nil && target != c && translates(t, target) {
				return true
			}
		}
	}
	return false
}

func loopbackOf(family int) netip.Addr {
	if family == 6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func firstAddress(l *state.Link, family int) netip.Addr {
	if l != nil {
		for _, a := range addresses(l, family) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// status is what connection tracking has done to the connection in a namespace, in the words of `ct status`.
func (w *walk) status(n *state.Namespace) (words []string) {
	for _, t := range w.translations {
		if t.n == n {
			words = append(words, map[bool]string{true: "snat", false: "dnat"}[t.source])
		}
	}
	return words
}

// untranslate reverses for a reply what a namespace did to the first packet: where sources are translated, it restores
// what was the destination then, and the other way round (nf_nat_packet(), net/netfilter/nf_nat_core.c).
func (w *walk) untranslate(n *state.Namespace, source bool, p *packet) {
	for i := len(w.translations) - 1; i >= 0; i-- {
		t := w.translations[i]
		switch {
		case t.n != n || t.source == source:
		case t.source && p.dst == t.new:
			p.dst = t.old
		case !t.source && p.src == t.new:
			p.src, p.sport = t.old, t.oldPort
		}
	}
}

// translationMissing: the reply is lost because a router on the path, which translates other sources, does not
// translate this one.
func (w *walk) translationMissing(lost *Cause) *Cause {
	if len(w.translators) == 0 || !causes.TranslationMissing.Explains(lost.Name) {
		return nil
	}
	n := w.translators[0]
	c := cause(causes.TranslationMissing, n, nil,
		"%s translates the source of some packets, but not of these, and %s has no route back to it", n.Name,
		lost.Netns)
	c.Reply = true
	for i := range n.Filters {
		t := &n.Filters[i]
		if !slices.Contains(families(familyOf(w.query.To)), t.Family) {
			continue
		}
		for j := range t.Chains {
			ch := &t.Chains[j]
			if ch.Type != "nat" || ch.Hook != "postrouting" {
				continue
			}
			for k := range ch.Rules {
				c.proof(in(n, "nft list chain %s %s %s", t.Family, t.Name, ch.Name) + ": " + ch.Rules[k].Text)
			}
			if len(c.Repair) == 0 {
				c.fix(in(n, "nft add rule %s %s %s masquerade", t.Family, t.Name, ch.Name))
			}
		}
	}
	return c.proof(lost.Evidence...)
}
