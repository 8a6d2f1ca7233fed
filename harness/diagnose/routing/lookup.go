// Package routing decides by the rules and routes of a namespace where a packet goes and which source it gets, as the
// kernel does. It imports state, the facts and the packets; the packages of the diagnosis import it. It never looks
// beyond the namespace, and knows of no causes.
package routing

import (
	"cmp"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// Decision is the result of a route lookup: a route and its nexthop, or how the destination was refused.
type Decision struct {
	Rule  *state.Rule
	Route *state.Route
	Hop   *state.Nexthop // nil for a route without a device
	// Refused is unreachable, prohibit, blackhole or throw, from a rule or a route; "" without a route means that no
	// route covers the destination.
	Refused string
	// Unknown is set if the state does not tell where the route leads: by a nexthop object of which it has only the id,
	// or by a rule that may or may not match the packet.
	Unknown bool
}

func (d Decision) Found() bool { return d.Route != nil && d.Refused == "" && !d.Unknown }

func (d Decision) Local() bool { return d.Found() && d.Route.Type == "local" }

// Dev is the outgoing link of the route; nil if it has none.
func (d Decision) Dev(n *state.Namespace) *state.Link {
	if d.Hop == nil {
		return nil
	}
	return n.Link(d.Hop.Dev)
}

// Flow is what rules and routes are selected by: struct flowi4 and flowi6, include/net/flow.h.
type Flow struct {
	Src, Dst netip.Addr
	Iif, Oif string
	Proto    string
	Sport    uint16
	Dport    uint16
	Mark     uint32
	// Marked and ofUser assume that every rule with a mark, or with a range of user ids, matches.
	Marked, OfUser bool
	// Ruled assumes that IPv6 applies the rules, even if none is left that was added: see inForce.
	Ruled bool
}

// VrfOf is the VRF that a link is, or is enslaved to; nil for none.
func VrfOf(n *state.Namespace, name string) *state.Link {
	l := n.Link(name)
	if l != nil && l.VRFTable == 0 {
		l = n.Link(l.Master)
	}
	if l == nil || l.VRFTable == 0 {
		return nil
	}
	return l
}

// Lookup finds the route of a flow as the kernel does: the rules by priority, in a table the longest prefix, then the
// lowest metric. The walk over the rules is fib_rules_lookup(), net/core/fib_rules.c, called by __fib_lookup(),
// net/ipv4/fib_rules.c, and by fib6_rule_lookup(), net/ipv6/fib6_rules.c.
func Lookup(n *state.Namespace, f Flow) Decision {
	rules := InForce(n, facts.FamilyOf(f.Dst))
	if f.Ruled {
		rules = facts.RulesOf(n, facts.FamilyOf(f.Dst))
	}
	thrown := Decision{}
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
			return Decision{Rule: r, Refused: r.Action}
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
		if d.Route == nil {
			continue
		}
		if d.Refused == "throw" {
			thrown = d
			continue
		}
		return d
	}
	return thrown
}

// byRule looks up the table of a rule. The result has no route if the table has none for the flow.
func byRule(n *state.Namespace, r *state.Rule, f Flow) Decision {
	// A rule for l3mdev takes the table of the flow's VRF: l3mdev_fib_rule_match(), net/l3mdev/l3mdev.c.
	vrf := VrfOf(n, cmp.Or(f.Oif, f.Iif))
	if vrf != nil && vrf.Name == f.Oif {
		f.Oif = "" // any link of the VRF will do
	}
	table := *r
	if r.L3MDev {
		if vrf == nil {
			return Decision{}
		}
		table.Table = vrf.VRFTable
	}
	// The table: fib_table_lookup(), net/ipv4/fib_trie.c; fib6_table_lookup(), net/ipv6/route.c.
	d := Decision{Rule: r}
	d.Route, d.Hop = InTable(n, &table, f)
	if d.Route == nil {
		return d
	}
	switch d.Route.Type {
	case "throw", "unreachable", "prohibit", "blackhole":
		d.Refused = d.Route.Type
	default:
		d.Unknown = d.Hop == nil && d.Route.NexthopID != 0
	}
	return d
}

// InForce are the rules that the kernel applies. For IPv6 it applies none until one is added (fib6_has_custom_rules,
// fib6_rule_lookup(), net/ipv6/fib6_rules.c): it looks up the tables local and main, even if their rules were deleted.
// Once one was added, it goes on to apply them, even if that one is gone: look has the doubt.
func InForce(n *state.Namespace, family int) []*state.Rule {
	rules := facts.RulesOf(n, family)
	if family == 4 || slices.ContainsFunc(rules, Custom) {
		return rules
	}
	return []*state.Rule{
		{Family: 6, Action: "lookup", Table: state.TableLocal},
		{Family: 6, Action: "lookup", Table: state.TableMain, Priority: 32766},
	}
}

