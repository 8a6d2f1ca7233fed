package diagnose

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// seen is a packet as a packet filter sees it at a hook.
type seen struct {
	packet
	iif, oif *state.Link
	arp      bool
	// tracking is the state of the connection, and status has snat and dnat if an address of it was translated here.
	tracking string
	status   []string
}

// base is a base chain and its table.
type base struct {
	table *state.FilterTable
	chain *state.FilterChain
}

// chainsAt are the base chains at a hook that see packets of these families, in the order of nf_hook_slow(),
// net/netfilter/core.c: by priority.
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

// families are the table families that see packets of an address family.
func families(family int) []string {
	if family == 6 {
		return []string{"ip6", "inet"}
	}
	return []string{"ip", "inet"}
}

// natPlaces are the priorities at which addresses are translated, whatever the priority of a nat chain is
// (nf_nat_ipv4_ops and nf_nat_ipv6_ops, net/netfilter/nf_nat_proto.c).
var natPlaces = map[string]int{"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}

// hook runs a packet through the base chains at a hook, and translates its addresses at their place in the order. A
// drop is a cause of the given name.
func (w *walk) hook(n *state.Namespace, hook string, name causes.Cause, p *packet, iif, oif *state.Link) *Cause {
	c := w.chains(n, hook, name, p, iif, oif)
	if c != nil {
		w.hop(n, iif, *p, "the packet filter drops the packet")
	}
	return c
}

// chains is hook without a hop in the path.
func (w *walk) chains(n *state.Namespace, hook string, name causes.Cause, p *packet, iif, oif *state.Link) *Cause {
	if len(n.Filters) == 0 {
		return nil
	}
	tables := families(p.family())
	if hook == "ingress" || hook == "egress" {
		tables = []string{"netdev", "inet"}
	}
	// nf_hook_slow(), net/netfilter/core.c: an accept ends one base chain, and the next one still sees the packet; a
	// drop is final.
	place, translates := natPlaces[hook]
	for _, b := range chainsAt(n, hook, tables...) {
		if b.chain.Type == "nat" || !b.on(iif, oif) {
			continue
		}
		if translates && b.chain.Priority > place {
			w.translate(n, hook, p, iif, oif)
			translates = false
		}
		if c := w.judge(n, b, name, seen{packet: *p, iif: iif, oif: oif}); c != nil {
			return c
		}
	}
	if translates {
		w.translate(n, hook, p, iif, oif)
	}
	return nil
}

// on reports whether a chain sees packets of a device; only a chain at ingress or egress is limited to some.
func (b base) on(iif, oif *state.Link) bool {
	l := iif
	if b.chain.Hook == "egress" {
		l = oif
	}
	return len(b.chain.Devices) == 0 || l != nil && slices.Contains(b.chain.Devices, l.Name)
}

// tracked reports whether connection tracking (nf_conntrack_in(), net/netfilter/nf_conntrack_core.c) comes before this
// chain: at prerouting and output it has the priority NF_IP_PRI_CONNTRACK, -200.
func (b base) tracked() bool {
	switch b.chain.Hook {
	case "ingress":
		return false
	case "prerouting", "output":
		return b.chain.Priority > -200
	}
	return true
}

// tracking is the connection tracking state of a packet, as a chain sees it. A reply to a packet that did not pass here
// is invalid.
func (w *walk) tracking(n *state.Namespace, b base, p packet) string {
	asked := func(h Hop) bool { return !h.Reply && h.Netns == n.Name }
	switch {
	case !b.tracked():
		return "invalid"
	case p.discovers():
		return "untracked"
	case p.icmp != "":
		return "related"
	case !p.reply:
		return "new"
	case b.table.Family == "bridge" || slices.ContainsFunc(w.path, asked):
		return "established"
	}
	return "invalid"
}

// judge runs a packet through one base chain. A drop that an earlier rule may have prevented is a doubt, not a cause.
func (w *walk) judge(n *state.Namespace, b base, name causes.Cause, s seen) *Cause {
	s.tracking, s.status = cmp.Or(s.tracking, w.tracking(n, b, s.packet)), w.status(n)
	r := &run{walk: w, n: n, table: b.table, seen: s}
	verdict, by := r.through(b.chain, 0)
	if verdict != "drop" && verdict != "reject" {
		return nil
	}
	place := b.table.Family + " " + b.table.Name + " " + b.chain.Name
	if r.unsettled != "" {
		w.doubt("%s: %s %s would %s the packet, unless an earlier rule lets it through: %s", n.Name, place, byWhat(by),
			verdict, r.unsettled)
		return nil
	}
	if by == nil {
		c := cause(name, n, nil, "the policy of the chain %s in %s drops the packet", place, n.Name).
			proof(in(n, "nft list chain %s", place) + ": policy drop")
		for _, opening := range r.openings(b.chain) {
			c.fix(in(n, "nft %s", opening))
		}
		return c
	}
	c := cause(name, n, nil, "a rule of the chain %s in %s has the verdict %s", place, n.Name, verdict).
		proof(in(n, "nft list chain %s", place) + ": " + by.rule.Text)
	return c.fix(in(n, "nft delete rule %s %s %s handle %d", b.table.Family, b.table.Name, by.chain.Name,
		by.rule.Handle))
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

// depth is how many nested jumps are followed (NFT_JUMP_STACK_SIZE, include/net/netfilter/nf_tables.h).
const depth = 16

// run is a packet in a base chain and the chains that it jumps to.
type run struct {
	*walk
	n     *state.Namespace
	table *state.FilterTable
	seen  seen
	// left is the rule of the base chain that ended it for the packet before its last rule; nil if none did.
	left *state.FilterRule
	// unsettled is the first rule that may accept the packet, and so may keep it from the rules that follow.
	unsettled string
}

// through runs the packet through a chain as nft_do_chain(), net/netfilter/nf_tables_core.c, does. The verdict is "" at
// the end of a chain without a policy, that is, of one that is jumped to. by is nil for a policy.
func (r *run) through(c *state.FilterChain, deep int) (verdict string, by *decided) {
	for i := range c.Rules {
		// The expressions of a rule: the first that does not match ends it (NFT_BREAK).
		rule := &c.Rules[i]
		fits, known := r.fits(rule)
		if !known {
			r.doubtful(c, rule)
		}
		if !fits {
			continue
		}
		// The verdict: accept and drop are final for the base chain. A jump comes back at the end of its target, a goto
		// does not; return goes back to the rule after the jump, and in a base chain to its policy.
		switch rule.Verdict {
		case "":
		case "accept", "drop", "reject":
			return rule.Verdict, &decided{c, rule}
		case "return":
			r.leaves(rule, deep)
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
				r.leaves(rule, deep)
				return c.Policy, nil
			}
		default: // queue, or another verdict that hands the packet to somebody else
			r.doubtful(c, rule)
			return rule.Verdict, &decided{c, rule}
		}
	}
	return c.Policy, nil
}

// leaves notes that the packet leaves the base chain by a rule.
func (r *run) leaves(rule *state.FilterRule, deep int) {
	if deep == 0 {
		r.left = rule
	}
}

func chainNamed(t *state.FilterTable, name string) *state.FilterChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// fits reports whether a rule matches the packet; known and fits are false where that cannot be judged.
func (r *run) fits(rule *state.FilterRule) (fits, known bool) {
	known = !rule.Opaque
	for _, m := range rule.Matches {
		fits, understood := r.seen.match(m)
		switch m.Key {
		case "fib saddr type":
			fits, understood = isOfType(r.n, r.seen.src, m)
		case "fib daddr type":
			fits, understood = isOfType(r.n, r.seen.dst, m)
		}
		// a value that could not be read
		if m.Key == "mark" && setsMarks(r.n) || m.Key == "ct state" && untracks(r.n) || slices.Contains(m.Values, "") {
			understood = false
		}
		if understood && !fits {
			return false, true
		}
		known = known && understood
	}
	return known, known
}

// isOfType reports whether an address is of the type that a rule matches. An IPv6 address without a route in the table
// local may be unicast or of a type that refuses: there all routes decide (nft_fib6_eval_type(),
// net/ipv6/netfilter/nft_fib_ipv6.c), which is not looked up here.
func isOfType(n *state.Namespace, a netip.Addr, m state.FilterMatch) (fits, known bool) {
	kind := addressType(n, a)
	routed := func(value string) bool {
		return slices.Contains([]string{"unicast", "unreachable", "prohibit", "blackhole"}, value)
	}
	known = a.IsValid() && (a.Is4() || kind != "unicast" || !slices.ContainsFunc(m.Values, routed))
	return slices.Contains(m.Values, kind) != m.Not, known
}

// addressType is the type of an address by the table local, else unicast; some addresses have a type without a route
// (inet_addr_type(), net/ipv4/fib_frontend.c).
func addressType(n *state.Namespace, a netip.Addr) string {
	switch {
	case a.IsMulticast():
		return "multicast"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "broadcast"
	}
	kind, bits := "unicast", -1
	for _, r := range n.Routes {
		if r.Table == state.TableLocal && r.To.Bits() > bits && r.To.Contains(a.WithZone("")) {
			kind, bits = r.Type, r.To.Bits()
		}
	}
	return kind
}

// setsMarks reports whether a rule of the namespace may set the mark of a packet, which arrives without one: such rules
// are opaque.
func setsMarks(n *state.Namespace) bool {
	return hasRule(n, func(r state.FilterRule) bool { return r.Opaque })
}

// untracks reports whether a rule of the namespace exempts packets from connection tracking.
func untracks(n *state.Namespace) bool {
	return hasRule(n, func(r state.FilterRule) bool { return strings.Contains(r.Text, "[notrack]") })
}

func hasRule(n *state.Namespace, is func(state.FilterRule) bool) bool {
	for _, t := range n.Filters {
		for _, c := range t.Chains {
			if slices.ContainsFunc(c.Rules, is) {
				return true
			}
		}
	}
	return false
}

// doubtful notes what a rule that is not understood may do to the packet. That it may accept it is a doubt only if a
// later rule drops it.
func (r *run) doubtful(c *state.FilterChain, rule *state.FilterRule) {
	if rule.Verdict == "" && !mayDecide(rule) {
		return
	}
	if rule.Verdict != "accept" {
		r.doubt("%s: whether a rule matches, or what it does, is not known here: %s", r.n.Name, r.named(c, rule))
	}
	if rule.Verdict != "drop" && rule.Verdict != "reject" && r.unsettled == "" {
		r.unsettled = r.named(c, rule)
	}
}

// named is a rule that is not understood, whose text may be incomplete, with the command that shows it.
func (r *run) named(c *state.FilterChain, rule *state.FilterRule) string {
	return fmt.Sprintf("“%s”, handle %d in %s", rule.Text, rule.Handle,
		in(r.n, "nft --handle list chain %s %s %s", r.table.Family, r.table.Name, c.Name))
}

// mayDecide reports whether a rule without a verdict may decide nevertheless, by an expression of nf_tables that has a
// verdict of its own. The text has the names of such expressions in brackets. Others set something, or match.
func mayDecide(rule *state.FilterRule) bool {
	return slices.ContainsFunc([]string{"[queue", "[fwd", "[dup", "[tproxy", "[synproxy", "[lookup", "[immediate",
		"[xt target", "[nat", " vmap "},
		func(word string) bool { return strings.Contains(rule.Text, word) })
}

// filteredQuestion runs the packet filters between two neighbours for a neighbour request and its reply.
func (w *walk) filteredQuestion(from port, to netip.Addr, owner *arrival, p packet) *Cause {
	asker := w.asker(from, to, p)
	question, answer := packet{src: asker, dst: to}, packet{src: to, dst: asker, reply: true}
	if to.Is6() {
		question.proto, question.icmp, question.dst = "ipv6-icmp", "nd-neighbor-solicit", solicited(to)
		answer.proto, answer.icmp = "ipv6-icmp", "nd-neighbor-advert"
	}
	back := slices.Clone(owner.bridges)
	slices.Reverse(back)
	for i := range back {
		back[i].in, back[i].out = back[i].out, back[i].in
	}
	if c := w.filteredDiscovery(from, owner.port, owner.bridges, question, p); c != nil {
		return c
	}
	return w.filteredDiscovery(owner.port, from, back, answer, p.back())
}

// asker is the source of a neighbour request: that of the packet, if it is the namespace's own (arp_solicit(),
// net/ipv4/arp.c, and ndisc_solicit(), net/ipv6/ndisc.c).
func (w *walk) asker(from port, to netip.Addr, p packet) netip.Addr {
	if w.isOwn(from.n, p.src) && (to.Is4() || w.answersFor(from, p.src)) {
		return p.src
	}
	for _, a := range from.l.Addresses {
		if addr := a.Prefix.Addr(); addr.Is4() && to.Is4() && covers(a, to) || addr.Is6() && to.Is6() &&
			addr.IsLinkLocalUnicast() {
			return addr
		}
	}
	return netip.Addr{}
}

// solicited is the solicited-node multicast address of an address (RFC 4291, section 2.7.1).
func solicited(addr netip.Addr) netip.Addr {
	group, bytes := [16]byte{0: 0xff, 1: 0x02, 11: 0x01, 12: 0xff}, addr.As16()
	copy(group[13:], bytes[13:])
	return netip.AddrFrom16(group)
}

// filteredDiscovery runs the packet filters for a neighbour request or its reply p, from one neighbour over the bridges
// to the other. A chain that drops next as well, the packet that needs the neighbour, is reported for next: the rule
// that accepts next opens the chain for p too.
func (w *walk) filteredDiscovery(from, to port, over []passage, p, next packet) *Cause {
	// ARP passes the hooks of the family arp (arp_xmit() and arp_rcv(), net/ipv4/arp.c); neighbour discovery is ICMPv6,
	// and passes those of ip6 and inet (ndisc_send_skb(), net/ipv6/ndisc.c).
	arp := p.icmp == ""
	at := func(n *state.Namespace, hook string, iif, oif *state.Link) *Cause {
		tables, name := families(6), causes.FilterInput
		switch {
		case hook == "ingress" || hook == "egress":
			tables, name = []string{"netdev"}, causes.FilterIngress
		case arp:
			tables, name = []string{"arp"}, causes.FilterARP
		case hook == "output":
			name = causes.FilterOutput
		}
		for _, b := range chainsAt(n, hook, tables...) {
			if b.chain.Type != "nat" && b.on(iif, oif) {
				c := w.judge(n, b, name, seen{packet: p, iif: iif, oif: oif, arp: arp})
				if c != nil && !arp && (hook == "input" && w.isOwn(n, next.dst) || hook == "output" &&
					w.isOwn(n, next.src)) {
					connection := map[bool]string{true: "established", false: "new"}[next.reply]
					c = cmp.Or(w.judge(n, b, name, seen{packet: next, iif: iif, oif: oif, tracking: connection}), c)
				}
				if c != nil {
					return c
				}
			}
		}
		return nil
	}
	if c := at(from.n, "output", nil, from.l); c != nil {
		return c
	}
	if c := at(from.n, "egress", nil, from.l); c != nil {
		return c
	}
	for _, b := range over {
		if b.in != nil {
			if c := at(b.n, "ingress", b.in, nil); c != nil {
				return c
			}
		}
		if c := w.filteredBridge(b, seen{packet: p, arp: arp}); c != nil {
			return c
		}
		if b.out != nil {
			if c := at(b.n, "egress", nil, b.out); c != nil {
				return c
			}
		}
	}
	if c := at(to.n, "ingress", to.l, nil); c != nil {
		return c
	}
	return at(to.n, "input", to.l, nil)
}

// filteredBridge runs the filters of a bridge for a frame from one port to another, or from or to the bridge itself.
// Only the forward hook has both devices (__br_forward(), net/bridge/br_forward.c).
func (w *walk) filteredBridge(at passage, s seen) *Cause {
	if len(at.n.Filters) == 0 {
		return nil
	}
	type hook struct {
		name     string
		iif, oif *state.Link
	}
	// From port to port: prerouting in br_handle_frame(), net/bridge/br_input.c, forward in __br_forward(), postrouting
	// in br_forward_finish(), net/bridge/br_forward.c. To the bridge: input in br_pass_frame_up(). From it: output in
	// __br_forward().
	hooks := []hook{{"prerouting", at.in, nil}, {"forward", at.in, at.out}, {"postrouting", nil, at.out}}
	switch {
	case at.out == nil:
		hooks = []hook{hooks[0], {"input", at.in, nil}}
	case at.in == nil:
		hooks = []hook{{"output", nil, at.out}, hooks[2]}
	}
	for _, h := range hooks {
		for _, b := range chainsAt(at.n, h.name, "bridge") {
			s.iif, s.oif = h.iif, h.oif
			if c := w.judge(at.n, b, causes.FilterBridge, s); c != nil {
				return c
			}
		}
	}
	key := bridgeCalls(s.family())
	if s.arp || at.in == nil || at.out == nil || sysctl(at.n, key) != "1" {
		return nil
	}
	// br_netfilter runs the forward hook of IP for bridged packets, with the bridge in the place of its ports
	// (brnf_get_logical_dev(), net/bridge/br_netfilter_hooks.c).
	p := s.packet
	c := w.chains(at.n, "forward", causes.FilterForward, &p, at.l, at.l)
	if c != nil {
		c.proof(sysctlShown(at.n, key))
	}
	return c
}

// bridgeCalls is the setting by which bridged packets pass the filters of IP.
func bridgeCalls(family int) string {
	return map[int]string{4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}[family]
}
