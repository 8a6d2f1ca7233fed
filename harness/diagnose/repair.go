package diagnose

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// A fault has consequences: with a link that is set down, the kernel removes its IPv6 addresses and the routes by it.
// So a repair is tried on a copy of the state, the packet is walked again, and what stops it then is repaired too.

// rounds is the maximum number of times that a repair is completed.
const rounds = 8

// completeRepair adds the repairs of a cause's consequences to its own, and reports whether the packet gets through
// then.
func (w *walk) completeRepair(c *Cause) bool {
	s := w.state
	for next, i := c, 0; len(next.changes) > 0 && i < rounds; i++ {
		s = sketched(s, next.changes)
		again := &walk{state: s, query: w.query, turns: w.turns.again()}
		if next = again.both(); next == nil || !next.Name.Consequence() {
			return next == nil
		}
		c.fixAs(next)
	}
	return false
}

// station is a namespace that sent the packet on, with the packet and the route decision there.
type station struct {
	n *state.Namespace
	p packet
	d decision
}

// detour finds a namespace that sent the packet to a gateway only because its direct route was gone: its own link to
// the destination is down, or has lost the route.
func (w *walk) detour() *Cause {
	for _, at := range w.stations {
		if at.d.hop == nil || !at.d.hop.Via.IsValid() {
			continue
		}
		for _, why := range []func(*state.Namespace, packet, []*state.Link) *Cause{
			w.linkDown, w.downStraight, w.muteStraight, w.connectedRouteMissing, w.prefixMismatch,
		} {
			if c := why(at.n, at.p, ordinary(at.n)); c != nil && w.completeRepair(c) {
				c.Reply = at.p.reply
				return c
			}
		}
	}
	return nil
}

// fixes reports whether the packet and its reply get through after some changes.
func (w *walk) fixes(changes ...change) bool {
	c, _ := w.after(changes)
	return c == nil
}

// improves reports whether the packet gets further after some changes: through, or at least over more hops.
func (w *walk) improves(changes ...change) bool {
	c, stations := w.after(changes)
	return c == nil || stations > len(w.path) && c.Name != causes.RoutingLoop
}

// after is what stops the packet after some changes, and the number of hops until then.
func (w *walk) after(changes []change) (*Cause, int) {
	again := &walk{state: sketched(w.state, changes), query: w.query, turns: w.turns.again(), trial: true}
	return again.both(), len(again.path)
}

// change is one change of a sketch.
type change func(*sketch)

// sketch is a copy of a state in which namespaces are copied before they are changed.
type sketch struct {
	*state.State
	copied map[*state.Namespace]bool
}

func sketched(s *state.State, changes []change) *state.State {
	own := *s
	own.Namespaces = slices.Clone(s.Namespaces)
	k := &sketch{&own, map[*state.Namespace]bool{}}
	for _, c := range changes {
		c(k)
	}
	k.carriers()
	return k.State
}

// netns is a namespace that may be changed, with its links and addresses. If there is none of the name, it is a
// namespace outside the sketch.
func (k *sketch) netns(name string) *state.Namespace {
	n := k.Namespace(name)
	if n == nil {
		return &state.Namespace{Name: name}
	}
	return k.own(n)
}

// own copies one of the sketch's namespaces, once, so that it may be changed.
func (k *sketch) own(n *state.Namespace) *state.Namespace {
	if !k.copied[n] {
		k.copied[n] = true
		n.Links = slices.Clone(n.Links)
		for i := range n.Links {
			n.Links[i].Addresses = slices.Clone(n.Links[i].Addresses)
		}
		n.Routes, n.Rules = slices.Clone(n.Routes), slices.Clone(n.Rules)
		n.Sysctls, n.Neighbours = slices.Clone(n.Sysctls), slices.Clone(n.Neighbours)
	}
	return n
}

// link is a link that may be changed, and its namespace. If there is none of the name, it is a link outside the sketch.
func (k *sketch) link(netns, name string) (*state.Namespace, *state.Link) {
	n := k.netns(netns)
	if l := n.Link(name); l != nil {
		return n, l
	}
	return n, &state.Link{Name: name}
}

// carriers updates the carrier of each veth and each bridge.
func (k *sketch) carriers() {
	w := &walk{state: k.State}
	each := func(kind string, carrier func(*state.Namespace, *state.Link) bool) {
		for i := range k.Namespaces {
			for j := range k.Namespaces[i].Links {
				l := &k.Namespaces[i].Links[j]
				if has := carrier(&k.Namespaces[i], l); l.Kind == kind && l.Carrier != has {
					n := k.own(&k.Namespaces[i])
					n.Links[j].Carrier = has
					if n.Links[j].Port != nil && has {
						n.Links[j].Port = forwarding(n.Links[j].Port)
					}
				}
			}
		}
	}
	each("veth", func(_ *state.Namespace, l *state.Link) bool {
		peer := w.below(l)
		return l.Up && (peer == nil && l.Carrier || peer != nil && peer.l.Up)
	})
	each("bridge", func(n *state.Namespace, l *state.Link) bool {
		return l.Up && slices.ContainsFunc(ports(n, l), func(q *state.Link) bool { return q.Up && q.Carrier })
	})
}

