package state

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario/operation"
)

// MatchRoute finds the routes that have all attributes of want, in any table; attributes that want lacks may be
// anything. `default` without a family is the IPv4 one. A gateway or device may be that of any next hop; a list of next
// hops has to be the whole list, in any order. A device may be given by an alternative name.
func (n *Namespace) MatchRoute(want operation.Route) []Route {
	want.Dev = n.ownName(want.Dev)
	want.Nexthops = slices.Clone(want.Nexthops)
	for i := range want.Nexthops {
		want.Nexthops[i].Dev = n.ownName(want.Nexthops[i].Dev)
	}
	var found []Route
	for _, r := range n.Routes {
		if routeMatches(r, want) {
			found = append(found, r)
		}
	}
	return found
}

// ownName is the name of the link with this alternative name; other names stay.
func (n *Namespace) ownName(name string) string {
	if l := n.Link(name); l != nil {
		return l.Name
	}
	return name
}

func routeMatches(r Route, want operation.Route) bool {
	return familyMatches(r.Family, routeFamily(want)) &&
		(want.Type == "" || same(operation.RouteTypes, r.Type, want.Type)) &&
		destinationMatches(r, want) &&
		prefixMatches(r.From, want.From) &&
		valueMatches(r.TOS, want.TOS) &&
		(want.Table == "" || want.Table == "all" || same(operation.Tables, TableName(r.Table), want.Table)) &&
		valueMatches(r.Metric, want.Metric) &&
		(want.Proto == "" || same(operation.Protocols, r.Proto, want.Proto)) &&
		(want.Scope == "" || same(operation.Scopes, r.Scope, want.Scope)) &&
		(!want.Src.IsValid() || r.Src == want.Src) &&
		valueMatches(r.MTU, want.MTU) && (!want.MTULock || r.MTULock) &&
		valueMatches(r.AdvMSS, want.AdvMSS) &&
		valueMatches(r.Window, want.Window) &&
		(want.Pref == "" || r.Pref == want.Pref) &&
		valueMatches(r.NexthopID, want.NexthopID) &&
		metricsMatch(r.Metrics, want.Metrics) &&
		nexthopsMatch(r.Nexthops, want)
}

// routeFamily is the family that follows from the attributes of a route; a default route without any is IPv4.
func routeFamily(want operation.Route) operation.Family {
	if want.Family != operation.FamilyAny {
		return want.Family
	}
	addrs := []netip.Addr{want.To.Addr(), want.From.Addr(), want.Src}
	if want.Default && !want.Src.IsValid() {
		// The gateway to a prefix may be of the other family (`via inet6`); that of a default route sets the family.
		addrs = append(addrs, want.Via)
		for _, hop := range want.Nexthops {
			addrs = append(addrs, hop.Via)
		}
	}
	for _, a := range addrs {
		if a.IsValid() {
			return addrFamily(a)
		}
	}
	if want.Default {
		return operation.FamilyV4
	}
	return operation.FamilyAny
}

func addrFamily(a netip.Addr) operation.Family {
	if a.Is4() {
		return operation.FamilyV4
	}
	return operation.FamilyV6
}

func familyMatches(family int, want operation.Family) bool {
	return want == operation.FamilyAny || family == int(want)
}

func destinationMatches(r Route, want operation.Route) bool {
	if want.Default {
		return r.To.IsValid() && r.To.Bits() == 0
	}
	return prefixMatches(r.To, want.To)
}

// prefixMatches compares the networks, without their host bits.
func prefixMatches(p, want netip.Prefix) bool {
	return !want.IsValid() || p.IsValid() && p.Masked() == want.Masked()
}

// metricsMatch looks for each wanted metric, which may be locked if that is not written.
func metricsMatch(have []string, want []operation.RouteMetric) bool {
	for _, m := range want {
		locked := slices.Contains(have, m.Word+" lock "+m.Value)
		if !locked && (m.Lock || !slices.Contains(have, m.Word+" "+m.Value)) {
			return false
		}
	}
	return true
}

func valueMatches[T comparable](value T, want *T) bool { return want == nil || value == *want }

func nexthopsMatch(hops []Nexthop, want operation.Route) bool {
	single := operation.Nexthop{Via: want.Via, Dev: want.Dev, OnLink: want.OnLink, Encap: want.Encap,
		LinkDown: want.LinkDown, Dead: want.Dead}
	if single != (operation.Nexthop{}) && !slices.ContainsFunc(hops, func(h Nexthop) bool {
		return nexthopMatches(h, single)
	}) {
		return false
	}
	if len(want.Nexthops) == 0 {
		return true
	}
	return len(hops) == len(want.Nexthops) && assignable(hops, want.Nexthops)
}

