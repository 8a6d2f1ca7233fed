package repair

import (
	"net/netip"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// AddressFor is the address that a link without one should have. First comes one that no link has but a tunnel of its
// namespace sends from, or the neighbours use as gateway or tunnel remote; else a free one of their network. Invalid if
// the state does not tell the network.
func AddressFor(m *topology.Map, at facts.Port, family int) netip.Prefix {
	around := m.Neighbours(at)
	for _, other := range around {
		for _, a := range facts.Addresses(other.L, family) {
			network := a.Prefix.Masked()
			if network.IsSingleIP() || a.Prefix.Addr().IsLoopback() {
				continue
			}
			lost := sentFrom(at.N)
			for _, asker := range around {
				lost = append(lost, sentTo(asker.N, family)...)
			}
			for _, wanted := range lost {
				if network.Contains(wanted) && len(m.Owned(wanted)) == 0 {
					return netip.PrefixFrom(wanted, network.Bits())
				}
			}
			return m.Free(network)
		}
	}
	return netip.Prefix{}
}

// sentFrom are the local addresses of the tunnels of a namespace.
func sentFrom(n *state.Namespace) (all []netip.Addr) {
	for i := range n.Links {
		if v := n.Links[i].VXLAN; v != nil && v.Local.IsValid() {
			all = append(all, v.Local)
		}
	}
	return all
}

// sentTo are the gateways and the tunnel remotes of a namespace.
func sentTo(n *state.Namespace, family int) (all []netip.Addr) {
	for i := range n.Routes {
		for _, h := range n.Routes[i].Nexthops {
			if h.Via.IsValid() && facts.FamilyOf(h.Via) == family && !h.Via.IsLinkLocalUnicast() {
				all = append(all, h.Via)
			}
		}
	}
	for i := range n.Links {
		if v := n.Links[i].VXLAN; v != nil && v.Remote.IsValid() && facts.FamilyOf(v.Remote) == family {
			all = append(all, v.Remote)
		}
	}
	return all
}

// LikelyLink is the link of a namespace that leads to an address by cables and bridges; nil if none does.
func LikelyLink(m *topology.Map, n *state.Namespace, dst netip.Addr) *state.Link {
	var used, bare []*state.Link // with an address of the other family, and without any
	for _, l := range facts.Ordinary(n) {
		switch {
		case l.Master != "":
		case len(facts.Addresses(l, 4))+len(facts.Addresses(l, 6)) > 0:
			used = append(used, l)
		default:
			bare = append(bare, l)
		}
	}
	if l := leading(m, n, dst, used); l != nil {
		return l
	}
	return leading(m, n, dst, bare)
}

// leading is the link with an address on its segment, or else one with a router towards it there.
func leading(m *topology.Map, n *state.Namespace, dst netip.Addr, links []*state.Link) *state.Link {
	var second *state.Link
	for _, l := range links {
		for _, other := range m.Neighbours(facts.At(n, l)) {
			if m.IsOwn(other.N, dst) {
				return l
			}
			if second == nil && KnowsWay(m, other, dst) {
				second = l
			}
		}
	}
	return second
}

// KnowsWay reports whether a neighbour is a router towards an address: it has the address, or it forwards and has a
// route to it out of another link.
func KnowsWay(m *topology.Map, at facts.Port, dst netip.Addr) bool {
	if m.IsOwn(at.N, dst) {
		return true
	}
	return facts.Forwards(at.N, at.L, facts.FamilyOf(dst)) && routing.LeadsOn(at, dst)
}

// lacking are the links of a segment without an address of a family. robbed may have lost it: they have one of the
// other family, or are down. bare are the others.
func lacking(m *topology.Map, n *state.Namespace, around []facts.Port, family int) (robbed, bare []facts.Port) {
	for _, at := range around {
		switch {
		case at.N == n || at.L.Master != "" || len(facts.Addresses(at.L, family)) > 0:
		case len(facts.Addresses(at.L, 10-family)) > 0 || !at.L.Up:
			robbed = append(robbed, at)
		default:
			bare = append(bare, at)
		}
	}
	return robbed, bare
}

// GiveAddress assigns an address to a link without one of a family.
func GiveAddress(m *topology.Map, c *finding.Cause, at facts.Port, family int) {
	if a := AddressFor(m, at, family); a.IsValid() {
		c.AddAddress(at, a)
	} else {
		c.Advise(words.IP(at.N, "addr add ADDRESS/LENGTH dev %s", at.L.Name))
	}
}