func forwarding(p *state.Port) *state.Port {
	q := *p
	q.State = "forwarding"
	return &q
}

// connect adds the routes that the kernel adds with the addresses of a link: to itself, which IPv4 has on a link that
// is down too (fib_add_ifaddr(), net/ipv4/fib_frontend.c), and to their networks if the link is up.
func connect(n *state.Namespace, l *state.Link) {
	for _, a := range l.Addresses {
		family := familyOf(a.Prefix.Addr())
		hop := []state.Nexthop{{Dev: l.Name}}
		own := localRoute(l, a.Prefix.Addr())
		if (l.Up || family == 4) && !slices.ContainsFunc(n.Routes, func(r state.Route) bool {
			return r.Type == own.Type && r.To == own.To && len(r.Nexthops) == 1 && r.Nexthops[0].Dev == l.Name
		}) {
			n.Routes = append(n.Routes, own)
		}
		if !l.Up || has(a.Flags, "noprefixroute") {
			continue
		}
		if to := covered(a); !to.IsSingleIP() {
			n.Routes = append(n.Routes, state.Route{Family: family, Type: "unicast", To: to, Table: state.TableMain,
				Nexthops: hop})
		}
	}
}

// localRoute is the route of the type local that the kernel adds with an address.
func localRoute(l *state.Link, addr netip.Addr) state.Route {
	return state.Route{
		Family: familyOf(addr), Type: "local", To: netip.PrefixFrom(addr, addr.BitLen()), Table: state.TableLocal,
		Nexthops: []state.Nexthop{{Dev: l.Name}},
	}
}

// setUp repairs a link that is down.
func (c *Cause) setUp(at port) *Cause {
	return c.fix(ip(at.n, "link set %s up", at.l.Name)).then(func(k *sketch) {
		n, l := k.link(at.n.Name, at.l.Name)
		l.Up, l.Carrier = true, l.Kind != "veth" && l.Kind != "bridge"
		if own := state.LinkLocal(l.MAC); own.IsValid() && l.Kind != "loopback" && !off6(n, l) && !holds(l, own) {
			// The kernel makes it by itself (addrconf_dev_config(), net/ipv6/addrconf.c).
			l.Addresses = append(l.Addresses, state.Address{Prefix: netip.PrefixFrom(own, 64), Scope: "link"})
		}
		for i := range n.Links { // the ports of a bridge that is down are disabled
			if q := &n.Links[i]; q.Port != nil && (q == l || q.Master == l.Name) {
				q.Port = forwarding(q.Port)
			}
		}
		connect(n, l)
	})
}

// holds reports whether a link has an address.
func holds(l *state.Link, addr netip.Addr) bool {
	return slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr })
}

// speak6 enables IPv6 on a link, if it is off.
func (c *Cause) speak6(at port) *Cause {
	switch {
	case at.l.MTU < 1280:
		return c.fix(ip(at.n, "link set %s mtu 1500", at.l.Name)).then(func(k *sketch) {
			_, l := k.link(at.n.Name, at.l.Name)
			l.MTU = 1500
		})
	case off6(at.n, at.l):
		return c.setSysctl(at.n, ofLink(6, at.l.Name, "disable_ipv6"), "0")
	}
	return c
}

// addAddress assigns an address to a link; an IPv6 address is usable at once (nodad).
func (c *Cause) addAddress(at port, prefix netip.Prefix) *Cause {
	if prefix.Addr().Is6() {
		comes := prefix.Addr() == state.LinkLocal(at.l.MAC) && (off6(at.n, at.l) || at.l.MTU < 1280)
		if c.speak6(at); comes { // the kernel makes it by itself (addrconf_dev_config(), net/ipv6/addrconf.c)
			return c.then(giveAddress(at, prefix))
		}
	}
	return c.fix(ip(at.n, "addr add %s dev %s%s", prefix, at.l.Name, nodad(prefix.Addr()))).then(
		giveAddress(at, prefix))
}

func giveAddress(at port, prefix netip.Prefix) change {
	return func(k *sketch) {
		n, l := k.link(at.n.Name, at.l.Name)
		l.Addresses = append(l.Addresses, state.Address{Prefix: prefix, Scope: "global"})
		connect(n, l)
	}
}

