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
	// refused is unreachable, prohibit, blackhole or throw where a rule or a route says so; "" with no route: nothing covers the destination.
	refused string
}

func (d decision) found() bool { return d.route != nil && d.refused == "" }
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
	dport    uint16
}

// lookup answers as the kernel's own look-up does (net/ipv4/fib_rules.c, net/ipv6/ip6_fib.c): rules by their priority, the longest
// prefix of a table, the lowest metric.
func lookup(n *state.Namespace, f flow) decision {
	family := familyOf(f.dst)
	thrown := decision{}
	for _, r := range rulesOf(n, family) {
		if !selects(r, f) {
			continue
		}
		switch r.Action {
		case "unreachable", "prohibit", "blackhole":
			return decision{rule: r, refused: r.Action}
		case "lookup":
		default:
			continue
		}
		route, hop := inTable(n, r, f)
		if route == nil {
			continue
		}
		d := decision{rule: r, route: route, hop: hop}
		switch route.Type {
		case "throw":
			d.refused = "throw"
			thrown = d
			continue
		case "unreachable", "prohibit", "blackhole":
			d.refused = route.Type
		}
		return d
	}
	return thrown
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

// selects says whether a rule is for the flow. Marks are 0 here: nothing tells what would set them.
func selects(r *state.Rule, f flow) bool {
	iif := f.iif
	if iif == "" {
		iif = "lo" // what the namespace sends itself
	}
	fits := (!r.From.IsValid() || r.From.Bits() == 0 || f.src.IsValid() && r.From.Contains(f.src)) &&
		(!r.To.IsValid() || r.To.Contains(f.dst.WithZone(""))) &&
		(r.IIf == "" || r.IIf == iif) &&
		(r.OIf == "" || r.OIf == f.oif) &&
		r.Mark == 0 &&
		(r.IPProto == "" || r.IPProto == f.proto) &&
		r.TOS == 0 && r.UIDRange == "" && r.SPort == "" &&
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
		alive, ok := aliveHop(n, r, f.oif)
		if !ok {
			continue
		}
		if best == nil || r.To.Bits() > best.To.Bits() || r.To.Bits() == best.To.Bits() && r.Metric < best.Metric {
			best, hop = r, alive
		}
	}
	return best, hop
}

// aliveHop is the first nexthop that can be used, out of oif where that is given; ok is false when none can.
func aliveHop(n *state.Namespace, r *state.Route, oif string) (hop *state.Nexthop, ok bool) {
	if len(r.Nexthops) == 0 {
		return nil, r.Type != "unicast" && r.Type != "local"
	}
	for i := range r.Nexthops {
		h := &r.Nexthops[i]
		if has(h.Flags, "dead") || oif != "" && h.Dev != oif && r.Type != "local" {
			continue
		}
		if l := n.Link(h.Dev); l != nil && !l.Up && r.Type != "local" {
			continue
		}
		return h, true
	}
	return nil, false
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

// source6 follows RFC 6724 as far as it matters here: an address of the destination's scope, then the link, then the longest common prefix.
func source6(n *state.Namespace, out *state.Link, dst netip.Addr) (best netip.Addr) {
	score := -1
	consider := func(l *state.Link) {
		for _, a := range l.Addresses {
			addr := a.Prefix.Addr()
			if !addr.Is6() || !usable(a) || addr.IsLoopback() || l != out && (addr.IsLinkLocalUnicast() || dst.IsLinkLocalUnicast()) {
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
