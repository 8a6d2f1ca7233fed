package fault

import (
	"net/netip"
	"slices"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

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
	same := slices.ContainsFunc(others, func(other state.Address) bool { return other.Prefix.Addr() == addr })
	stays := hasOwn(n, addr)
	b.dropRoutes(n, func(r state.Route) bool {
		if r.Family != family {
			return false
		}
		own := leavesBy(r, l.Name)
		switch {
		case own && r.Type == "local" && r.To.Addr() == addr && !same:
			return true
		case family == 4 && (own && len(others) == 0 || r.Src == addr && !stays):
			return true
		}
		return own && !sibling && r.Proto == "kernel" && r.To == a.Prefix.Masked() && !(same && r.To.IsSingleIP())
	})
	if family == 4 && len(others) == 0 { // arp_ifdown in net/ipv4/arp.c
		n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool {
			return e.Dev == l.Name && e.Addr.Is4()
		})
	}
	if family == 6 && !stays {
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
		a.Flags = slices.Insert(slices.Clone(a.Flags), slices.Index(a.Flags, "permanent")+1, "secondary")
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
