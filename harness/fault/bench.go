package fault

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// bench is a copy of a state on which operations are carried out as the kernel would, and the list of them. Each method
// adds one operation and makes its changes, with those that the kernel makes because of it: a link that is set down
// loses its routes and its IPv6 addresses, for example. How the kernel does that was compared with it (harness/lab,
// TestFaults).
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

// --- Links ---

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
	b.touched[to+" "+link] = true
	l := *n.Link(link)
	for _, a := range slices.Clone(l.Addresses) {
		b.drop(n, n.Link(link), a)
	}
	b.dropRoutes(n, func(r state.Route) bool { return leavesBy(r, link) })
	n.Links = slices.DeleteFunc(n.Links, func(l state.Link) bool { return l.Name == link })
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Dev == link })
	n.FDB = slices.DeleteFunc(n.FDB, func(e state.FDBEntry) bool { return e.Dev == link })
	n.Sysctls = slices.DeleteFunc(n.Sysctls, func(s state.Sysctl) bool { return ofLink(s.Key, link) })

	target := b.Namespace(to)
	l.Up, l.Carrier, l.OperState, l.Master, l.Port, l.Addresses = false, false, "down", "", nil, nil
	l.Index = freeIndex(target, l.Index)
	target.Links = append(target.Links, l)
	for _, s := range target.Sysctls {
		if family, name, ok := strings.Cut(s.Key, ".conf.default."); ok {
			target.Sysctls = append(target.Sysctls, state.Sysctl{Key: family + ".conf." + slashed(link) + "." + name,
				Value: s.Value})
		}
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

func (b *bench) setARP(netns, link string, on bool) {
	n := b.do(netns, operation.LinkSet{Name: link, ARP: &on}, link)
	n.Link(link).NoARP = !on
}

func (b *bench) isolate(netns, link string, on bool) {
	n := b.do(netns, operation.LinkSet{Name: link, Kind: "bridge_slave",
		BridgePort: &operation.BridgePortOptions{Isolated: &on}}, link)
	n.Link(link).Port.Isolated = on
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

// --- Addresses ---

// deleteAddress removes an address from a link.
func (b *bench) deleteAddress(netns, link string, a state.Address) {
	n := b.do(netns, operation.AddressChange{Verb: operation.Delete, Prefix: a.Prefix, Dev: link}, link)
	b.drop(n, n.Link(link), a)
}

// drop does what the removal of an address means for the routes (fib_del_ifaddr in net/ipv4/fib_frontend.c,
// ipv6_del_addr in net/ipv6/addrconf.c). With the last IPv4 address all IPv4 routes out of the link go.
func (b *bench) drop(n *state.Namespace, l *state.Link, a state.Address) {
	l.Addresses = slices.DeleteFunc(l.Addresses, func(other state.Address) bool {
		return other.Prefix == a.Prefix && other.Peer == a.Peer
	})
	addr := a.Prefix.Addr()
	family := familyOf(addr)
	others := slices.DeleteFunc(slices.Clone(l.Addresses), func(other state.Address) bool {
		return familyOf(other.Prefix.Addr()) != family
	})
	sibling := slices.ContainsFunc(others, func(other state.Address) bool {
		return other.Prefix.Masked() == a.Prefix.Masked()
	})
	if sibling && family == 4 && !secondary(a) {
		b.unsure = true // the other one may be a secondary address, and go too
	}
	b.dropRoutes(n, func(r state.Route) bool {
		if r.Family != family {
			return false
		}
		own := leavesBy(r, l.Name)
		switch {
		case own && r.Type == "local" && r.To.Addr() == addr:
			return true
		case family == 4 && (own && len(others) == 0 || r.Src == addr):
			return true
		}
		return own && !sibling && r.Proto == "kernel" && r.To == a.Prefix.Masked()
	})
	if family == 6 {
		for i := range n.Routes {
			if n.Routes[i].Src == addr {
				n.Routes[i].Src = netip.Addr{}
			}
		}
	}
}

// addAddress gives a link an address.
func (b *bench) addAddress(netns, link string, a state.Address) {
	op := operation.AddressChange{Verb: operation.Add, Prefix: a.Prefix, Dev: link, Peer: a.Peer,
		NoDAD: slices.Contains(a.Flags, "nodad"), NoPrefixRoute: slices.Contains(a.Flags, "noprefixroute")}
	if a.Broadcast.IsValid() {
		op.Broadcast = a.Broadcast.String()
	}
	if a.Scope != "global" {
		op.Scope = a.Scope
	}
	if a.Label != link {
		op.Label = a.Label
	}
	n := b.do(netns, op, link)
	l := n.Link(link)
	if slices.ContainsFunc(l.Addresses, func(other state.Address) bool {
		return a.Prefix.Addr().Is4() && other.Prefix.Masked() == a.Prefix.Masked()
	}) && !secondary(a) {
		a.Flags = append([]string{"secondary"}, a.Flags...)
	}
	l.Addresses = append(l.Addresses, a)
	b.connect(n, l, a)
}

// another is an address on the same kind of terms as a.
func another(a state.Address, prefix netip.Prefix, link string) state.Address {
	a.Prefix, a.Broadcast = prefix, netip.Addr{}
	if a.Label != "" {
		a.Label = link
	}
	return a
}

// connect adds the routes that the kernel makes of an address (fib_add_ifaddr in net/ipv4/fib_frontend.c,
// inet6_addr_add in net/ipv6/addrconf.c).
func (b *bench) connect(n *state.Namespace, l *state.Link, a state.Address) {
	addr := a.Prefix.Addr()
	hops := []state.Nexthop{{Dev: l.Name}}
	add := func(r state.Route) {
		r.Proto, r.Nexthops, r.Family = "kernel", hops, familyOf(addr)
		if !hasRoute(n.Routes, r) {
			n.Routes = append(n.Routes, r)
		}
	}
	whole := netip.PrefixFrom(addr, addr.BitLen())
	quiet := slices.Contains(a.Flags, "noprefixroute")
	if addr.Is6() {
		add(state.Route{Type: "local", To: whole, Table: state.TableLocal, Scope: "global", Pref: "medium"})
		if l.Up && !quiet {
			add(state.Route{Type: "unicast", To: a.Prefix.Masked(), Table: state.TableMain, Scope: "global",
				Metric: 256,
				Pref:   "medium"})
		}
		return
	}
	if i := slices.IndexFunc(l.Addresses, func(other state.Address) bool {
		return secondary(a) && other.Prefix.Masked() == a.Prefix.Masked() && !secondary(other)
	}); i >= 0 {
		addr = l.Addresses[i].Prefix.Addr() // the primary address is the source
	}
	add(state.Route{Type: "local", To: whole, Table: state.TableLocal, Scope: "host", Src: addr})
	if !l.Up || secondary(a) || a.Prefix.IsSingleIP() {
		return
	}
	switch {
	case quiet:
	case l.Kind == "loopback":
		add(state.Route{Type: "local", To: a.Prefix.Masked(), Table: state.TableLocal, Scope: "host", Src: addr})
	default:
		add(state.Route{Type: "unicast", To: a.Prefix.Masked(), Table: state.TableMain, Scope: "link", Src: addr})
	}
	if a.Prefix.Bits() < 31 {
		last := lastAddress(a.Prefix)
		add(state.Route{Type: "broadcast", To: netip.PrefixFrom(last, 32), Table: state.TableLocal, Scope: "link",
			Src: addr})
	}
}

// secondary reports whether an address is not the first IPv4 address of its network on a link.
func secondary(a state.Address) bool {
	return a.Prefix.Addr().Is4() && slices.Contains(a.Flags, "secondary")
}

// lastAddress is the broadcast address of an IPv4 network.
func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

// --- Routes and rules ---

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
	return a.Family == b.Family && routeText(a) == routeText(b)
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
	n := b.do(netns, operation.RuleChange{Verb: operation.Add, Rule: ruleOf(r)}, "rules")
	n.Rules = append(n.Rules, r)
}

func (b *bench) deleteRule(netns string, r state.Rule) {
	n := b.do(netns, operation.RuleChange{Verb: operation.Delete, Rule: ruleOf(r)}, "rules")
	text := state.RuleText(r)
	n.Rules = slices.DeleteFunc(n.Rules, func(other state.Rule) bool {
		return other.Family == r.Family && state.RuleText(other) == text
	})
}

// ruleOf is a rule that faults add in the words of a command.
func ruleOf(r state.Rule) operation.Rule {
	return operation.Rule{Family: operation.Family(r.Family), Priority: &r.Priority, To: r.To, Type: r.Action}
}

// --- The rest ---

// setNeighbour makes a permanent entry in the neighbour table.
func (b *bench) setNeighbour(netns, link string, addr netip.Addr, mac string) {
	n := b.do(netns, operation.NeighbourChange{Verb: operation.Replace, Address: addr, LLAddr: hardwareAddr(mac),
		Dev:   link,
		State: "permanent"}, link)
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == link && e.Addr == addr && !e.Proxy
	})
	n.Neighbours = append(n.Neighbours, state.Neighbour{Addr: addr, Dev: link, MAC: mac, State: "permanent"})
}

