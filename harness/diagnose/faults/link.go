// Package faults says what is wrong with one link, address, route or name by itself, with its evidence and its repair.
// It imports state, the repair and what that imports; the review and the diagnosis import it. It follows no packet.
package faults

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// NoPortUp is a bridge that has ports, none of which has carrier.
func NoPortUp(m *topology.Map, bridge facts.Port) *finding.Cause {
	c := finding.New(causes.NoCarrier, bridge.N, bridge.L,
		"%s in %s is up but has no carrier: no port of the bridge is up",
		bridge.L.Name, bridge.N.Name).Proof(words.LinkShown(bridge.N, bridge.L))
	for _, q := range facts.Ports(bridge.N, bridge.L) {
		c.Proof(words.LinkShown(bridge.N, q))
		if !q.Up {
			c.SetUp(facts.At(bridge.N, q))
		}
		if peer := m.Below(q); peer != nil && !peer.L.Up {
			c.SetUp(*peer)
		}
	}
	return c
}

// PortsBack makes ports of a bridge out of the veth ends in its namespace that are no ports: those with the bridge's
// network at the other end, or all of them if there is none.
func PortsBack(m *topology.Map, c *finding.Cause, bridge facts.Port) {
	var near, all []facts.Port
	for _, l := range facts.Ordinary(bridge.N) {
		peer := m.Below(l)
		if l.Kind != "veth" || l.Master != "" || peer == nil || peer.N == bridge.N ||
			len(facts.Addresses(l, 4))+len(facts.Addresses(l, 6)) > 0 {
			continue
		}
		all = append(all, facts.At(bridge.N, l))
		if facts.SharesNetwork(peer.L, bridge.L) {
			near = append(near, facts.At(bridge.N, l))
		}
	}
	if len(near) == 0 {
		near = all
	}
	for _, at := range near {
		c.SetMaster(at, bridge.L.Name)
		if !at.L.Up {
			c.SetUp(at)
		}
	}
}

// MoveOut moves one end of a pair to the namespace that has nothing but lo, if there is exactly one.
func MoveOut(m *topology.Map, c *finding.Cause, end facts.Port) *finding.Cause {
	var empty []string
	for i := range m.State.Namespaces {
		if n := &m.State.Namespaces[i]; n != end.N && n.Name != state.Host && len(facts.Ordinary(n)) == 0 {
			empty = append(empty, n.Name)
		}
	}
	if len(empty) != 1 {
		return c.Advise(words.IP(end.N, "link set %s netns OTHER", end.L.Name))
	}
	return c.Fix(words.IP(end.N, "link set %s netns ", end.L.Name) + words.NetnsName(empty[0])).
		Then(func(k *finding.Sketch) {
			from, there := k.Link(end.N.Name, end.L.Name)
			to, moved := k.Netns(empty[0]), *there
			moved.Up, moved.Carrier, moved.Addresses = false, false, nil
			from.Links = slices.DeleteFunc(from.Links, func(l state.Link) bool { return l.Name == moved.Name })
			from.Routes = slices.DeleteFunc(from.Routes, func(r state.Route) bool {
				return facts.LeadsOut(&r, moved.Name)
			})
			to.Links = append(to.Links, moved)
			if moved.Peer == nil {
				return
			}
			if stays := from.Link(moved.Peer.Name); stays != nil {
				stays.Peer = &state.LinkRef{Index: moved.Index, Netns: to.Name, Name: moved.Name}
			}
		})
}

func ARPOff(n *state.Namespace, l *state.Link) *finding.Cause {
	return finding.New(causes.ARPOff, n, l, "%s in %s neither sends nor answers neighbour requests (NOARP)", l.Name,
		n.Name).
		Proof(words.LinkShown(n, l)).Fix(words.IP(n, "link set %s arp on", l.Name))
}

// Narrow is a link, or a route with an MTU of its own, that a packet does not fit.
type Narrow struct {
	What  string
	Mtu   int
	Shown string
	// Widen adds the repair to a cause; false if there is only advice.
	Widen func(*finding.Cause) bool
}

func NarrowLink(m *topology.Map, n *state.Namespace, l *state.Link, size int) Narrow {
	return Narrow{l.Name + " in " + n.Name, l.MTU, words.LinkShown(n, l), func(c *finding.Cause) bool {
		return m.Widen(c, facts.At(n, l), size)
	}}
}

// NarrowRoute is a route with an MTU of its own. The command that replaces it leaves out the flags that the kernel
// reports for its next hops, and the next hops themselves if the route has a nexthop object.
func NarrowRoute(n *state.Namespace, r *state.Route, size int) Narrow {
	wide := *r
	wide.MTU, wide.MTULock = size, false
	wide.Nexthops = nil
	if r.NexthopID == 0 {
		for _, h := range r.Nexthops {
			h.Flags = slices.DeleteFunc(slices.Clone(h.Flags), func(flag string) bool { return flag != "onlink" })
			wide.Nexthops = append(wide.Nexthops, h)
		}
	}
	return Narrow{"the route of " + n.Name + " to " + state.PrefixText(r.To), r.MTU, words.RouteShown(n, r),
		func(c *finding.Cause) bool {
			c.Fix(words.IP(n, "%sroute replace %s", words.Six(r.Family), state.RouteText(wide))).
				Then(finding.WidenRoute(n.Name, r, size))
			return true
		}}
}

func IsDown(m *topology.Map, at facts.Port, family int, a *state.Address) *finding.Cause {
	c := finding.New(causes.LinkDown, at.N, at.L,
		"%s in %s is administratively down, so its routes are gone", at.L.Name, at.N.Name).
		Proof(words.LinkShown(at.N, at.L))
	if a != nil {
		c.Proof(words.AddressShown(at.N, at.L, *a))
	}
	c.SetUp(at)
	if family == 6 && len(facts.Addresses(at.L, 6)) == 0 { // lost when it was set down
		if lost := repair.AddressFor(m, at, 6); lost.IsValid() {
			c.AddAddress(at, lost)
		}
	}
	return c
}
