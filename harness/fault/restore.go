package fault

import (
	"reflect"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// restore returns operations that lead from a broken state back to the normal form of the finished one, in an order in
// which they can be typed; not ok if there are none that are known to do so. The last argument is that normal form.
func restore(broken, finished, normal *state.State) (mend []operation.Command, ok bool) {
	b := restored(broken, finished)
	same := len(state.Compare(chosenMACs(b.State, finished).Normal(), normal, "restored", "finished")) == 0
	return b.done, !b.unsure && same && sameWalls(b.State, finished)
}

// restored carries out what leads back to the finished state.
func restored(broken, finished *state.State) restoring {
	b := restoring{newBench(broken), finished}
	for _, n := range finished.Namespaces {
		b.removeWalls(n)
		b.restoreRules(n)
		b.forgetGiven(n)
		b.bringBack(n)
	}
	for _, restore := range []func(netns string, l state.Link){b.restoreLink, b.restoreAddresses} {
		for _, n := range finished.Namespaces {
			for _, l := range n.Links {
				restore(n.Name, l)
			}
		}
	}
	for _, n := range finished.Namespaces {
		b.restoreTables(&n)
	}
	return b
}

// restoring is a bench on which a broken state is led back to the finished one.
type restoring struct {
	*bench
	finished *state.State
}

// sameWalls compares the packet filters, but for the handles of their rules.
func sameWalls(a, b *state.State) bool {
	for i := range b.Namespaces {
		n := a.Namespace(b.Namespaces[i].Name)
		if n == nil || !reflect.DeepEqual(withoutHandles(n.Filters), withoutHandles(b.Namespaces[i].Filters)) {
			return false
		}
	}
	return true
}

func withoutHandles(tables []state.FilterTable) []state.FilterTable {
	all := append([]state.FilterTable{}, tables...)
	for i := range all {
		all[i].Chains = slices.Clone(all[i].Chains)
		for j := range all[i].Chains {
			rules := append([]state.FilterRule{}, all[i].Chains[j].Rules...)
			for k := range rules {
				rules[k].Handle = 0
			}
			all[i].Chains[j].Rules = rules
		}
	}
	return all
}

func (b restoring) removeWalls(finished state.Namespace) {
	for _, t := range slices.Clone(b.Namespace(finished.Name).Filters) {
		if !slices.ContainsFunc(finished.Filters, func(other state.FilterTable) bool {
			return other.Family == t.Family && other.Name == t.Name
		}) {
			b.deleteWall(finished.Name, t)
		}
	}
}

// restoreRules adds the rules of the packet filter that are missing.
func (b restoring) restoreRules(finished state.Namespace) {
	for _, t := range finished.Filters {
		for _, c := range t.Chains {
			for k, r := range c.Rules {
				at := ruleAt{t.Family, t.Name, c.Name, k}
				now := b.rules(b.Namespace(finished.Name), at)
				if now != nil && !slices.ContainsFunc(*now, func(other state.FilterRule) bool {
					return other.Text == r.Text
				}) {
					b.addFilterRule(finished.Name, at, r)
				}
			}
		}
	}
}

// forgetGiven removes neighbours that were given by hand, before changes with which some of them would go.
func (b restoring) forgetGiven(finished state.Namespace) {
	for _, e := range slices.Clone(b.Namespace(finished.Name).Neighbours) {
		if e.State == "permanent" && !slices.Contains(finished.Neighbours, e) {
			b.deleteNeighbour(finished.Name, e)
		}
	}
}

// bringBack moves the links of a namespace back that are in another one.
func (b restoring) bringBack(finished state.Namespace) {
	for _, l := range finished.Links {
		if b.Namespace(finished.Name).Link(l.Name) != nil {
			continue
		}
		for _, n := range b.Namespaces {
			if found := n.Link(l.Name); found != nil && found.Kind == l.Kind && found.MAC == l.MAC {
				b.move(n.Name, l.Name, finished.Name)
				break
			}
		}
	}
}

// restoreLink gives a link its settings, and takes what addresses it should not have.
func (b restoring) restoreLink(netns string, want state.Link) {
	now := func() *state.Link { return b.Namespace(netns).Link(want.Name) }
	if now() == nil {
		b.unsure = true
		return
	}
	if want.VXLAN != nil && now().VXLAN != nil && *now().VXLAN != *want.VXLAN ||
		want.VLAN != nil && want.Peer != nil && now().VLAN != nil && *now().VLAN != *want.VLAN {
		b.addAgain(netns, want)
	}
	if now().Kind == "veth" && now().MAC != want.MAC {
		b.setMAC(netns, want.Name, want.MAC)
	}
	if now().Master != want.Master {
		b.setMaster(netns, want.Name, want.Master)
		switch port := now().Port; {
		case port != nil && want.Port != nil && plain(*want.Port):
			*port = *want.Port
		case port != nil:
			b.unsure = true
		}
	}
	if want.Port != nil && now().Port != nil && now().Port.Isolated != want.Port.Isolated {
		b.isolate(netns, want.Name, want.Port.Isolated)
	}
	if now().MTU != want.MTU {
		b.setMTU(netns, want.Name, want.MTU)
	}
	if now().NoARP != want.NoARP {
		b.setARP(netns, want.Name, !want.NoARP)
	}
	for _, a := range slices.Clone(now().Addresses) {
		if !hasAddress(want, a) && hasAddress(*now(), a) && !comesAlone(want, a) {
			b.takeAddress(netns, now(), a)
		}
	}
	switch {
	case want.Up && !now().Up:
		b.setUp(netns, want.Name)
	case now().Up && !want.Up:
		b.setDown(netns, want.Name)
	}
	// IPv6 has to be enabled before there are addresses.
	b.restoreSysctls(netns, func(key string) bool { return ofLink(key, want.Name) })
	if port := now().Port; port != nil && now().Up && want.Port != nil && port.State == "listening" &&
		want.Port.State == "forwarding" && b.Namespace(netns).Link(want.Master).Up {
		b.setPortState(netns, want.Name, slices.Index(state.PortStates, "forwarding"))
	}
}

// comesAlone reports whether the kernel gives a link an address by itself when it is up, and takes it when it is down.
func comesAlone(l state.Link, a state.Address) bool {
	return a.Prefix.Addr().Is6() && (l.Kind == "loopback" || a.Prefix.Addr().IsLinkLocalUnicast())
}

// takeAddress removes an address, and first its secondary addresses, which may go with it (promote_secondaries).
func (b restoring) takeAddress(netns string, l *state.Link, a state.Address) {
	for _, other := range slices.Clone(l.Addresses) {
		if !secondary(a) && secondary(other) && other.Prefix.Masked() == a.Prefix.Masked() {
			b.deleteAddress(netns, l.Name, other)
		}
	}
	b.deleteAddress(netns, l.Name, a)
}

// restoreAddresses gives a link its addresses. Another link may have had one of them, which is gone by then: two links
// of a namespace share the route to their own address.
func (b restoring) restoreAddresses(netns string, want state.Link) {
	now := b.Namespace(netns).Link(want.Name)
	if now == nil {
		return
	}
	for _, a := range want.Addresses {
		switch {
		case hasAddress(*now, a):
		case comesAlone(want, a):
			now.Addresses = append(now.Addresses, a)
		default:
			b.addAddress(netns, want.Name, a)
		}
	}
}

// plain reports whether the settings of a port are those of a new one.
func plain(p state.Port) bool {
	p.State, p.Cost, p.VLANs, p.ForwardTimer = "", 0, nil, 0
	return reflect.DeepEqual(p, state.Port{Priority: 32})
}

// hasAddress reports whether a link has an address, given to it in the same way.
func hasAddress(l state.Link, a state.Address) bool {
	return slices.ContainsFunc(l.Addresses, func(other state.Address) bool {
		return other.Prefix == a.Prefix && other.Peer == a.Peer && other.Broadcast == a.Broadcast &&
			secondary(a) == secondary(other) &&
			slices.Contains(a.Flags, "nodad") == slices.Contains(other.Flags, "nodad")
	})
}

// restoreTables gives a namespace its rules, neighbours, routes and sysctls.
func (b restoring) restoreTables(want *state.Namespace) {
	now := b.Namespace(want.Name)
	for _, r := range slices.Clone(now.Rules) {
		if !slices.ContainsFunc(want.Rules, func(other state.Rule) bool { return reflect.DeepEqual(r, other) }) {
			b.deleteRule(want.Name, r)
		}
	}
	for _, e := range slices.Clone(now.Neighbours) {
		if b.outdated(e) && slices.Contains(now.Neighbours, e) {
			b.flushNeighbours(want.Name, e.Dev) // it may be gone by then, which a flush allows
		}
	}
	for _, r := range slices.Clone(now.Routes) {
		if !hasRoute(want.Routes, r) {
			b.deleteRoute(want.Name, r)
		}
	}
	// A gateway is looked up when its route is added: first come the routes that lead to gateways.
	for _, gateways := range []bool{false, true} {
		for _, r := range want.Routes {
			if !hasRoute(now.Routes, r) && hasGateway(r) == gateways && !made(r) {
				b.addRoute(want.Name, r)
			}
		}
	}
	b.restoreSysctls(want.Name, func(string) bool { return true })
}

// outdated reports whether an entry was learned from a link that does not have the address in the finished network.
func (b restoring) outdated(e state.Neighbour) bool {
	if e.State == "permanent" || e.State == "noarp" || e.MAC == "" {
		return false
	}
	known := false
	for _, n := range b.finished.Namespaces {
		if !hasOwn(&n, e.Addr) {
			continue
		}
		known = true
		if slices.ContainsFunc(n.Links, func(l state.Link) bool { return strings.EqualFold(l.MAC, e.MAC) }) {
			return false
		}
	}
	return known
}

// hasRoute reports whether a route is among others.
func hasRoute(all []state.Route, r state.Route) bool {
	return slices.ContainsFunc(all, func(other state.Route) bool { return sameRoute(r, other) })
}

func hasGateway(r state.Route) bool {
	return slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return h.Via.IsValid() })
}

// made reports whether the kernel adds a route by itself when a link is up.
func made(r state.Route) bool {
	to := r.To.Addr()
	return r.Proto == "kernel" && r.Family == 6 && (r.Type != "unicast" || to.IsLinkLocalUnicast() || to.IsMulticast())
}

// restoreSysctls changes those sysctls that differ: first those that change others.
func (b restoring) restoreSysctls(netns string, which func(key string) bool) {
	want := b.finished.Namespace(netns)
	set := func(key, value string) {
		if was := sysctlOf(b.Namespace(netns), key); which(key) && was != "" && was != value {
			b.setSysctl(netns, key, value)
		}
	}
	for _, key := range []string{forwarding4, forwarding6} {
		set(key, sysctlOf(want, key))
	}
	for _, s := range want.Sysctls {
		set(s.Key, s.Value)
	}
}

const (
	forwarding4 = "net.ipv4.ip_forward"
	forwarding6 = "net.ipv6.conf.all.forwarding"
)
