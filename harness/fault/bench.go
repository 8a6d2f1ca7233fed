package fault

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// bench is a copy of a state on which operations are carried out as the kernel would, and the list of them. Each method
// adds one operation and makes its changes, with those that the kernel makes because of it: a link that is set down
// loses its routes and its IPv6 addresses, for example. TestEveryFault compares it with what the kernel does.
type bench struct {
	*state.State
	done []operation.Command
	// touched are the parts of the state that the operations concern, such as `testns eth0` and `testns routes`.
	touched map[string]bool
	// unsure is set if the result of an operation is not known.
	unsure bool
}

func newBench(s *state.State) *bench {
	return &bench{State: clone(s), touched: map[string]bool{}}
}

// clone copies everything that a bench changes.
func clone(s *state.State) *state.State {
	own := *s
	own.Namespaces = slices.Clone(s.Namespaces)
	for i := range own.Namespaces {
		n := &own.Namespaces[i]
		n.Links = slices.Clone(n.Links)
		for j := range n.Links {
			l := &n.Links[j]
			l.Addresses = slices.Clone(l.Addresses)
			if l.Peer != nil {
				peer := *l.Peer
				l.Peer = &peer
			}
			if l.Port != nil {
				port := *l.Port
				l.Port = &port
			}
		}
		n.Routes, n.Rules, n.Neighbours = slices.Clone(n.Routes), slices.Clone(n.Rules), slices.Clone(n.Neighbours)
		n.FDB, n.Sysctls, n.Filters = slices.Clone(n.FDB), slices.Clone(n.Sysctls), slices.Clone(n.Filters)
	}
	return &own
}

// do adds an operation in a namespace and returns the namespace to be changed. The parts are what it concerns there: a
// link, `routes`, `rules`, `filters`.
func (b *bench) do(netns string, op operation.Operation, parts ...string) *state.Namespace {
	c := operation.Command{Netns: netns, Op: op}
	if netns == state.Host {
		c.Netns = ""
	}
	b.done = append(b.done, c)
	for _, part := range parts {
		b.touched[netns+" "+part] = true
	}
	return b.Namespace(netns)
}

// setDown sets a link down. The kernel drops the routes out of it, except those to its own IPv4 addresses, its IPv6
// addresses, and its neighbours (fib_disable_ip in net/ipv4/fib_frontend.c, addrconf_ifdown in net/ipv6/addrconf.c,
// neigh_ifdown in net/core/neighbour.c).
func (b *bench) setDown(netns, link string) {
	up := false
	n := b.do(netns, operation.LinkSet{Name: link, Up: &up}, link)
	l := n.Link(link)
	l.Up, l.Carrier, l.OperState = false, false, "down"
	l.Addresses = slices.DeleteFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr().Is6() })
	b.dropRoutes(n, func(r state.Route) bool {
		return leavesBy(r, link) && (r.Family == 6 || r.Type != "local")
	})
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == link })
	for i := range n.Links {
		if p := &n.Links[i]; p.Port != nil && (p.Name == link || p.Master == link) {
			p.Port.State = "disabled"
		}
	}
	b.carriers()
}

// setUp sets a link up. The kernel adds the routes of its IPv4 addresses.
func (b *bench) setUp(netns, link string) {
	up := true
	n := b.do(netns, operation.LinkSet{Name: link, Up: &up}, link)
	l := n.Link(link)
	l.Up, l.Carrier = true, l.Kind != "veth" && l.Kind != "bridge"
	for _, a := range l.Addresses {
		b.connect(n, l, a)
	}
	for i := range n.Links {
		if p := &n.Links[i]; p.Port != nil && (p.Name == link || p.Master == link) {
			p.Port.State = "forwarding"
		}
	}
	b.carriers()
}

