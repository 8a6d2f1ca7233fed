package diagnose

import (
	"cmp"
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// decision is the result of a route lookup: a route and its nexthop, or how the destination was refused.
type decision struct {
	rule  *state.Rule
	route *state.Route
	hop   *state.Nexthop // nil for a route without a device
	// refused is unreachable, prohibit, blackhole or throw, from a rule or a route; "" without a route means that no
	// route covers the destination.
	refused string
	// unknown is set if the state does not tell where the route leads: by a nexthop object of which it has only the id,
	// or by a rule that may or may not match the packet.
	unknown bool
}

func (d decision) found() bool { return d.route != nil && d.refused == "" && !d.unknown }
func (d decision) local() bool { return d.found() && d.route.Type == "local" }

// dev is the outgoing link of the route; nil if it has none.
func (d decision) dev(n *state.Namespace) *state.Link {
	if d.hop == nil {
		return nil
	}
	return n.Link(d.hop.Dev)
}

// flow is what rules and routes are selected by: struct flowi4 and flowi6, include/net/flow.h.
type flow struct {
	src, dst netip.Addr
	iif, oif string
	proto    string
	sport    uint16
	dport    uint16
	// marked and ofUser assume that every rule with a mark, or with a range of user ids, matches.
	marked, ofUser bool
	// ruled assumes that IPv6 applies the rules, even if none is left that was added: see inForce.
	ruled bool
}

// look looks up the route of a packet, and notes as a doubt what the state does not decide. The reply to a packet that
// came in by a link of a VRF stays in that VRF.
func (w *walk) look(n *state.Namespace, p packet, iif *state.Link) decision {
	d := w.decide(n, p, iif)
	w.lookups = append(w.lookups, lookedUp{n, p, iif, d})
	return d
}

func (w *walk) decide(n *state.Namespace, p packet, iif *state.Link) decision {
	f := flowOf(p, iif)
	in := iif
	if iif == nil && p.reply && w.arrived != nil {
		in = w.arrived
		if vrf := vrfOf(n, in.Name); vrf != nil && f.oif == "" {
			f.oif = vrf.Name
		}
	}
	if in != nil {
		if vrf := vrfOf(n, in.Name); vrf != nil {
			w.doubt("%s in %s is in the VRF %s: which services receive there, and where they reply, is not known here",
				in.Name, n.Name, vrf.Name)
		}
	}
	d := lookup(n, f)
	f.marked, f.ofUser = setsMarks(n), iif == nil
	if other := lookup(n, f); other.route != d.route || other.refused != d.refused {
		w.doubt("%s: the route to %s depends on the packet's mark or on the sending user, which is not known here",
			n.Name, p.dst)
		return decision{unknown: true}
	}
	f.marked, f.ofUser = false, false
	f.ruled = p.family() == 6 && len(rulesOf(n, 6)) > 0 // a kernel without IPv6 rules has none at all
	if other := lookup(n, f); f.ruled && !slices.ContainsFunc(rulesOf(n, 6), custom) &&
		(other.route != d.route || other.refused != d.refused) {
		w.doubt("%s: an IPv6 rule of a new namespace was deleted, which counts only if another one was ever added: "+
			"that is not known here", n.Name)
		return decision{unknown: true}
	}
	switch {
	case d.unknown:
		w.doubt("%s: where the route to %s with the nexthop object %d leads was not read", n.Name,
			state.PrefixText(d.route.To), d.route.NexthopID)
	case d.found() && !d.local() && len(d.route.Nexthops) > 1:
		d.hop = w.turn(n, p, iif, d)
	}
	if d.found() && d.hop != nil && d.hop.Encap != "" {
		w.doubt("%s: the route to %s wraps the packets (encap %s): where they go then is not known here", n.Name,
			state.PrefixText(d.route.To), d.hop.Encap)
		return decision{unknown: true}
	}
	return d
}

// vrfOf is the VRF that a link is, or is enslaved to; nil for none.
func vrfOf(n *state.Namespace, name string) *state.Link {
	l := n.Link(name)
	if l != nil && l.VRFTable == 0 {
		l = n.Link(l.Master)
	}
	if l == nil || l.VRFTable == 0 {
		return nil
	}
	return l
}

// lookup finds the route of a flow as the kernel does: the rules by priority, in a table the longest prefix, then the
// lowest metric. The walk over the rules is fib_rules_lookup(), net/core/fib_rules.c, called by __fib_lookup(),
// net/ipv4/fib_rules.c, and by fib6_rule_lookup(), net/ipv6/fib6_rules.c.
func lookup(n *state.Namespace, f flow) decision {
	rules := inForce(n, familyOf(f.dst))
	if f.ruled {
		rules = rulesOf(n, familyOf(f.dst))
	}
	thrown := decision{}
	for i := 0; i < len(rules); i++ {
		// Does the rule match the flow? fib_rule_match(), net/core/fib_rules.c.
		r := rules[i]
		if !selects(r, f) {
			continue
		}
		// Its action: fib4_rule_action(), net/ipv4/fib_rules.c; fib6_rule_action(), net/ipv6/fib6_rules.c. Three types
		// end the lookup with an error; goto and nop are the business of fib_rules_lookup() itself.
		switch r.Action {
		case "unreachable", "prohibit", "blackhole":
			return decision{rule: r, refused: r.Action}
		case "goto": // only to a later rule; without a target it does nothing
			if target := slices.IndexFunc(rules, func(t *state.Rule) bool { return t.Priority == r.Goto }); target > i {
				i = target - 1
			}
			continue
		case "lookup":
		default:
			continue
		}
		// The rule's table: without a route in it, or with one of type throw (EAGAIN in fib_props,
		// net/ipv4/fib_semantics.c), the lookup goes on with the next rule.
		d := byRule(n, r, f)
		if d.route == nil {
			continue
		}
		if d.refused == "throw" {
			thrown = d
			continue
		}
		return d
	}
	return thrown
}

// byRule looks up the table of a rule. The result has no route if the table has none for the flow.
func byRule(n *state.Namespace, r *state.Rule, f flow) decision {
	// A rule for l3mdev takes the table of the flow's VRF: l3mdev_fib_rule_match(), net/l3mdev/l3mdev.c.
	vrf := vrfOf(n, cmp.Or(f.oif, f.iif))
	if vrf != nil && vrf.Name == f.oif {
		f.oif = "" // any link of the VRF will do
	}
	table := *r
	if r.L3MDev {
		if vrf == nil {
			return decision{}
		}
		table.Table = vrf.VRFTable
	}
	// The table: fib_table_lookup(), net/ipv4/fib_trie.c; fib6_table_lookup(), net/ipv6/route.c.
	d := decision{rule: r}
	d.route, d.hop = inTable(n, &table, f)
	if d.route == nil {
		return d
	}
	switch d.route.Type {
	case "throw", "unreachable", "prohibit", "blackhole":
		d.refused = d.route.Type
	default:
		d.unknown = d.hop == nil && d.route.NexthopID != 0
	}
	return d
}

// rulesOf are the rules of a family, by priority; rules of the same priority stay in their order.
func rulesOf(n *state.Namespace, family int) (rules []*state.Rule) {
	for i := range n.Rules {
		if n.Rules[i].Family == family {
			rules = append(rules, &n.Rules[i])
		}
	}
	slices.SortStableFunc(rules, func(a, b *state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return rules
}

// inForce are the rules that the kernel applies. For IPv6 it applies none until one is added (fib6_has_custom_rules,
// fib6_rule_lookup(), net/ipv6/fib6_rules.c): it looks up the tables local and main, even if their rules were deleted.
// Once one was added, it goes on to apply them, even if that one is gone: look has the doubt.
func inForce(n *state.Namespace, family int) []*state.Rule {
	rules := rulesOf(n, family)
	if family == 4 || slices.ContainsFunc(rules, custom) {
		return rules
	}
	return []*state.Rule{
		{Family: 6, Action: "lookup", Table: state.TableLocal},
		{Family: 6, Action: "lookup", Table: state.TableMain, Priority: 32766},
	}
}

// custom reports whether a rule is other than those of a new namespace.
func custom(r *state.Rule) bool {
	first := r.Table == state.TableLocal && r.Priority == 0 || r.Table == state.TableMain && r.Priority == 32766
	plain := state.Rule{Family: r.Family, Action: "lookup", Table: r.Table, Priority: r.Priority, Protocol: r.Protocol}
	return !first || *r != plain || r.Protocol != "" && r.Protocol != "kernel"
}

// selects reports whether a rule matches a flow: fib_rule_match(), net/core/fib_rules.c, then fib4_rule_match(),
// net/ipv4/fib_rules.c, or fib6_rule_match(), net/ipv6/fib6_rules.c. Nothing in a state tells the mark of a packet or
// its sending user: the mark is 0, and a range of user ids matches nobody, unless the flow assumes otherwise.
func selects(r *state.Rule, f flow) bool {
	iif := f.iif
	if iif == "" {
		iif = "lo" // the namespace itself sends it: LOOPBACK_IFINDEX (ip_route_output_key_hash(), net/ipv4/route.c)
	}
	fits := (!r.From.IsValid() || r.From.Bits() == 0 || f.src.IsValid() && r.From.Contains(f.src)) &&
		(!r.To.IsValid() || r.To.Contains(f.dst.WithZone(""))) &&
		(r.IIf == "" || r.IIf == iif) &&
		(r.OIf == "" || r.OIf == f.oif) &&
		(r.Mark == 0 || f.marked) && (r.UIDRange == "" || f.ofUser) &&
		(r.IPProto == "" || r.IPProto == f.proto) &&
		r.TOS == 0 &&
		(r.SPort == "" || portFits(r.SPort, f.sport)) &&
		(r.DPort == "" || portFits(r.DPort, f.dport))
	return fits != r.Not
}

// inTable finds the best route in a rule's table, and its nexthop: fib_table_lookup(), net/ipv4/fib_trie.c, and
// fib6_table_lookup() with rt6_select(), net/ipv6/route.c.
func inTable(n *state.Namespace, rule *state.Rule, f flow) (best *state.Route, hop *state.Nexthop) {
	family := familyOf(f.dst)
	for i := range n.Routes {
		r := &n.Routes[i]
		if r.Family != family || r.Table != rule.Table || r.TOS != 0 || !r.To.Contains(f.dst.WithZone("")) {
			continue
		}
		// A source-specific route, of IPv6 only (fib6_node_lookup(), net/ipv6/ip6_fib.c).
		if r.From.IsValid() && r.From.Bits() > 0 && !(f.src.IsValid() && r.From.Contains(f.src)) {
			continue
		}
		// suppress_prefixlength: fib4_rule_suppress(), net/ipv4/fib_rules.c; fib6_rule_suppress(),
		// net/ipv6/fib6_rules.c.
		if rule.SuppressPrefixLength != nil && r.To.Bits() <= *rule.SuppressPrefixLength {
			continue
		}
		if r.Type == "multicast" || r.Type == "anycast" {
			continue
		}
		// A route without a usable nexthop does not count.
		alive := aliveHops(n, r, f.oif)
		if len(alive) == 0 && (len(r.Nexthops) > 0 || needsHop(r)) {
			continue
		}
		// The longest prefix, then the lowest metric.
		if best == nil || r.To.Bits() > best.To.Bits() || r.To.Bits() == best.To.Bits() && r.Metric < best.Metric {
			best, hop = r, nil
			if len(alive) > 0 {
				hop = alive[0]
			}
		}
	}
	if hop != nil && suppressedBy(rule, n.Link(hop.Dev)) {
		return nil, nil
	}
	return best, hop
}

// suppressedBy reports whether a rule takes no notice of a route over this link (suppress_ifgroup):
// fib4_rule_suppress(), net/ipv4/fib_rules.c.
func suppressedBy(rule *state.Rule, out *state.Link) bool {
	return rule.SuppressIfGroup != nil && out != nil && out.Group == *rule.SuppressIfGroup
}

// needsHop reports whether a route without a nexthop does not count. With nexthop_compat_mode=0 the kernel reports only
// the id of a nexthop object: such a route counts.
func needsHop(r *state.Route) bool {
	return (r.Type == "unicast" || r.Type == "local") && r.NexthopID == 0
}

// aliveHops are the nexthops that can be used, only those out of oif if that is given: fib_lookup_good_nhc(),
// net/ipv4/fib_trie.c, and find_match(), net/ipv6/route.c.
func aliveHops(n *state.Namespace, r *state.Route, oif string) (alive []*state.Nexthop) {
	for i := range r.Nexthops {
		h := &r.Nexthops[i]
		if has(h.Flags, "dead") || oif != "" && h.Dev != oif && r.Type != "local" {
			continue
		}
		if l := n.Link(h.Dev); l != nil && !l.Up && r.Type != "local" {
			continue
		}
		alive = append(alive, h)
	}
	return alive
}

// sourceOf is the source address that the kernel chooses for packets by a route; invalid if there is none.
func sourceOf(n *state.Namespace, d decision, dst netip.Addr) netip.Addr {
	// A preferred source of the route, or for local delivery the destination itself.
	if d.local() {
		return dst
	}
	if d.route.Src.IsValid() {
		return d.route.Src
	}
	out := d.dev(n)
	if out == nil {
		return netip.Addr{}
	}
	// IPv6: ip6_route_get_saddr(), include/net/ip6_route.h, with ipv6_dev_get_saddr(), net/ipv6/addrconf.c.
	next := dst
	if d.hop.Via.IsValid() {
		next = d.hop.Via
	}
	if dst.Is6() {
		return source6(n, out, dst)
	}
	// IPv4: inet_select_addr(), net/ipv4/devinet.c. The first primary address of the link in the next hop's network,
	// else its first primary address, else the first global one of any link that is up.
	first := netip.Addr{}
	for _, a := range addresses(out, 4) {
		if has(a.Flags, "secondary") || a.Scope == "link" || a.Scope == "host" {
			continue
		}
		if covers(a, next) {
			return a.Prefix.Addr()
		}
		if !first.IsValid() {
			first = a.Prefix.Addr()
		}
	}
	if first.IsValid() {
		return first
	}
	for i := range n.Links {
		for _, a := range addresses(&n.Links[i], 4) {
			if a.Scope == "global" && n.Links[i].Up {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// source6 applies the rules of RFC 6724, section 5, that matter here: the scope of the destination, then no deprecated
// address, then the outgoing link, then the longest common prefix (ipv6_get_saddr_eval(), net/ipv6/addrconf.c).
func source6(n *state.Namespace, out *state.Link, dst netip.Addr) (best netip.Addr) {
	score := -1
	consider := func(l *state.Link) {
		for _, a := range l.Addresses {
			addr := a.Prefix.Addr()
			if !addr.Is6() || !usable(a) || addr.IsLoopback() || l != out &&
				(addr.IsLinkLocalUnicast() || dst.IsLinkLocalUnicast()) {
				continue
			}
			s := commonBits(addr, dst)
			if l == out {
				s += 1000
			}
			if !has(a.Flags, "deprecated") {
				s += 10000
			}
			if addr.IsLinkLocalUnicast() == dst.IsLinkLocalUnicast() {
				s += 100000
			}
			if s > score {
				best, score = addr, s
			}
		}
	}
	for i := range n.Links {
		if l := &n.Links[i]; l == out || l.Up {
			consider(l)
		}
	}
	return best
}

func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			bits := 8 * i
			for d&0x80 == 0 {
				d <<= 1
				bits++
			}
			return bits
		}
	}
	return 128
}
