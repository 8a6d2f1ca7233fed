package routing

import (
	"net/netip"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/state"
)

// SourceOf is the source address that the kernel chooses for packets by a route; invalid if there is none.
func SourceOf(n *state.Namespace, d Decision, dst netip.Addr) netip.Addr {
	// A preferred source of the route, or for local delivery the destination itself.
	if d.Local() {
		return dst
	}
	if d.Route.Src.IsValid() {
		return d.Route.Src
	}
	out := d.Dev(n)
	if out == nil {
		return netip.Addr{}
	}
	// IPv6: ip6_route_get_saddr(), include/net/ip6_route.h, with ipv6_dev_get_saddr(), net/ipv6/addrconf.c.
	next := dst
	if d.Hop.Via.IsValid() {
		next = d.Hop.Via
	}
	if dst.Is6() {
		return source6(n, out, dst)
	}
	// IPv4: inet_select_addr(), net/ipv4/devinet.c. The first primary address of the link in the next hop's network,
	// else its first primary address, else the first global one of any link that is up.
	first := netip.Addr{}
	for _, a := range facts.Addresses(out, 4) {
		if facts.Has(a.Flags, "secondary") || a.Scope == "link" || a.Scope == "host" {
			continue
		}
		if facts.Covers(a, next) {
			return a.Prefix.Addr()
		}
		if !first.IsValid() {
			first = a.Prefix.Addr()
		}
	}
	if first.IsValid() {
		return first
	}
	for i := range n.Links {
		for _, a := range facts.Addresses(&n.Links[i], 4) {
			if a.Scope == "global" && n.Links[i].Up {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// source6 applies the rules of RFC 6724, section 5, that matter here: the scope of the destination, then no deprecated
// address, then the outgoing link, then the longest common prefix (ipv6_get_saddr_eval(), net/ipv6/addrconf.c).
func source6(n *state.Namespace, out *state.Link, dst netip.Addr) (best netip.Addr) {
	score := -1
	consider := func(l *state.Link) {
		for _, a := range l.Addresses {
			addr := a.Prefix.Addr()
			if !addr.Is6() || !facts.Usable(a) || addr.IsLoopback() || l != out &&
				(addr.IsLinkLocalUnicast() || dst.IsLinkLocalUnicast()) {
				continue
			}
			s := commonBits(addr, dst)
			if l == out {
				s += 1000
			}
			if !facts.Has(a.Flags, "deprecated") {
				s += 10000
			}
			if addr.IsLinkLocalUnicast() == dst.IsLinkLocalUnicast() {
				s += 100000
			}
			if s > score {
				best, score = addr, s
			}
		}
	}
	for i := range n.Links {
		if l := &n.Links[i]; l == out || l.Up {
			consider(l)
		}
	}
	return best
}

func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			bits := 8 * i
			for d&0x80 == 0 {
				d <<= 1
				bits++
			}
			return bits
		}
	}
	return 128
}
