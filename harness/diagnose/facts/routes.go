package facts

import (
	"cmp"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// Sets reports whether a rule of the namespace changes something, or may do so: a target of iptables that is not
// understood.
func Sets(n *state.Namespace, key string) bool {
	return HasRule(n, func(r state.FilterRule) bool { return MaySet(r, key) })
}

// MaySet reports whether a rule changes something, or may do so.
func MaySet(r state.FilterRule, key string) bool {
	unknown := strings.Contains(r.Text, "[xt target") || r.Verdict == "" && strings.Contains(r.Text, "[meta]")
	return r.Opaque && unknown ||
		slices.ContainsFunc(r.Changes, func(c state.FilterChange) bool { return c.Key == key })
}

// MarksBelow reports whether a packet that comes in by a link may have been marked in the namespace already, below that
// link: by the filters of its bridge, or at the ingress of another link.
func MarksBelow(n *state.Namespace, in *state.Link) bool {
	return slices.ContainsFunc(n.Filters, func(t state.FilterTable) bool {
		elsewhere := func(c state.FilterChain) bool {
			return c.Hook == "ingress" && slices.ContainsFunc(c.Devices, func(dev string) bool { return dev != in.Name })
		}
		return (t.Family == "bridge" && in.Kind == "bridge" || slices.ContainsFunc(t.Chains, elsewhere)) &&
			slices.ContainsFunc(t.Chains, func(c state.FilterChain) bool {
				return slices.ContainsFunc(c.Rules, func(r state.FilterRule) bool { return MaySet(r, "mark") })
			})
	})
}

func HasRule(n *state.Namespace, is func(state.FilterRule) bool) bool {
	for _, t := range slices.Concat(n.Filters, n.LegacyFilters) {
		for _, c := range t.Chains {
			if slices.ContainsFunc(c.Rules, is) {
				return true
			}
		}
	}
	return false
}

func LeadsBy(r *state.Route, by state.Nexthop) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Via == by.Via && h.Dev == by.Dev })
}

// RulesOf are the rules of a family, by priority; rules of the same priority stay in their order.
func RulesOf(n *state.Namespace, family int) (rules []*state.Rule) {
	for i := range n.Rules {
		if n.Rules[i].Family == family {
			rules = append(rules, &n.Rules[i])
		}
	}
	slices.SortStableFunc(rules, func(a, b *state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return rules
}

// IsConnected reports whether the connected route of an address is there.
func IsConnected(n *state.Namespace, l *state.Link, a state.Address) bool {
	return slices.ContainsFunc(n.Routes, func(r state.Route) bool {
		return r.Type == "unicast" && r.To == Covered(a) &&
			slices.ContainsFunc(r.Nexthops, func(hop state.Nexthop) bool {
				return hop.Dev == l.Name && !hop.Via.IsValid()
			})
	})
}

// LeadsOut reports whether a route has a nexthop out of a link.
func LeadsOut(r *state.Route, dev string) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Dev == dev })
}

func Has(flags []string, flag string) bool { return slices.Contains(flags, flag) }