// Custom reports whether a rule is other than those of a new namespace.
func Custom(r *state.Rule) bool {
	first := r.Table == state.TableLocal && r.Priority == 0 || r.Table == state.TableMain && r.Priority == 32766
	plain := state.Rule{Family: r.Family, Action: "lookup", Table: r.Table, Priority: r.Priority, Protocol: r.Protocol}
	return !first || *r != plain || r.Protocol != "" && r.Protocol != "kernel"
}

// selects reports whether a rule matches a flow: fib_rule_match(), net/core/fib_rules.c, then fib4_rule_match(),
// net/ipv4/fib_rules.c, or fib6_rule_match(), net/ipv6/fib6_rules.c. Nothing in a state tells the sending user: a range
// of user ids matches nobody, unless the flow assumes otherwise.
func selects(r *state.Rule, f Flow) bool {
	iif := f.Iif
	if iif == "" {
		iif = "lo" // the namespace itself sends it: LOOPBACK_IFINDEX (ip_route_output_key_hash(), net/ipv4/route.c)
	}
	fits := (!r.From.IsValid() || r.From.Bits() == 0 || f.Src.IsValid() && r.From.Contains(f.Src)) &&
		(!r.To.IsValid() || r.To.Contains(f.Dst.WithZone(""))) &&
		(r.IIf == "" || r.IIf == iif) &&
		(r.OIf == "" || r.OIf == f.Oif) &&
		(f.Marked || markFits(r, f.Mark)) && (r.UIDRange == "" || f.OfUser) &&
		(r.IPProto == "" || r.IPProto == f.Proto) &&
		r.TOS == 0 &&
		(r.SPort == "" || packet.PortFits(r.SPort, f.Sport)) &&
		(r.DPort == "" || packet.PortFits(r.DPort, f.Dport))
	return fits != r.Not
}

// markFits reports whether a mark is that of a rule, in the bits of the rule's mask.
func markFits(r *state.Rule, mark uint32) bool {
	mask := r.Mask
	if mask == 0 && r.Mark != 0 {
		mask = ^uint32(0)
	}
	return (mark^r.Mark)&mask == 0
}

// InTable finds the best route in a rule's table, and its nexthop: fib_table_lookup(), net/ipv4/fib_trie.c, and
// fib6_table_lookup() with rt6_select(), net/ipv6/route.c.
func InTable(n *state.Namespace, rule *state.Rule, f Flow) (best *state.Route, hop *state.Nexthop) {
	family := facts.FamilyOf(f.Dst)
	for i := range n.Routes {
		r := &n.Routes[i]
		if r.Family != family || r.Table != rule.Table || r.TOS != 0 || !r.To.Contains(f.Dst.WithZone("")) {
			continue
		}
		// A source-specific route, of IPv6 only (fib6_node_lookup(), net/ipv6/ip6_fib.c).
		if r.From.IsValid() && r.From.Bits() > 0 && !(f.Src.IsValid() && r.From.Contains(f.Src)) {
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
		alive := AliveHops(n, r, f.Oif)
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

// AliveHops are the nexthops that can be used, only those out of oif if that is given: fib_lookup_good_nhc(),
// net/ipv4/fib_trie.c, and find_match(), net/ipv6/route.c.
func AliveHops(n *state.Namespace, r *state.Route, oif string) (alive []*state.Nexthop) {
	for i := range r.Nexthops {
		h := &r.Nexthops[i]
		if facts.Has(h.Flags, "dead") || oif != "" && h.Dev != oif && r.Type != "local" {
			continue
		}
		if l := n.Link(h.Dev); l != nil && !l.Up && r.Type != "local" {
			continue
		}
		alive = append(alive, h)
	}
	return alive
}

// FlowOf is the key of a route lookup for a packet: struct flowi4 and flowi6, include/net/flow.h.
func FlowOf(p packet.Packet, iif *state.Link) Flow {
	f := Flow{Src: p.Src, Dst: p.Dst, Oif: p.Dst.Zone(), Proto: p.Proto, Sport: p.Sport, Dport: p.Dport,
		Mark: p.Mark}
	if p.Unbound {
		f.Src = netip.Addr{}
	}
	if iif != nil {
		f.Iif = iif.Name
	}
	return f
}
