package claim

import (
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// Sender is a source for a packet to dest that arrives on a link: a neighbour in the network of one of its addresses,
// else an address to which a route leads out of the link; not valid if there is neither. The kernel refuses an IPv4
// packet without a source, one from an address of its own and, with the reverse path filter, one whose reply would
// leave by another link (ip_route_input_slow in net/ipv4/route.c, fib_validate_source in net/ipv4/fib_frontend.c).
func Sender(n *state.Namespace, l *state.Link, dest netip.Addr) netip.Addr {
	for _, a := range l.Addresses {
		network := a.Prefix
		if a.Peer.IsValid() {
			network = a.Peer
		}
		if addr := foreign(n, network, dest); addr.IsValid() {
			return addr
		}
	}
	for _, r := range n.Routes {
		for _, hop := range r.Nexthops {
			if r.Type != "unicast" || r.To.Bits() == 0 || hop.Dev != l.Name {
				continue
			}
			if addr := foreign(n, r.To, dest); addr.IsValid() {
				return addr
			}
		}
	}
	return netip.Addr{}
}

// foreign is the first host's address in a network that the namespace does not have itself, of the family of dest; not
// valid if there is none. Link-local addresses do not count.
func foreign(n *state.Namespace, network netip.Prefix, dest netip.Addr) netip.Addr {
	addr := network.Masked().Addr()
	if addr.Is4() != dest.Is4() || addr.IsLinkLocalUnicast() {
		return netip.Addr{}
	}
	// the first address is that of the network, the last one of IPv4 broadcast
	hosts := network.Bits() < addr.BitLen()-1
	if hosts {
		addr = addr.Next()
	}
	for ; network.Contains(addr); addr = addr.Next() {
		broadcast := hosts && addr.Is4() && !network.Contains(addr.Next())
		if !broadcast && addr != dest && !owns(n, addr) {
			return addr
		}
	}
	return netip.Addr{}
}

func owns(n *state.Namespace, addr netip.Addr) bool {
	return slices.ContainsFunc(n.Links, func(l state.Link) bool {
		return slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr })
	})
}
