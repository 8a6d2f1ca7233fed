package diagnose

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// seen is a packet as a packet filter sees it at a hook.
type seen struct {
	packet
	iif, oif *state.Link
	arp      bool
	// status is snat or dnat where connection tracking has replaced an address of the connection here.
	status string
}

// base is a base chain and its table.
type base struct {
	table *state.FilterTable
	chain *state.FilterChain
}

// chainsAt are the base chains at a hook that see packets of these families, in the order in which they do.
func chainsAt(n *state.Namespace, hook string, families ...string) (found []base) {
	for i := range n.Filters {
		t := &n.Filters[i]
		if !slices.Contains(families, t.Family) {
			continue
		}
		for j := range t.Chains {
			if t.Chains[j].Hook == hook {
				found = append(found, base{t, &t.Chains[j]})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b base) int { return cmp.Compare(a.chain.Priority, b.chain.Priority) })
	return found
}

// families are those of the tables that see packets of an address family.
func families(family int) []string {
	if family == 6 {
		return []string{"ip6", "inet"}
	}
	return []string{"ip", "inet"}
}

// filtered runs a packet through the filter chains at a hook of its family; the cause has the name given.
func (w *walk) filtered(n *state.Namespace, hook, name string, p packet, iif, oif *state.Link) *Cause {
	if len(n.Filters) == 0 {
		return nil
	}
	tables := families(p.family())
	if hook == "ingress" {
		tables = []string{"netdev", "inet"}
	}
	for _, b := range chainsAt(n, hook, tables...) {
		if b.chain.Type == "nat" || len(b.chain.Devices) > 0 && (iif == nil || !slices.Contains(b.chain.Devices, iif.Name)) {
			continue
		}
		if c := w.judge(n, b, name, seen{packet: p, iif: iif, oif: oif, status: w.status(n)}); c != nil {
			w.hop(n, iif, p, "the packet filter stops it")
			return c
		}
	}
	return nil
}

// judge runs a packet through one base chain. A drop that an earlier rule may have prevented is a doubt and no cause.
func (w *walk) judge(n *state.Namespace, b base, name string, s seen) *Cause {
	r := &run{walk: w, n: n, table: b.table, seen: s}
	verdict, by := r.through(b.chain, 0)
	if verdict != "drop" && verdict != "reject" {
		return nil
	}
	place := b.table.Family + " " + b.table.Name + " " + b.chain.Name
	if r.unsettled != "" {
		w.doubt("%s: %s %s would %s the packet, unless an earlier rule lets it through: “%s”", n.Name, place, byWhat(by), verdict, r.unsettled)
		return nil
	}
	if by == nil {
		c := cause(name, n, nil, "the policy of the chain %s in %s drops the packet", place, n.Name).
			proof(in(n, "nft list chain %s", place) + ": policy drop")
		for _, rule := range r.openings(b.chain) {
			c.mend(in(n, "nft add rule %s %s", place, rule))
		}
		return c
	}
	c := cause(name, n, nil, "a rule of the chain %s in %s says %s", place, n.Name, verdict).
		proof(in(n, "nft list chain %s", place) + ": " + by.rule.Text)
	return c.mend(in(n, "nft delete rule %s %s %s handle %d", b.table.Family, b.table.Name, by.chain.Name, by.rule.Handle))
}

// decided is the rule that decided, and its chain.
type decided struct {
	chain *state.FilterChain
	rule  *state.FilterRule
}

func byWhat(by *decided) string {
	if by == nil {
		return "by its policy"
	}
	return "by the rule “" + by.rule.Text + "”"
}

// depth is how many jumps deep chains are followed (NFT_JUMP_STACK_SIZE).
const depth = 16

// run is a packet on its way through a base chain and those that are jumped to from there.
type run struct {
	*walk
	n     *state.Namespace
	table *state.FilterTable
	seen  seen
	// unsettled is the first rule of which nobody here knows whether it lets the packet through, and so keeps it from what follows.
	unsettled string
}

// through runs the packet through a chain: the verdict, "" when it comes to the end of one that has no policy. by is nil for a policy.
func (r *run) through(c *state.FilterChain, deep int) (verdict string, by *decided) {
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
		case "":
		case "accept", "drop", "reject":
			return rule.Verdict, &decided{c, rule}
		case "return":
			return c.Policy, nil
		case "jump", "goto":
			target := chainNamed(r.table, rule.Target)
			if target == nil || deep >= depth {
				r.doubtful(c, rule)
				continue
			}
			if v, by := r.through(target, deep+1); v != "" {
				return v, by
			}
			if rule.Verdict == "goto" {
				return c.Policy, nil
			}
		default: // queue, and what else gives the packet to somebody who is not known here
			r.doubtful(c, rule)
			return rule.Verdict, &decided{c, rule}
		}
	}
	return c.Policy, nil
}