// move moves a link to another namespace, where it arrives down, without addresses and a master.
func (b *bench) move(netns, link, to string) {
	n := b.do(netns, operation.LinkSet{Name: link, Netns: to}, link)
	var settings []state.Sysctl // of the link in the new namespace
	b.touched[to+" "+link] = true
	l := *n.Link(link)
	for _, a := range slices.Clone(l.Addresses) {
		b.drop(n, n.Link(link), a)
	}
	b.dropRoutes(n, func(r state.Route) bool { return leavesBy(r, link) })
	n.Links = slices.DeleteFunc(n.Links, func(l state.Link) bool { return l.Name == link })
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == link })
	n.FDB = slices.DeleteFunc(n.FDB, func(e state.FDBEntry) bool { return e.Dev == link })
	target := b.Namespace(to)
	for _, s := range n.Sysctls {
		if family, name, ok := strings.Cut(s.Key, ".conf."+slashed(link)+"."); ok && ofLink(s.Key, link) {
			settings = append(settings, state.Sysctl{Key: s.Key, Value: defaultOf(target, family, name)})
		}
	}
	n.Sysctls = slices.DeleteFunc(n.Sysctls, func(s state.Sysctl) bool { return ofLink(s.Key, link) })
	l.Up, l.Carrier, l.OperState, l.Master, l.Port, l.Addresses = false, false, "down", "", nil, nil
	l.Index = freeIndex(target, l.Index)
	target.Links = append(target.Links, l)
	for _, s := range settings {
		if l.NoARP && strings.HasSuffix(s.Key, ".accept_dad") { // ipv6_add_dev in net/ipv6/addrconf.c
			s.Value = "-1"
		}
		target.Sysctls = append(target.Sysctls, s)
	}
	for i := range b.Namespaces {
		for j := range b.Namespaces[i].Links {
			if p := b.Namespaces[i].Links[j].Peer; p != nil && p.Netns == netns && p.Name == link {
				p.Netns, p.Index = to, l.Index
			}
		}
	}
	b.carriers()
}

// freeIndex is the index of a link that arrives in a namespace: its own, if nobody has it there.
func freeIndex(n *state.Namespace, index int) int {
	highest := 0
	taken := false
	for _, l := range n.Links {
		highest = max(highest, l.Index)
		taken = taken || l.Index == index
	}
	if taken {
		return highest + 1
	}
	return index
}

// setMaster makes a link a port of a bridge, or of none.
func (b *bench) setMaster(netns, link, bridge string) {
	n := b.do(netns, operation.LinkSet{Name: link, Master: &bridge}, link)
	l := n.Link(link)
	n.FDB = slices.DeleteFunc(n.FDB, func(e state.FDBEntry) bool { return e.Dev == link && e.Master == l.Master })
	l.Master, l.Port = bridge, nil
	if bridge != "" {
		l.Port = &state.Port{State: "forwarding"}
	}
	b.carriers()
}

func (b *bench) setMTU(netns, link string, mtu int) {
	n := b.do(netns, operation.LinkSet{Name: link, MTU: &mtu}, link)
	n.Link(link).MTU = mtu
}

// setARP turns the resolution of addresses on or off. The neighbours go with it (arp_netdev_event in net/ipv4/arp.c).
func (b *bench) setARP(netns, link string, on bool) {
	n := b.do(netns, operation.LinkSet{Name: link, ARP: &on}, link)
	n.Link(link).NoARP = !on
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == link })
}

func (b *bench) isolate(netns, link string, on bool) {
	n := b.do(netns, operation.LinkSet{Name: link, Kind: "bridge_slave",
		BridgePort: &operation.BridgePortOptions{Isolated: &on}}, link)
	n.Link(link).Port.Isolated = on
}

// setPortState sets the state of a port by its number (state.PortStates).
func (b *bench) setPortState(netns, link string, number int) {
	n := b.do(netns, operation.LinkSet{Name: link, Kind: "bridge_slave",
		BridgePort: &operation.BridgePortOptions{State: &number}}, link)
	n.Link(link).Port.State = state.PortStates[number]
	b.carriers()
}

// carriers updates the carrier of each veth, of what lies on other links, and of each bridge.
func (b *bench) carriers() {
	each := func(kind string, carrier func(*state.Namespace, *state.Link) bool) {
		for i := range b.Namespaces {
			n := &b.Namespaces[i]
			for j := range n.Links {
				if l := &n.Links[j]; l.Kind == kind && (l.Peer == nil || !l.Peer.Hidden || !l.Up) {
					l.Carrier = carrier(n, l)
				}
			}
		}
	}
	each("veth", func(_ *state.Namespace, l *state.Link) bool {
		if l.Peer == nil {
			return l.Up
		}
		peer := b.Namespace(l.Peer.Netns).Link(l.Peer.Name)
		return l.Up && peer != nil && peer.Up
	})
	for _, kind := range []string{"macvlan", "macvtap", "ipvlan", "vlan"} {
		each(kind, func(_ *state.Namespace, l *state.Link) bool {
			if l.Peer == nil {
				return l.Up
			}
			lower := b.Namespace(l.Peer.Netns).Link(l.Peer.Name)
			return l.Up && lower != nil && lower.Up && lower.Carrier
		})
	}
	each("bridge", func(n *state.Namespace, l *state.Link) bool {
		return l.Up && slices.ContainsFunc(n.Links, func(p state.Link) bool {
			return p.Master == l.Name && p.Up && p.Carrier && p.Port != nil && p.Port.State == "forwarding"
		})
	})
}