func (b *bench) deleteNeighbour(netns string, e state.Neighbour) {
	n := b.do(netns, operation.NeighbourChange{Verb: operation.Delete, Address: e.Addr, Dev: e.Dev}, e.Dev)
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(other state.Neighbour) bool { return other == e })
}

// setSysctl changes a sysctl. Forwarding of a whole family changes it for each link (inet_forward_change in
// net/ipv4/devinet.c, addrconf_forward_change in net/ipv6/addrconf.c).
func (b *bench) setSysctl(netns, key, value string) {
	op := operation.SysctlSet{Values: []operation.SysctlValue{{Key: key, Value: value}}, Quiet: true}
	n := b.do(netns, op, "sysctl "+key)
	family := ""
	switch key {
	case forwarding4:
		family = "net.ipv4."
	case forwarding6:
		family = "net.ipv6."
	}
	for i := range n.Sysctls {
		s := &n.Sysctls[i]
		switch {
		case s.Key == key:
			s.Value = value
		case family != "" && strings.HasPrefix(s.Key, family+"conf.") && strings.HasSuffix(s.Key, ".forwarding"):
			s.Value = value
		}
	}
}

// sysctlOf is the value of a sysctl in a namespace; "" if it was not read.
func sysctlOf(n *state.Namespace, key string) string {
	for _, s := range n.Sysctls {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// ofLink reports whether a sysctl is one of a link.
func ofLink(key, link string) bool {
	return strings.HasPrefix(key, "net.ipv4.conf."+slashed(link)+".") ||
		strings.HasPrefix(key, "net.ipv6.conf."+slashed(link)+".")
}

// slashed is the name of a link in the key of a sysctl (sysctl(8)).
func slashed(link string) string { return strings.ReplaceAll(link, ".", "/") }

// wall adds a table of the packet filter with one chain and one rule.
func (b *bench) wall(netns string, t state.FilterTable, script string) {
	n := b.do(netns, operation.Run{Argv: []string{"nft", script}}, "filters")
	n.Filters = append(n.Filters, t)
}

func (b *bench) deleteWall(netns string, t state.FilterTable) {
	n := b.do(netns, operation.Run{Argv: []string{"nft", "delete", "table", t.Family, t.Name}}, "filters")
	n.Filters = slices.DeleteFunc(n.Filters, func(other state.FilterTable) bool {
		return other.Family == t.Family && other.Name == t.Name
	})
}