func chainNamed(t *state.FilterTable, name string) *state.FilterChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// fits says whether a rule takes the packet; known is false, and fits with it, where that cannot be judged.
func (r *run) fits(rule *state.FilterRule) (fits, known bool) {
	known = !rule.Opaque
	for _, m := range rule.Matches {
		fits, understood := r.seen.match(m)
		if m.Key == "mark" && setsMarks(r.n) || slices.Contains(m.Values, "") { // a value that could not be read
			understood = false
		}
		if understood && !fits {
			return false, true
		}
		known = known && understood
	}
	return known, known
}

// setsMarks says whether a rule of the namespace may set the mark of a packet, which has none when it comes there: those that do are opaque.
func setsMarks(n *state.Namespace) bool {
	for _, t := range n.Filters {
		for _, c := range t.Chains {
			if slices.ContainsFunc(c.Rules, func(r state.FilterRule) bool { return r.Opaque }) {
				return true
			}
		}
	}
	return false
}

// doubtful notes what a rule that is not understood may do to the packet. That it may let it through is a doubt only if something drops it later.
func (r *run) doubtful(c *state.FilterChain, rule *state.FilterRule) {
	if rule.Verdict == "" && !mayDecide(rule) {
		return
	}
	if rule.Verdict != "accept" {
		r.doubt("%s: whether the rule “%s” of %s %s %s fits, or what it does, is not known here", r.n.Name, rule.Text, r.table.Family, r.table.Name, c.Name)
	}
	if rule.Verdict != "drop" && rule.Verdict != "reject" && r.unsettled == "" {
		r.unsettled = rule.Text
	}
}

// mayDecide says whether a rule without a verdict that is not understood may decide nevertheless: by one of the expressions of nf_tables that
// give a verdict of their own. The text has their names in brackets. Others set something, or match.
func mayDecide(rule *state.FilterRule) bool {
	return slices.ContainsFunc([]string{"[queue", "[fwd", "[dup", "[tproxy", "[synproxy", "[lookup", "[immediate", "[xt target", "[nat", " vmap "},
		func(word string) bool { return strings.Contains(rule.Text, word) })
}

// filteredARP asks the filters of both sides about the ARP request (they see the answer too).
func (w *walk) filteredARP(n *state.Namespace, out *state.Link, owner port, to netip.Addr) *Cause {
	request := packet{dst: to}
	for _, at := range []struct {
		n        *state.Namespace
		hook     string
		iif, oif *state.Link
	}{{n, "output", nil, out}, {owner.n, "input", owner.l, nil}, {owner.n, "output", nil, owner.l}, {n, "input", out, nil}} {
		for _, b := range chainsAt(at.n, at.hook, "arp") {
			if c := w.judge(at.n, b, "filter-arp", seen{packet: request, iif: at.iif, oif: at.oif, arp: true}); c != nil {
				return c
			}
		}
	}
	return nil
}

// filteredBridge asks the filters of a bridge about a frame that goes from one port to another, or to the bridge itself.
func (s *search) filteredBridge(n *state.Namespace, hook string, in, out *state.Link) *Cause {
	if len(n.Filters) == 0 || !s.p.dst.IsValid() {
		return nil
	}
	// Only at the hook forward a frame has both its devices (br_handle_frame, br_pass_frame_up, br_forward_finish).
	hooks := []struct {
		name     string
		iif, oif *state.Link
	}{{"prerouting", in, nil}, {hook, in, nil}}
	if hook == "forward" {
		hooks[1].oif = out
		hooks = append(hooks, hooks[0])
		hooks[2].name, hooks[2].iif, hooks[2].oif = "postrouting", nil, out
	}
	for _, h := range hooks {
		for _, b := range chainsAt(n, h.name, "bridge") {
			if c := s.judge(n, b, "filter-bridge", seen{packet: s.p, iif: h.iif, oif: h.oif}); c != nil {
				return c
			}
		}
	}
	key := map[int]string{4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}[s.p.family()]
	if hook != "forward" || sysctl(n, key) != "1" {
		return nil
	}
	// br_netfilter shows bridged packets to the filters of IP, with the bridge in the place of its ports (brnf_get_logical_dev).
	bridge := n.Link(in.Master)
	c := s.filtered(n, "forward", "filter-forward", s.p, bridge, bridge)
	if c != nil {
		c.proof(sysctlShown(n, key))
	}
	return c
}
