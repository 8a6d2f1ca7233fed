package finding

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// SetUp repairs a link that is down.
func (c *Cause) SetUp(at facts.Port) *Cause {
	return c.Fix(words.IP(at.N, "link set %s up", at.L.Name)).Then(func(k *Sketch) {
		n, l := k.Link(at.N.Name, at.L.Name)
		l.Up, l.Carrier = true, l.Kind != "veth" && l.Kind != "bridge"
		if own := state.LinkLocal(l.MAC); own.IsValid() && l.Kind != "loopback" && !facts.Off6(n, l) && !facts.Holds(l,
			own) {
			// The kernel makes it by itself (addrconf_dev_config(), net/ipv6/addrconf.c).
			l.Addresses = append(l.Addresses, state.Address{Prefix: netip.PrefixFrom(own, 64), Scope: "link"})
		}
		for i := range n.Links { // the ports of a bridge that is down are disabled
			if q := &n.Links[i]; q.Port != nil && (q == l || q.Master == l.Name) {
				q.Port = forwarding(q.Port)
			}
		}
		Connect(n, l)
	})
}

// Speak6 enables IPv6 on a link, if it is off.
func (c *Cause) Speak6(at facts.Port) *Cause {
	switch {
	case at.L.MTU < 1280:
		return c.Fix(words.IP(at.N, "link set %s mtu 1500", at.L.Name)).Then(func(k *Sketch) {
			_, l := k.Link(at.N.Name, at.L.Name)
			l.MTU = 1500
		})
	case facts.Off6(at.N, at.L):
		return c.SetSysctl(at.N, facts.OfLink(6, at.L.Name, "disable_ipv6"), "0")
	}
	return c
}

// SetMTU changes the MTU of a link.
func (c *Cause) SetMTU(at facts.Port, mtu int) *Cause {
	return c.Fix(words.IP(at.N, "link set %s mtu %d", at.L.Name, mtu)).Then(func(k *Sketch) {
		_, l := k.Link(at.N.Name, at.L.Name)
		l.MTU = mtu
	})
}

// WidenRoute gives the routes with the same text as r an MTU.
func WidenRoute(netns string, r *state.Route, mtu int) Change {
	text := state.RouteText(*r)
	return func(k *Sketch) {
		routes := k.Netns(netns).Routes
		for i := range routes {
			if routes[i].Family == r.Family && state.RouteText(routes[i]) == text {
				routes[i].MTU, routes[i].MTULock = mtu, false
			}
		}
	}
}

// ForgetPathMTUs empties the path MTUs that a namespace has cached.
func (c *Cause) ForgetPathMTUs(n *state.Namespace, family int) *Cause {
	return c.Fix(words.Forget(n, family)).Then(func(k *Sketch) { k.Netns(n.Name).PathMTUs = nil })
}

// AddAddress assigns an address to a link; an IPv6 address is usable at once (nodad).
func (c *Cause) AddAddress(at facts.Port, prefix netip.Prefix) *Cause {
	if prefix.Addr().Is6() {
		comes := prefix.Addr() == state.LinkLocal(at.L.MAC) && (facts.Off6(at.N, at.L) || at.L.MTU < 1280)
		if c.Speak6(at); comes { // the kernel makes it by itself (addrconf_dev_config(), net/ipv6/addrconf.c)
			return c.Then(giveAddress(at, prefix))
		}
	}
	return c.Fix(words.IP(at.N, "addr add %s dev %s%s", prefix, at.L.Name, words.Nodad(prefix.Addr()))).Then(
		giveAddress(at, prefix))
}

func giveAddress(at facts.Port, prefix netip.Prefix) Change {
	return func(k *Sketch) {
		n, l := k.Link(at.N.Name, at.L.Name)
		l.Addresses = append(l.Addresses, state.Address{Prefix: prefix, Scope: "global"})
		Connect(n, l)
	}
}

// DeleteAddress removes an address from a link.
func (c *Cause) DeleteAddress(at facts.Port, prefix netip.Prefix) *Cause {
	return c.Fix(words.IP(at.N, "addr del %s dev %s", prefix, at.L.Name)).Then(func(k *Sketch) {
		n, l := k.Link(at.N.Name, at.L.Name)
		l.Addresses = slices.DeleteFunc(l.Addresses, func(a state.Address) bool { return a.Prefix == prefix })
		last := prefix.Addr().Is4() && len(facts.Addresses(l, 4)) == 0
		n.Routes = slices.DeleteFunc(n.Routes, func(r state.Route) bool {
			leads := len(r.Nexthops) > 0 && r.Nexthops[0].Dev == l.Name && r.Family == facts.FamilyOf(prefix.Addr())
			return leads && (last || !r.Nexthops[0].Via.IsValid() &&
				(r.To == prefix.Masked() || r.To == netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen())))
		})
	})
}