// assignable reports whether each wanted next hop can be assigned a different one.
func assignable(hops []Nexthop, want []operation.Nexthop) bool {
	if len(want) == 0 {
		return true
	}
	for i, h := range hops {
		if nexthopMatches(h, want[0]) && assignable(slices.Delete(slices.Clone(hops), i, i+1), want[1:]) {
			return true
		}
	}
	return false
}

func nexthopMatches(h Nexthop, want operation.Nexthop) bool {
	return (!want.Via.IsValid() || h.Via == want.Via) &&
		(want.Dev == "" || h.Dev == want.Dev) &&
		(want.Weight == 0 || max(h.Weight, 1) == want.Weight) &&
		(!want.OnLink || slices.Contains(h.Flags, "onlink")) &&
		(!want.LinkDown || slices.Contains(h.Flags, "linkdown")) &&
		(!want.Dead || slices.Contains(h.Flags, "dead")) &&
		(want.Encap == nil || encapMatches(h.Encap, want.Encap))
}

// encapMatches compares the type and the options that are written. An option that is zero is as good as none.
func encapMatches(have string, want *operation.Encap) bool {
	text, _ := strings.CutSuffix(have, " "+NotDecoded)
	got, err := operation.ParseEncap(strings.Fields(text))
	if err != nil || got.Type != want.Type {
		return false
	}
	for _, o := range want.Options {
		value, written := got.Option(o.Word)
		zero := o.Value == "0" || o.Value == "0x00" || o.Value == "0.0.0.0" || o.Value == "::"
		if !written && !zero || written && value != o.Value {
			return false
		}
	}
	return true
}

// MatchRule finds the rules that have all attributes of want, of either family if it names none; attributes that want
// lacks may be anything.
func (n *Namespace) MatchRule(want operation.Rule) []Rule {
	var found []Rule
	for _, r := range n.Rules {
		if ruleMatches(r, want) {
			found = append(found, r)
		}
	}
	return found
}

func ruleMatches(r Rule, want operation.Rule) bool {
	return familyMatches(r.Family, ruleFamily(want)) &&
		(!want.Not || r.Not) &&
		valueMatches(r.Priority, want.Priority) &&
		selectorMatches(r.From, want.From) && (!want.FromAll || !r.From.IsValid() || r.From.Bits() == 0) &&
		selectorMatches(r.To, want.To) &&
		valueMatches(r.TOS, want.TOS) &&
		valueMatches(r.Mark, want.Mark) &&
		valueMatches(r.Mask, want.Mask) &&
		(want.IIf == "" || r.IIf == want.IIf) &&
		(want.OIf == "" || r.OIf == want.OIf) &&
		(want.IPProto == "" || same(operation.IPProtocols, r.IPProto, want.IPProto)) &&
		(want.SPort == "" || rangeText(r.SPort) == rangeText(want.SPort)) &&
		(want.DPort == "" || rangeText(r.DPort) == rangeText(want.DPort)) &&
		(want.UIDRange == "" || rangeText(r.UIDRange) == rangeText(want.UIDRange)) &&
		(want.Table == "" || r.Action == "lookup" && same(operation.Tables, TableName(r.Table), want.Table)) &&
		(want.Type == "" || r.Action == want.Type) &&
		(want.Goto == nil || r.Action == "goto" && r.Goto == *want.Goto) &&
		(want.SuppressPrefixLength == nil || r.SuppressPrefixLength != nil &&
			*r.SuppressPrefixLength == *want.SuppressPrefixLength) &&
		(want.SuppressIfGroup == nil || r.SuppressIfGroup != nil && *r.SuppressIfGroup == *want.SuppressIfGroup) &&
		(!want.L3MDev || r.L3MDev) &&
		(want.Protocol == "" || same(operation.Protocols, r.Protocol, want.Protocol))
}

// ruleFamily is the family that follows from the attributes of a rule, if any does.
func ruleFamily(want operation.Rule) operation.Family {
	for _, p := range []netip.Prefix{want.From, want.To} {
		if want.Family == operation.FamilyAny && p.IsValid() {
			return addrFamily(p.Addr())
		}
	}
	return want.Family
}

// selectorMatches is prefixMatches for rules, where a prefix of length 0 means the same as none.
func selectorMatches(p, want netip.Prefix) bool {
	if want.IsValid() && want.Bits() == 0 {
		return !p.IsValid() || p.Bits() == 0
	}
	return prefixMatches(p, want)
}

// rangeText shortens a range of one number to that number: 80-80 is 80.
func rangeText(r string) string {
	from, to, ok := strings.Cut(r, "-")
	if !ok || from != to {
		return r
	}
	if _, err := strconv.Atoi(from); err != nil {
		return r
	}
	return from
}
