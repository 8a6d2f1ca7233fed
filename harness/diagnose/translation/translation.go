// Package translation changes the addresses of a packet as the nat chains of a namespace do, and those of its reply
// back, as connection tracking does. It imports state, the filter and what that imports; only the diagnosis imports it.
// It keeps nothing between two packets: what was translated is a value that the caller hands back.
package translation

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/filter"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Places are the priorities at which addresses are translated, whatever the priority of a nat chain is
// (nf_nat_ipv4_ops and nf_nat_ipv6_ops, net/netfilter/nf_nat_proto.c).
var Places = map[string]int{"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}

// Translation is a change that a namespace made to an address of the packet; connection tracking reverses it for the
// reply.
type Translation struct {
	N        *state.Namespace
	How      string // the verdict of the rule: masquerade, snat, dnat or redirect
	source   bool   // the source was translated, else the destination
	Old, New netip.Addr
	oldPort  uint16
	newPort  uint16
	shown    string // the rule, with the command that shows it
}

// Result is what the nat chains of a hook do with the first packet of a connection.
type Result struct {
	Packet packet.Packet
	Done   *Translation // nil if no rule translates the packet
	// Perhaps is the first rule that is not understood and may have translated the packet; "" without one.
	Perhaps string
	// Others is set if a chain translates the source of other packets, but not of this one.
	Others bool
	Doubts []string
}

// Apply applies the nat chains at a hook: nf_nat_inet_fn(), net/netfilter/nf_nat_core.c. Only the first packet of a
// connection runs through them; connection tracking remembers the result, and reverses it for replies (Undo).
func Apply(n *state.Namespace, hook string, s filter.Seen) (res Result) {
	res.Packet = s.Packet
	bases := slices.DeleteFunc(filter.ChainsAt(n, hook, filter.Families(s.Family())...), func(b filter.Base) bool {
		return b.Chain.Type != "nat"
	})
	for i, b := range bases {
		r := filter.NewRun(n, b, s)
		rule := r.Translates(b)
		res.Doubts, res.Packet.Tags = append(res.Doubts, r.Doubts...), r.Tags()
		if rule != nil {
			t := translationBy(n, b, hook, rule, s)
			res.Done, res.Packet = &t, t.apply(res.Packet)
			res.dispute(n, b, bases[i+1:], hook, s)
			return res
		}
		res.Others = res.Others || hook == "postrouting" && translates(b.Table, b.Chain)
		if res.Perhaps == "" {
			res.Perhaps = r.Elsewhere
		}
	}
	return res
}

// dispute looks for a later chain that would translate the packet in another way, and may come first: one of
// iptables-legacy beside one of nf_tables.
func (res *Result) dispute(n *state.Namespace, b filter.Base, later []filter.Base, hook string, s filter.Seen) {
	for _, other := range later {
		if !b.Beside(other) {
			continue
		}
		r := filter.NewRun(n, other, s)
		rule := r.Translates(other)
		alike := rule == nil && r.Elsewhere == ""
		if rule != nil {
			changed := translationBy(n, other, hook, rule, s).apply(s.Packet)
			changed.Tags = res.Packet.Tags
			alike = changed == res.Packet
		}
		if alike {
			continue
		}
		res.Doubts = append(res.Doubts, n.Name+": "+b.Order(other))
		if res.Perhaps == "" {
			res.Perhaps = b.Order(other)
		}
	}
}

// ofSource reports whether a hook translates sources: postrouting and input do, prerouting and output translate
// destinations (HOOK2MANIP, include/net/netfilter/nf_nat.h).
func ofSource(hook string) bool { return hook == "postrouting" || hook == "input" }

// translationBy is what a rule does to a packet. masquerade: the new address is that of the outgoing link
// (nf_nat_masquerade_ipv4(), net/netfilter/nf_nat_masquerade.c). redirect: that of the incoming link, or at output the
// loopback address (nf_nat_redirect_ipv4(), net/netfilter/nf_nat_redirect.c).
func translationBy(n *state.Namespace, b filter.Base, hook string, rule *state.FilterRule, s filter.Seen) Translation {
	t := Translation{N: n, How: rule.Verdict, source: ofSource(hook), oldPort: s.Dport, newPort: s.Dport,
		shown: b.Shows(n, rule)}
	switch rule.Verdict {
	case "masquerade":
		t.Old, t.New = s.Src, facts.FirstAddress(s.Oif, s.Family())
	case "snat":
		t.Old, t.New = s.Src, rule.Addr
	case "dnat":
		t.Old, t.New = s.Dst, rule.Addr
	case "redirect":
		if t.Old, t.New = s.Dst, facts.FirstAddress(s.Iif, s.Family()); hook == "output" {
			t.New = loopbackOf(s.Family())
		}
	}
	if !t.New.IsValid() {
		t.New = t.Old
	}
	if !t.source && rule.Port != 0 {
		t.newPort = rule.Port
	}
	return t
}

// apply is the packet after the translation.
func (t Translation) apply(p packet.Packet) packet.Packet {
	if t.source {
		p.Src = t.New
	} else {
		p.Dst, p.Dport = t.New, t.newPort
	}
	return p
}

// translates reports whether a chain translates the source of some packets.
func translates(t *state.FilterTable, c *state.FilterChain) bool {
	queue := []*state.FilterChain{c}
	for i := 0; i < len(queue); i++ {
		for _, r := range queue[i].Rules {
			if r.Verdict == "masquerade" || r.Verdict == "snat" {
				return true
			}
			if to := filter.ChainNamed(t, r.Target); to != nil && !slices.Contains(queue, to) {
				queue = append(queue, to)
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

// Status is what connection tracking has done to a connection in a namespace, in the words of `ct status`.
func Status(done []Translation, n *state.Namespace) (all []string) {
	for _, t := range done {
		if t.N == n {
			all = append(all, map[bool]string{true: "snat", false: "dnat"}[t.source])
		}
	}
	return all
}

// Undo reverses for a reply at a hook what a namespace did to the first packet: where sources are translated, it
// restores what was the destination then, and the other way round (nf_nat_packet(), net/netfilter/nf_nat_core.c).
func Undo(done []Translation, n *state.Namespace, hook string, p packet.Packet) packet.Packet {
	for _, t := range slices.Backward(done) {
		switch {
		case t.N != n || t.source == ofSource(hook):
		case t.source && p.Dst == t.New:
			p.Dst = t.Old
		case !t.source && p.Src == t.New:
			p.Src, p.Sport = t.Old, t.oldPort
		}
	}
	return p
}

// Missing: a reply is lost because a router on the path, which translates other sources, does not translate those of a
// network. The repair translates that network, and only where the packet left.
func Missing(n *state.Namespace, from netip.Prefix, out *state.Link, lost *finding.Cause) *finding.Cause {
	c := finding.New(causes.TranslationMissing, n, nil,
		"%s translates the source of some packets, but not of these, and %s has no route back to it", n.Name,
		lost.Netns)
	c.Reply = true
	for _, b := range filter.ChainsAt(n, "postrouting", filter.Families(facts.FamilyOf(from.Addr()))...) {
		if b.Chain.Type != "nat" {
			continue
		}
		for _, rule := range b.Chain.Rules {
			c.Proof(b.Shows(n, &rule))
		}
		switch {
		case len(c.Repair) > 0:
		case b.Legacy:
			c.Fix(words.In(n, "%s -t nat -A POSTROUTING -s %s -o %s -j MASQUERADE", b.Program(), state.PrefixText(from),
				out.Name))
		default:
			family := filter.Families(facts.FamilyOf(from.Addr()))[0]
			match := family + " saddr " + state.PrefixText(from) + " oifname "
			c.Fix(words.In(n, "nft add rule %s %s%s masquerade", b.Place(), match, `"`+out.Name+`"`)).
				Then(finding.AddRule(n.Name, b.Table, b.Chain.Name, 0, state.FilterRule{
					Text: match + `"` + out.Name + `" masquerade`, Verdict: "masquerade",
					Matches: []state.FilterMatch{{Key: family + " saddr", Values: []string{from.String()}},
						{Key: "oifname", Values: []string{out.Name}}}}))
		}
	}
	return c.Proof(lost.Evidence...)
}

// Redirected is the first translation of the packet's destination; nil if there is none.
func Redirected(done []Translation) *Translation {
	i := slices.IndexFunc(done, func(t Translation) bool { return !t.source })
	if i < 0 {
		return nil
	}
	return &done[i]
}

// SourceKept is the cause for a router that translates the destination of a packet and should translate its source too.
func SourceKept(t Translation, p packet.Packet) *finding.Cause {
	c := finding.New(causes.TranslationMissing, t.N, nil, "%s sends packets for %s on to %s but leaves their source %s",
		t.N.Name, t.Old, t.New, p.Src).Proof(t.shown)
	family := filter.Families(p.Family())[0]
	rule := family + " saddr " + words.Addr(p.Src) + " " + family + " daddr " + words.Addr(p.Dst) + " masquerade"
	for _, b := range filter.ChainsAt(t.N, "postrouting", filter.Families(p.Family())...) {
		if b.Chain.Type == "nat" && b.Legacy {
			return c.Fix(words.In(t.N, "%s -t nat -I POSTROUTING -s %s -d %s -j MASQUERADE", b.Program(),
				words.Addr(p.Src), words.Addr(p.Dst)))
		}
		if b.Chain.Type == "nat" {
			return c.Fix(words.In(t.N, "nft insert rule %s %s %s %s", b.Table.Family, b.Table.Name, b.Chain.Name, rule))
		}
	}
	return c.Fix(words.In(t.N, "nft add table %s hairpin", family),
		words.In(t.N, "nft add chain %s hairpin postrouting %s", family, "{ type nat hook postrouting priority 100; }"),
		words.In(t.N, "nft add rule %s hairpin postrouting %s", family, rule))
}
