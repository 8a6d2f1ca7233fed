package diagnose

import (
	"net/netip"

	"netnscheck/harness/state"
)

// neighbours are the links of a segment in other namespaces, also those that frames do not reach for an obstacle.
func (w *walk) neighbours(at port) (all []port) {
	for _, a := range w.segment(at, packet{}) {
		if a.n != at.n {
			all = append(all, a.port)
		}
	}
	return all
}

// addressFor is the address that a link without one should have. First comes one that no link has but a tunnel of its
// namespace sends from, or the neighbours use as gateway or tunnel remote; else a free one of their network. Invalid if
// the state does not tell the network.
func (w *walk) addressFor(at port, family int) netip.Prefix {
	around := w.neighbours(at)
	for _, other := range around {
		for _, a := range addresses(other.l, family) {
			network := a.Prefix.Masked()
			if network.IsSingleIP() || a.Prefix.Addr().IsLoopback() {
				continue
			}
			lost := sentFrom(at.n)
			for _, asker := range around {
				lost = append(lost, sentTo(asker.n, family)...)
			}
			for _, wanted := range lost {
				if network.Contains(wanted) && len(w.owned(wanted)) == 0 {
					return netip.PrefixFrom(wanted, network.Bits())
				}
			}
			return w.free(network)
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
			if h.Via.IsValid() && familyOf(h.Via) == family && !h.Via.IsLinkLocalUnicast() {
				all = append(all, h.Via)
			}
		}
	}
	for i := range n.Links {
		if v := n.Links[i].VXLAN; v != nil && v.Remote.IsValid() && familyOf(v.Remote) == family {
			all = append(all, v.Remote)
		}
	}
	return all
}

// free is the first address of a network that no link has.
func (w *walk) free(network netip.Prefix) netip.Prefix {
	for a := network.Addr().Next(); network.Contains(a); a = a.Next() {
		if len(w.owned(a)) == 0 {
			return netip.PrefixFrom(a, network.Bits())
		}
	}
	return netip.Prefix{}
}

// likelyLink is the link of a namespace that leads to an address by cables and bridges; nil if none does.
func (w *walk) likelyLink(n *state.Namespace, dst netip.Addr) *state.Link {
	var used, bare []*state.Link // with an address of the other family, and without any
	for _, l := range ordinary(n) {
		switch {
		case l.Master != "":
		case len(addresses(l, 4))+len(addresses(l, 6)) > 0:
			used = append(used, l)
		default:
			bare = append(bare, l)
		}
	}
	if l := w.leading(n, dst, used); l != nil {
		return l
	}
	return w.leading(n, dst, bare)
}

// leading is the link with an address on its segment, or else one with a router towards it there.
func (w *walk) leading(n *state.Namespace, dst netip.Addr, links []*state.Link) *state.Link {
	var second *state.Link
	for _, l := range links {
		for _, other := range w.neighbours(port{n, l}) {
			if w.isOwn(other.n, dst) {
				return l
			}
			if second == nil && w.knowsWay(other, dst) {
				second = l
			}
		}
	}
	return second
}

// knowsWay reports whether a neighbour is a router towards an address: it has the address, or it forwards and has a
// route to it out of another link.
func (w *walk) knowsWay(at port, dst netip.Addr) bool {
	if w.isOwn(at.n, dst) {
		return true
	}
	return forwards(at.n, at.l, familyOf(dst)) && leadsOn(at, dst)
}

// leadsBack reports whether a neighbour has a route to an address back out of its link to the asker.
func leadsBack(at port, dst netip.Addr) bool {
	d := lookup(at.n, flow{dst: dst, iif: at.l.Name})
	return d.found() && d.hop != nil && d.hop.Dev == at.l.Name
}

// leadsOn reports whether a neighbour has a route to an address out of another link than that to the asker.
func leadsOn(at port, dst netip.Addr) bool {
	d := lookup(at.n, flow{dst: dst, iif: at.l.Name})
	return d.found() && (d.hop == nil || d.hop.Dev != at.l.Name)
}

// lacking are the links of a segment without an address of a family. robbed may have lost it: they have one of the
// other family, or are down. bare are the others.
func (w *walk) lacking(n *state.Namespace, around []port, family int) (robbed, bare []port) {
	for _, at := range around {
		switch {
		case at.n == n || at.l.Master != "" || len(addresses(at.l, family)) > 0:
		case len(addresses(at.l, 10-family)) > 0 || !at.l.Up:
			robbed = append(robbed, at)
		default:
			bare = append(bare, at)
		}
	}
	return robbed, bare
}
