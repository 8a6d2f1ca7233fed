package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
)

// A router that translates the destination of a packet has to see the reply, to reverse the translation. If the new
// destination is a neighbour of the sender, or the sender itself, the reply takes another path, unless the router
// translates the source too.

// answeredByAnother: the reply to a connection came back from another address than that of the query, so the sender has
// no socket for it. An echo reply counts, whoever sends it.
func (w *walk) answeredByAnother(answer packet) *Cause {
	if answer.proto != "tcp" || answer.src == w.query.To && answer.sport == w.query.Port {
		return nil
	}
	t := w.redirected()
	// with bridge-nf-call-iptables, a bridge of the router may pass the reply to its connection tracking
	if t == nil || sysctl(t.n, bridgeCalls(answer.family())) == "1" {
		return nil
	}
	c := w.sourceKept(*t, answer.back())
	c.Reply = true
	c.Says += "; the reply does not come back by " + t.n.Name + ", and the sender did not ask " + t.new.String()
	return c
}

// sentBack: a packet came back to its sender by a router that translated its destination. The sender drops a packet
// from its own address.
func (w *walk) sentBack(p packet) *Cause {
	t := w.redirected()
	if t == nil {
		return nil
	}
	c := w.sourceKept(*t, p)
	c.Says += ", whose own address that is: it drops packets from itself"
	return c
}

// redirected is the first translation of the packet's destination; nil if there is none.
func (w *walk) redirected() *translation {
	i := slices.IndexFunc(w.translations, func(t translation) bool { return !t.source })
	if i < 0 {
		return nil
	}
	return &w.translations[i]
}

// sourceKept is the cause for a router that translates the destination of a packet and should translate its source too.
func (w *walk) sourceKept(t translation, p packet) *Cause {
	c := cause(causes.TranslationMissing, t.n, nil, "%s sends packets for %s on to %s but leaves their source %s",
		t.n.Name, t.old, t.new, p.src).proof(t.shown)
	family := families(p.family())[0]
	rule := family + " saddr " + addr(p.src) + " " + family + " daddr " + addr(p.dst) + " masquerade"
	for _, b := range chainsAt(t.n, "postrouting", families(p.family())...) {
		if b.chain.Type == "nat" {
			return c.fix(in(t.n, "nft insert rule %s %s %s %s", b.table.Family, b.table.Name, b.chain.Name, rule))
		}
	}
	return c.fix(in(t.n, "nft add table %s hairpin", family),
		in(t.n, "nft add chain %s hairpin postrouting %s", family, "{ type nat hook postrouting priority 100; }"),
		in(t.n, "nft add rule %s hairpin postrouting %s", family, rule))
}
