package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
)

// A router that gives a packet another destination sees the answer only if that has to come back by it. Where the new
// destination is a neighbour of the sender, or the sender itself, the router has to put itself in the sender's place,
// too.

// answeredByAnother: the answer to a connection came back, but not from the address that was asked: the sender refuses
// it. An echo is taken, whoever answers.
func (w *walk) answeredByAnother(answer packet) *Cause {
	if answer.proto != "tcp" || answer.src == w.query.To && answer.sport == w.query.Port {
		return nil
	}
	t := w.redirected()
	// then a bridge of the router may show it the answer
	if t == nil || sysctl(t.n, bridgeCalls(answer.family())) == "1" {
		return nil
	}
	c := w.sourceKept(*t, answer.back())
	c.Reply = true
	c.Says += "; the answer does not come back by " + t.n.Name + ", and nobody asked " + t.new.String()
	return c
}

// sentBack: a packet came back to its sender by a router that gave it another destination. From its own address it
// takes none.
func (w *walk) sentBack(p packet) *Cause {
	t := w.redirected()
	if t == nil {
		return nil
	}
	c := w.sourceKept(*t, p)
	c.Says += ", whose own address that is: it takes no packet from itself"
	return c
}

// redirected is where the packet got another destination, nil for nowhere.
func (w *walk) redirected() *translation {
	i := slices.IndexFunc(w.translations, func(t translation) bool { return !t.source })
	if i < 0 {
		return nil
	}
	return &w.translations[i]
}

func (w *walk) sourceKept(t translation, p packet) *Cause {
	c := cause(causes.TranslationMissing, t.n, nil, "%s sends packets for %s on to %s and leaves them their source %s",
		t.n.Name, t.old, t.new, p.src).proof(t.shown)
	family := families(p.family())[0]
	rule := family + " saddr " + addr(p.src) + " " + family + " daddr " + addr(p.dst) + " masquerade"
	for _, b := range chainsAt(t.n, "postrouting", families(p.family())...) {
		if b.chain.Type == "nat" {
			return c.mend(in(t.n, "nft insert rule %s %s %s %s", b.table.Family, b.table.Name, b.chain.Name, rule))
		}
	}
	return c.mend(in(t.n, "nft add table %s hairpin", family),
		in(t.n, "nft add chain %s hairpin postrouting %s", family, "{ type nat hook postrouting priority 100; }"),
		in(t.n, "nft add rule %s hairpin postrouting %s", family, rule))
}