// deleteAddress removes an address from a link.
func (c *Cause) deleteAddress(at port, prefix netip.Prefix) *Cause {
	return c.fix(ip(at.n, "addr del %s dev %s", prefix, at.l.Name)).then(func(k *sketch) {
		n, l := k.link(at.n.Name, at.l.Name)
		l.Addresses = slices.DeleteFunc(l.Addresses, func(a state.Address) bool { return a.Prefix == prefix })
		last := prefix.Addr().Is4() && len(addresses(l, 4)) == 0
		n.Routes = slices.DeleteFunc(n.Routes, func(r state.Route) bool {
			leads := len(r.Nexthops) > 0 && r.Nexthops[0].Dev == l.Name && r.Family == familyOf(prefix.Addr())
			return leads && (last || !r.Nexthops[0].Via.IsValid() &&
				(r.To == prefix.Masked() || r.To == netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen())))
		})
	})
}

// addRoute adds a route to a namespace.
func (c *Cause) addRoute(n *state.Namespace, to netip.Prefix, h state.Nexthop) *Cause {
	return c.fix(ip(n, "%sroute add %s %s", six(familyOf(to.Addr())), state.PrefixText(to), by(h))).then(
		addRoute(n.Name, to, h))
}

func addRoute(netns string, to netip.Prefix, h state.Nexthop) change {
	return func(k *sketch) {
		n := k.netns(netns)
		n.Routes = append(n.Routes, state.Route{Family: familyOf(to.Addr()), Type: "unicast", To: to,
			Table: state.TableMain, Nexthops: []state.Nexthop{h}})
	}
}

// by is the nexthop of a route in the words of a command.
func by(h state.Nexthop) string {
	switch {
	case !h.Via.IsValid():
		return "dev " + h.Dev
	case h.Via.IsLinkLocalUnicast():
		return "via " + h.Via.String() + " dev " + h.Dev
	}
	return "via " + h.Via.String()
}

// deleteRoute removes the routes with the same text as r.
func deleteRoute(netns string, r *state.Route) change {
	text := state.RouteText(*r)
	return func(k *sketch) {
		n := k.netns(netns)
		n.Routes = slices.DeleteFunc(n.Routes, func(other state.Route) bool {
			return other.Family == r.Family && state.RouteText(other) == text
		})
	}
}

// deleteRule removes a rule. The kernel deletes the first one that matches (fib_nl_delrule(), net/core/fib_rules.c), so
// a rule that shares its priority is named in full.
func (c *Cause) deleteRule(n *state.Namespace, r *state.Rule) *Cause {
	which := ""
	for _, other := range rulesOf(n, r.Family) {
		if other != r && other.Priority == r.Priority {
			_, which, _ = strings.Cut(state.RuleText(*r), ":")
		}
	}
	return c.fix(ip(n, "%srule del priority %d%s", six(r.Family), r.Priority, which)).then(deleteRule(n.Name, r))
}

func deleteRule(netns string, r *state.Rule) change {
	return func(k *sketch) {
		n := k.netns(netns)
		n.Rules = slices.DeleteFunc(n.Rules, func(other state.Rule) bool {
			return other.Family == r.Family && state.RuleText(other) == state.RuleText(*r)
		})
	}
}

// setSysctl changes a sysctl.
func (c *Cause) setSysctl(n *state.Namespace, key, value string) *Cause {
	return c.fix(in(n, "sysctl -w %s=%s", key, value)).then(func(k *sketch) {
		s := k.netns(n.Name).Sysctls
		for i := range s {
			if s[i].Key == key {
				s[i].Value = value
			}
		}
	})
}

// forgetNeighbour removes an entry from a neighbour table.
func (c *Cause) forgetNeighbour(n *state.Namespace, out *state.Link, addr netip.Addr) *Cause {
	return c.fix(ip(n, "neigh del %s dev %s", addr, out.Name)).then(func(k *sketch) {
		in := k.netns(n.Name)
		in.Neighbours = slices.DeleteFunc(in.Neighbours, func(e state.Neighbour) bool {
			return !e.Proxy && e.Dev == out.Name && e.Addr.WithZone("") == addr.WithZone("")
		})
	})
}

// setMaster makes a link a port of a bridge.
func (c *Cause) setMaster(at port, bridge string) *Cause {
	return c.fix(ip(at.n, "link set %s master %s", at.l.Name, bridge)).then(func(k *sketch) {
		_, l := k.link(at.n.Name, at.l.Name)
		l.Master, l.Port = bridge, &state.Port{State: "forwarding"}
	})
}

func (c *Cause) then(f change) *Cause {
	c.changes = append(c.changes, f)
	return c
}
