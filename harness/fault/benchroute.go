package fault

import (
	"net/netip"
	"reflect"
	"slices"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// leavesBy reports whether a route leads out of a link.
func leavesBy(r state.Route, link string) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Dev == link })
}

// dropRoutes removes routes as the kernel does because of another change.
func (b *bench) dropRoutes(n *state.Namespace, gone func(state.Route) bool) {
	n.Routes = slices.DeleteFunc(n.Routes, func(r state.Route) bool {
		if !gone(r) {
			return false
		}
		if len(r.Nexthops) > 1 || r.NexthopID != 0 {
			b.unsure = true // the route may stay with its other next hops
		}
		if r.Proto != "kernel" {
			b.touched[n.Name+" routes"] = true
		}
		return true
	})
}

func (b *bench) deleteRoute(netns string, r state.Route) {
	n := b.do(netns, operation.RouteChange{Verb: operation.Delete, Route: b.routeOf(r)}, b.routeParts(r)...)
	n.Routes = slices.DeleteFunc(n.Routes, func(other state.Route) bool { return sameRoute(r, other) })
}

// sameRoute reports whether two routes are the same, whether there is carrier or not.
func sameRoute(a, b state.Route) bool {
	return a.Family == b.Family && a.To == b.To && a.Table == b.Table && a.Type == b.Type &&
		routeText(a) == routeText(b)
}

// routeText is a route without the flags of its next hops that follow carrier.
func routeText(r state.Route) string {
	hops := slices.Clone(r.Nexthops)
	for i := range hops {
		hops[i].Flags = slices.DeleteFunc(slices.Clone(hops[i].Flags), func(flag string) bool {
			return flag == "linkdown" || flag == "dead"
		})
	}
	r.Nexthops = hops
	return state.RouteText(r)
}

func (b *bench) addRoute(netns string, r state.Route) {
	n := b.do(netns, operation.RouteChange{Verb: operation.Add, Route: b.routeOf(r)}, b.routeParts(r)...)
	n.Routes = append(n.Routes, r)
}

// routeParts are the parts of a namespace that a route concerns.
func (b *bench) routeParts(r state.Route) []string {
	parts := []string{"routes"}
	for _, h := range r.Nexthops {
		if h.Dev != "" {
			parts = append(parts, h.Dev)
		}
	}
	return parts
}

// routeOf is a route in the words of a command. It is not known for one with several next hops and the like.
func (b *bench) routeOf(r state.Route) operation.Route {
	o := operation.Route{Family: operation.Family(r.Family), To: r.To, Src: r.Src, From: r.From}
	if r.To.Bits() == 0 {
		o.Default, o.To = true, netip.Prefix{}
	}
	if r.Type != "unicast" {
		o.Type = r.Type
	}
	if r.Table != state.TableMain {
		o.Table = state.TableName(r.Table)
	}
	if r.Proto != "boot" {
		o.Proto = r.Proto
	}
	if r.Metric != 0 && !(r.Family == 6 && r.Metric == 1024) {
		o.Metric = &r.Metric
	}
	if r.MTU != 0 {
		o.MTU, o.MTULock = &r.MTU, r.MTULock
	}
	switch len(r.Nexthops) {
	case 0:
	case 1:
		h := r.Nexthops[0]
		o.Via, o.Dev, o.OnLink = h.Via, h.Dev, slices.Contains(h.Flags, "onlink")
		if refuses(r) {
			o.Dev = "" // the kernel's own, lo for IPv6
		}
		if r.Family == 4 && h.Via.IsValid() == (r.Scope == "link") {
			o.Scope = r.Scope
		}
		b.unsure = b.unsure || h.Encap != ""
	default:
		b.unsure = true
	}
	b.unsure = b.unsure || r.TOS != 0 || r.NexthopID != 0 || r.Window != 0 || r.AdvMSS != 0 || len(r.Metrics) > 0
	return o
}

// refuses reports whether a route leads nowhere.
func refuses(r state.Route) bool {
	return slices.Contains([]string{"unreachable", "prohibit", "blackhole", "throw"}, r.Type)
}

func (b *bench) addRule(netns string, r state.Rule) {
	n := b.do(netns, operation.RuleChange{Verb: operation.Add, Rule: b.ruleOf(r)}, "rules")
	n.Rules = append(n.Rules, r)
}

func (b *bench) deleteRule(netns string, r state.Rule) {
	n := b.do(netns, operation.RuleChange{Verb: operation.Delete, Rule: b.ruleOf(r)}, "rules")
	text := state.RuleText(r)
	n.Rules = slices.DeleteFunc(n.Rules, func(other state.Rule) bool {
		return other.Family == r.Family && other.Priority == r.Priority && state.RuleText(other) == text
	})
}

// ruleOf is a rule in the words of a command. It is not known for one that selects by more than addresses.
func (b *bench) ruleOf(r state.Rule) operation.Rule {
	o := operation.Rule{Family: operation.Family(r.Family), Priority: &r.Priority, From: r.From, To: r.To}
	if r.Action == "lookup" {
		o.Table = state.TableName(r.Table)
	} else {
		o.Type = r.Action
	}
	plain := state.Rule{Family: r.Family, Priority: r.Priority, From: r.From, To: r.To, Table: r.Table,
		Action:   r.Action,
		Protocol: r.Protocol}
	b.unsure = b.unsure || !reflect.DeepEqual(r, plain)
	return o
}