// AddRoute adds a route to a namespace.
func (c *Cause) AddRoute(n *state.Namespace, to netip.Prefix, h state.Nexthop) *Cause {
	return c.Fix(words.IP(n, "%sroute add %s %s", words.Six(facts.FamilyOf(to.Addr())), state.PrefixText(to),
		words.By(h))).Then(
		AddRoute(n.Name, to, h))
}

func AddRoute(netns string, to netip.Prefix, h state.Nexthop) Change {
	return func(k *Sketch) {
		n := k.Netns(netns)
		n.Routes = append(n.Routes, state.Route{Family: facts.FamilyOf(to.Addr()), Type: "unicast", To: to,
			Table: state.TableMain, Nexthops: []state.Nexthop{h}})
	}
}

// DeleteRoute removes the routes with the same text as r.
func DeleteRoute(netns string, r *state.Route) Change {
	text := state.RouteText(*r)
	return func(k *Sketch) {
		n := k.Netns(netns)
		n.Routes = slices.DeleteFunc(n.Routes, func(other state.Route) bool {
			return other.Family == r.Family && state.RouteText(other) == text
		})
	}
}

// DeleteRule removes a rule. The kernel deletes the first one that matches (fib_nl_delrule(), net/core/fib_rules.c), so
// a rule that shares its priority is named in full.
func (c *Cause) DeleteRule(n *state.Namespace, r *state.Rule) *Cause {
	which := ""
	for _, other := range facts.RulesOf(n, r.Family) {
		if other != r && other.Priority == r.Priority {
			_, which, _ = strings.Cut(state.RuleText(*r), ":")
		}
	}
	return c.Fix(words.IP(n, "%srule del priority %d%s", words.Six(r.Family), r.Priority, which)).
		Then(DeleteRule(n.Name, r))
}

func DeleteRule(netns string, r *state.Rule) Change {
	return func(k *Sketch) {
		n := k.Netns(netns)
		n.Rules = slices.DeleteFunc(n.Rules, func(other state.Rule) bool {
			return other.Family == r.Family && state.RuleText(other) == state.RuleText(*r)
		})
	}
}

// SetSysctl changes a sysctl. Forwarding of IPv4 for the namespace sets that of each interface (inet_forward_change(),
// net/ipv4/devinet.c).
func (c *Cause) SetSysctl(n *state.Namespace, key, value string) *Cause {
	return c.Fix(words.In(n, "sysctl -w %s=%s", key, value)).Then(func(k *Sketch) {
		s := k.Netns(n.Name).Sysctls
		for i := range s {
			if s[i].Key == key || key == facts.ForwardingKey(4) && strings.HasPrefix(s[i].Key, "net.ipv4.conf.") &&
				strings.HasSuffix(s[i].Key, ".forwarding") {
				s[i].Value = value
			}
		}
	})
}

// ForgetNeighbour removes an entry from a neighbour table.
func (c *Cause) ForgetNeighbour(n *state.Namespace, out *state.Link, addr netip.Addr) *Cause {
	return c.Fix(words.IP(n, "neigh del %s dev %s", addr, out.Name)).Then(func(k *Sketch) {
		in := k.Netns(n.Name)
		in.Neighbours = slices.DeleteFunc(in.Neighbours, func(e state.Neighbour) bool {
			return !e.Proxy && e.Dev == out.Name && e.Addr.WithZone("") == addr.WithZone("")
		})
	})
}

// SetMaster makes a link a port of a bridge.
func (c *Cause) SetMaster(at facts.Port, bridge string) *Cause {
	return c.Fix(words.IP(at.N, "link set %s master %s", at.L.Name, bridge)).Then(func(k *Sketch) {
		_, l := k.Link(at.N.Name, at.L.Name)
		l.Master, l.Port = bridge, &state.Port{State: "forwarding"}
	})
}

// AddRule adds a rule to a chain of a namespace's packet filters: before the rule with this handle, or at the end if it
// is 0.
func AddRule(netns string, t *state.FilterTable, chain string, handle uint64, rule state.FilterRule) Change {
	return func(k *Sketch) {
		n := k.Netns(netns)
		i := slices.IndexFunc(n.Filters, func(o state.FilterTable) bool { return o.Family == t.Family && o.Name == t.Name })
		if i < 0 {
			return
		}
		n.Filters = slices.Clone(n.Filters)
		chains := slices.Clone(n.Filters[i].Chains)
		n.Filters[i].Chains = chains
		for j := range chains {
			if c := &chains[j]; c.Name == chain {
				at := slices.IndexFunc(c.Rules, func(o state.FilterRule) bool { return handle != 0 && o.Handle == handle })
				if at < 0 {
					at = len(c.Rules)
				}
				c.Rules = slices.Insert(slices.Clone(c.Rules), at, rule)
			}
		}
	}
}
