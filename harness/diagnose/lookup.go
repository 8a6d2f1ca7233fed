package diagnose

import (
	"cmp"
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// decision is the answer of a route look-up: a route and the nexthop of it, or how it was refused.
type decision struct {
	rule  *state.Rule
	route *state.Route
	hop   *state.Nexthop // nil for a route without a device
	// refused is unreachable, prohibit, blackhole or throw where a rule or a route says so; "" with no route: nothing
	// covers the destination.
	refused string
	// unknown says that where it leads is not known: by a nexthop object of which the state holds the number alone, or
	// by a rule of which it is not known whether it is for the packet.
	unknown bool
}

func (d decision) found() bool { return d.route != nil && d.refused == "" && !d.unknown }
func (d decision) local() bool { return d.found() && d.route.Type == "local" }

// dev is the link out of which the route leads.
func (d decision) dev(n *state.Namespace) *state.Link {
	if d.hop == nil {
		return nil
	}
	return n.Link(d.hop.Dev)
}

// flow is what rules select by.
type flow struct {
	src, dst netip.Addr
	iif, oif string
	proto    string
	sport    uint16
	dport    uint16
	// marked and bySomebody say that the mark of the packet, or who sends it, is as a rule wants it.
	marked, bySomebody bool
}

// look looks up the way of a packet, and doubts what may be otherwise. What answers a packet that came in by a link of
// a VRF stays in that VRF.
func (w *walk) look(n *state.Namespace, p packet, iif *state.Link) decision {
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
			w.doubt("%s in %s is in the VRF %s: what its services hear and where they answer is not known here",
				in.Name, n.Name, vrf.Name)
		}
	}
	d := lookup(n, f)
	f.marked, f.bySomebody = setsMarks(n), iif == nil
	if other := lookup(n, f); other.route != d.route || other.refused != d.refused {
		w.doubt("%s: the way to %s depends on the mark of the packet or on who sends it, which is not known here",
			n.Name, p.dst)
		return decision{unknown: true}
	}
	switch {
	case d.unknown:
		w.doubt("%s: where the route to %s with the nexthop object %d leads was not read", n.Name,
			state.PrefixText(d.route.To), d.route.NexthopID)
	case d.found() && !d.local() && len(d.route.Nexthops) > 1:
		d.hop = w.turn(n, p, iif, d)
	}
	return d
}

// vrfOf is the VRF that a link is, or is in; nil for none.
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

// lookup answers as the kernel's own look-up does (net/ipv4/fib_rules.c, net/ipv6/ip6_fib.c): rules by their priority,
// the longest prefix of a table, the lowest metric.
func lookup(n *state.Namespace, f flow) decision {
	rules := inForce(n, familyOf(f.dst))
	thrown := decision{}
	for i := 0; i < len(rules); i++ {
		r := rules[i]
		if !selects(r, f) {
			continue
		}
		switch r.Action {
		case "unreachable", "prohibit", "blackhole":
			return decision{rule: r, refused: r.Action}
		case "goto": // forward alone; one without a target does nothing
			if target := slices.IndexFunc(rules, func(t *state.Rule) bool { return t.Priority == r.Goto }); target > i {
				i = target - 1
			}
			continue
		case "lookup":
		default:
			continue
		}
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

// byRule looks up the table of a rule, for l3mdev that of the flow's VRF (net/l3mdev/l3mdev.c); without a route,
// nothing was found.
func byRule(n *state.Namespace, r *state.Rule, f flow) decision {
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

func rulesOf(n *state.Namespace, family int) (rules []*state.Rule) {
	for i := range n.Rules {
		if n.Rules[i].Family == family {
			rules = append(rules, &n.Rules[i])
		}
	}
	slices.SortStableFunc(rules, func(a, b *state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return rules
}

// inForce are the rules that the kernel looks at. Of IPv6 it looks at none as long as nobody has added one
// (fib6_has_custom_rules): then it looks up local and main, even if their rules were deleted.
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

// custom says that a rule is none of those with which a namespace begins.
func custom(r *state.Rule) bool {
	first := r.Table == state.TableLocal && r.Priority == 0 || r.Table == state.TableMain && r.Priority == 32766
	plain := state.Rule{Family: r.Family, Action: "lookup", Table: r.Table, Priority: r.Priority, Protocol: r.Protocol}
	return !first || *r != plain || r.Protocol != "" && r.Protocol != "kernel"
}

// selects says whether a rule is for the flow. Marks are 0 here, and nobody in particular sends it: nothing tells what
// would set them.
func selects(r *state.Rule, f flow) bool {
	iif := f.iif
	if iif == "" {
		iif = "lo" // what the namespace sends itself
	}
	fits := (!r.From.IsValid() || r.From.Bits() == 0 || f.src.IsValid() && r.From.Contains(f.src)) &&
		(!r.To.IsValid() || r.To.Contains(f.dst.WithZone(""))) &&
		(r.IIf == "" || r.IIf == iif) &&
		(r.OIf == "" || r.OIf == f.oif) &&
		(r.Mark == 0 || f.marked) && (r.UIDRange == "" || f.bySomebody) &&
		(r.IPProto == "" || r.IPProto == f.proto) &&
		r.TOS == 0 &&
		(r.SPort == "" || portFits(r.SPort, f.sport)) &&
		(r.DPort == "" || portFits(r.DPort, f.dport))
	return fits != r.Not
}

// inTable finds the route of a rule's table. A route whose nexthops are all dead does not count.
func inTable(n *state.Namespace, rule *state.Rule, f flow) (best *state.Route, hop *state.Nexthop) {
	family := familyOf(f.dst)
	for i := range n.Routes {
		r := &n.Routes[i]
		if r.Family != family || r.Table != rule.Table || r.TOS != 0 || !r.To.Contains(f.dst.WithZone("")) {
			continue
		}
		if r.From.IsValid() && r.From.Bits() > 0 && !(f.src.IsValid() && r.From.Contains(f.src)) {
			continue
		}
		if rule.SuppressPrefixLength != nil && r.To.Bits() <= *rule.SuppressPrefixLength {
			continue
		}
		if r.Type == "multicast" || r.Type == "anycast" {
			continue
		}
		alive := aliveHops(n, r, f.oif)
		if len(alive) == 0 && (len(r.Nexthops) > 0 || needsHop(r)) {
			continue
		}
		if best == nil || r.To.Bits() > best.To.Bits() || r.To.Bits() == best.To.Bits() && r.Metric < best.Metric {
			best, hop = r, nil
			if len(alive) > 0 {
				hop = alive[0]
			}
		}
	}
	return best, hop
}

// needsHop says that a route is none without a nexthop. The kernel tells the number alone of a nexthop object
// (nexthop_compat_mode=0): such a route counts.
func needsHop(r *state.Route) bool {
	return (r.Type == "unicast" || r.Type == "local") && r.NexthopID == 0
}

// aliveHops are the nexthops that can be used, out of oif where that is given.
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

// sourceOf is the address that packets by a decision have as their source; not valid when there is none.
func sourceOf(n *state.Namespace, d decision, dst netip.Addr) netip.Addr {
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
	next := dst
	if d.hop.Via.IsValid() {
		next = d.hop.Via
	}
	if dst.Is6() {
		return source6(n, out, dst)
	}
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

// source6 follows RFC 6724 as far as it matters here: an address of the destination's scope, then the link, then the
// longest common prefix.
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
