package fault

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// addresses are addresses that are missing, wrong, too narrow, on the wrong link, or there twice.
func (s *site) addresses() {
	for _, p := range s.places {
		for _, a := range p.l.Addresses {
			if own(p, a) {
				s.address(p, a)
			}
		}
	}
}

// own reports whether an address was given to a link by hand, and is the only one of its network there.
func own(p place, a state.Address) bool {
	return !a.Prefix.Addr().IsLinkLocalUnicast() && !a.Peer.IsValid() && slices.Contains(a.Flags, "permanent") &&
		!slices.ContainsFunc(p.l.Addresses, func(other state.Address) bool {
			return other.Prefix != a.Prefix && other.Prefix.Masked() == a.Prefix.Masked()
		})
}

func (s *site) address(p place, a state.Address) {
	netns, name, addr := p.n.Name, p.l.Name, a.Prefix.Addr()
	missing := []causes.Cause{causes.NoAddress, causes.AddressNowhere, causes.GatewayNowhere, causes.NoRoute,
		causes.NoInterface, causes.ConnectedRouteMissing}
	s.maybe(1, p.n, fmt.Sprintf("%s has no address `%s`", p, a.Prefix),
		func(b *bench) { b.deleteAddress(netns, name, a) }, missing...)
	replace := func(level int, by netip.Prefix, names ...causes.Cause) {
		s.maybe(level, p.n, fmt.Sprintf("%s has the address `%s`, not `%s`", p, by, a.Prefix), func(b *bench) {
			b.deleteAddress(netns, name, a)
			b.addAddress(netns, name, another(a, by, name))
		}, names...)
	}
	if free, ok := s.free(a.Prefix); ok {
		replace(2, netip.PrefixFrom(free, a.Prefix.Bits()), missing...)
	}
	if other, ok := elsewhere(a.Prefix); ok {
		replace(2, other, missing...)
	}
	if !a.Prefix.IsSingleIP() {
		replace(2, netip.PrefixFrom(addr, addr.BitLen()), append(missing, causes.PrefixMismatch)...)
	}
	for _, q := range s.places {
		if q.n == p.n && q.l != p.l {
			s.maybe(2, p.n, fmt.Sprintf("`%s` in `%s` has the address `%s`, not `%s`", q.l.Name, netns, a.Prefix, name),
				func(b *bench) {
					b.deleteAddress(netns, name, a)
					b.addAddress(netns, q.l.Name, another(a, a.Prefix, q.l.Name))
				}, append(missing, causes.AddressOnPort, causes.AddressOffSegment, causes.LinkDown)...)
		}
		if q.n != p.n && addr.Is4() && s.single(p) && s.single(q) &&
			!slices.ContainsFunc(q.l.Addresses, func(other state.Address) bool {
				return other.Prefix == a.Prefix
			}) {
			s.maybe(3, q.n, fmt.Sprintf("%s has the address `%s` too, which belongs to %s", q, a.Prefix, p),
				func(b *bench) { b.addAddress(q.n.Name, q.l.Name, another(a, a.Prefix, q.l.Name)) },
				causes.DuplicateAddress)
			s.found[len(s.found)-1].last = func(b *bench) { s.forget(b, addr) }
		}
	}
}

// forget makes those who may have heard the wrong owner of some addresses forget their entries, which would last for a
// while.
func (s *site) forget(b *bench, addrs ...netip.Addr) {
	for _, p := range s.places {
		if slices.ContainsFunc(addrs, func(addr netip.Addr) bool {
			return !hasOwn(p.n, addr) && slices.ContainsFunc(p.l.Addresses, func(a state.Address) bool {
				return a.Prefix.Contains(addr)
			})
		}) {
			b.flushNeighbours(p.n.Name, p.l.Name)
		}
	}
}

// single reports whether a link has a cable of its own: where several links share one, entries for an address that is
// there twice outlast it.
func (s *site) single(p place) bool {
	return (p.l.Kind == "veth" || p.l.Kind == "bridge") && !s.carries(p)
}

// free is an address of a network that nothing in the state has or leads to.
func (s *site) free(network netip.Prefix) (netip.Addr, bool) {
	taken := map[netip.Addr]bool{}
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			for _, a := range l.Addresses {
				taken[a.Prefix.Addr()] = true
			}
		}
		for _, r := range n.Routes {
			for _, h := range r.Nexthops {
				taken[h.Via] = true
			}
		}
	}
	for _, q := range s.queries {
		taken[q.To] = true
	}
	if network.Addr().BitLen()-network.Bits() < 4 {
		return netip.Addr{}, false
	}
	a := network.Addr()
	for range 9 { // not the next one, which may look right
		a = a.Next()
	}
	for range 200 {
		if !network.Contains(a) || a.Is4() && a == lastAddress(network) {
			a = network.Masked().Addr().Next()
		}
		if !taken[a] {
			return a, true
		}
		a = a.Next()
	}
	return netip.Addr{}, false
}

// elsewhere is the same address in a network that looks alike: with one digit of the network changed.
func elsewhere(p netip.Prefix) (netip.Prefix, bool) {
	if !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 {
		return netip.Prefix{}, false
	}
	bytes := p.Addr().As4()
	at := &bytes[(p.Bits()-1)/8]
	*at ^= 1 << (7 - (p.Bits()-1)%8)
	return netip.PrefixFrom(netip.AddrFrom4(bytes), p.Bits()), true
}

func hardwareAddr(text string) net.HardwareAddr {
	mac, _ := net.ParseMAC(text)
	return mac
}
