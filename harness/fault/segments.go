package fault

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// strangeMAC is an address that no link has.
const strangeMAC = "02:00:00:00:de:ad"

// segments are faults between two links: double MAC addresses, entries for neighbours, address resolution, MTU, ports
// that do not speak to each other.
func (s *site) segments() {
	for _, p := range s.places {
		s.sameMAC(p)
		for _, addr := range s.neighbours(p) {
			s.maybe(3, p.n, fmt.Sprintf("%s has a permanent entry with a wrong MAC address for `%s`", p, addr),
				func(b *bench) { b.setNeighbour(p.n.Name, p.l.Name, addr, strangeMAC) }, causes.NeighbourWrong)
		}
		if p.l.Kind == "veth" {
			s.cable(p)
		}
		if p.l.Port != nil {
			s.port(p)
		}
	}
}

// sameMAC is a link with the MAC address of one in another namespace that it speaks to.
func (s *site) sameMAC(p place) {
	forget := func(b *bench) {
		var addrs []netip.Addr
		for _, a := range p.l.Addresses {
			if !a.Prefix.Addr().IsLinkLocalUnicast() {
				addrs = append(addrs, a.Prefix.Addr())
			}
		}
		s.forget(b, addrs...)
	}
	for _, q := range s.places {
		if q.n == p.n || p.l.Kind != "veth" || q.l.Kind != "veth" || p.l.Port != nil || q.l.Port != nil ||
			!s.neighbouring(p, q) || s.carries(p) {
			continue
		}
		s.maybe(3, p.n, fmt.Sprintf("%s has the MAC address of %s", p, q), func(b *bench) {
			b.setMAC(p.n.Name, p.l.Name, q.l.MAC)
			forget(b)
		}, causes.DuplicateMAC)
		s.found[len(s.found)-1].last = forget
	}
}

// cable is an end of a veth that does not resolve addresses, or has a small MTU.
func (s *site) cable(p place) {
	netns, name := p.n.Name, p.l.Name
	if !p.l.NoARP && len(p.l.Addresses) > 0 {
		s.maybe(2, p.n, p.String()+" does not resolve addresses (`arp off`)",
			func(b *bench) { b.setARP(netns, name, false) }, causes.ARPOff)
	}
	for _, mtu := range []int{1400, 1280} {
		if mtu < p.l.MTU {
			s.maybe(3, p.n, fmt.Sprintf("%s has the MTU %d, not %d", p, mtu, p.l.MTU),
				func(b *bench) { b.setMTU(netns, name, mtu) }, causes.MTUMismatch, causes.MTUExceeded,
				causes.MTUBlackHole)
			s.found[len(s.found)-1].last = s.forgetPathMTUs
		}
	}
}

// port is a port that does not forward, or not to another one.
func (s *site) port(p place) {
	netns, name := p.n.Name, p.l.Name
	if p.l.Port.State == "forwarding" {
		// Listening, since the kernel enables a disabled port again (br_port_carrier_check in net/bridge/br_if.c).
		s.maybe(3, p.n, fmt.Sprintf("the port %s only listens", p),
			func(b *bench) { b.setPortState(netns, name, slices.Index(state.PortStates, "listening")) },
			causes.PortBlocked)
	}
	for _, q := range s.places {
		if q.l.Port != nil && p.n == q.n && p.l.Master == q.l.Master && name < q.l.Name && !p.l.Port.Isolated &&
			!q.l.Port.Isolated {
			s.maybe(3, p.n, fmt.Sprintf("%s and `%s` are isolated ports", p, q.l.Name), func(b *bench) {
				b.isolate(netns, name, true)
				b.isolate(netns, q.l.Name, true)
			}, causes.PortIsolated)
		}
	}
}

// forgetPathMTUs makes those who ask forget the path MTUs that they have heard of, which would last for ten minutes.
func (s *site) forgetPathMTUs(b *bench) {
	var done []string
	for _, q := range s.queries {
		if !slices.Contains(done, q.From) {
			done = append(done, q.From)
			b.do(q.From, operation.RouteFlush{Cache: true})
		}
	}
}

// neighbouring reports whether two links have addresses of one network.
func (s *site) neighbouring(p, q place) bool {
	return slices.ContainsFunc(s.neighbours(p), func(addr netip.Addr) bool {
		return slices.ContainsFunc(q.l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr })
	})
}

// neighbours are the addresses in other namespaces that a link may have to resolve.
func (s *site) neighbours(p place) (all []netip.Addr) {
	for _, q := range s.places {
		for _, theirs := range q.l.Addresses {
			addr := theirs.Prefix.Addr()
			if q.n != p.n && !addr.IsLinkLocalUnicast() && !slices.Contains(all, addr) &&
				slices.ContainsFunc(p.l.Addresses, func(a state.Address) bool { return a.Prefix.Contains(addr) }) {
				all = append(all, addr)
			}
		}
	}
	return all
}
