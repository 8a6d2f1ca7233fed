// Package facts reads a state.State for a diagnosis: what one namespace, one link or one address says, and who has an
// address. It decides nothing about packets. It imports only state; the packages of the diagnosis import it.
package facts

import (
	"net/netip"

	"netnscheck/harness/state"
)

// Port is a link in its namespace.
type Port struct {
	N *state.Namespace
	L *state.Link
}

// At is a link in its namespace.
func At(n *state.Namespace, l *state.Link) Port { return Port{N: n, L: l} }

// Net is a state with indexes of its names, addresses and upper devices, each made when it is asked for first.
type Net struct {
	State    *state.State
	names    map[string]*state.Namespace
	owners   map[netip.Addr][]Port
	children map[Port][]Port
}

// NetOf is the network of a state.
func NetOf(s *state.State) *Net { return &Net{State: s} }

// Free is the first address of a network that no link has.
func (w *Net) Free(network netip.Prefix) netip.Prefix {
	for a := network.Addr().Next(); network.Contains(a); a = a.Next() {
		if len(w.Owned(a)) == 0 {
			return netip.PrefixFrom(a, network.Bits())
		}
	}
	return netip.Prefix{}
}

// NetworkOf is the network of an address by its owner's prefix; that of the default route if no link has it.
func (w *Net) NetworkOf(addr netip.Addr) netip.Prefix {
	for _, o := range w.Owned(addr) {
		if a, ok := AddressOf(o.L, addr); ok {
			return a.Prefix.Masked()
		}
	}
	if addr.Is6() {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// UsesItself reports whether a namespace has an address and may use it: duplicate address detection may have found
// another owner.
func (w *Net) UsesItself(n *state.Namespace, addr netip.Addr) bool {
	a, has := AddressOf(w.OwnLink(n, addr).L, addr)
	return has && Usable(a)
}

// OwnLink is the link of a namespace with an address; for a link-local one, that of its zone.
func (w *Net) OwnLink(n *state.Namespace, addr netip.Addr) Port {
	for _, o := range w.Owned(addr) {
		if o.N == n && (addr.Zone() == "" || o.L.Name == addr.Zone()) {
			return o
		}
	}
	return Port{n, &state.Link{}} // no link has it
}

// AnswersFor reports whether a namespace has an address that it would answer for by a link: for IPv4 that is each of
// its addresses (arp_ignore 0), for IPv6 only those of the link.
func (w *Net) AnswersFor(at Port, addr netip.Addr) bool {
	if addr.Is4() {
		return w.IsOwn(at.N, addr)
	}
	for _, a := range at.L.Addresses {
		if a.Prefix.Addr() == addr.WithZone("") {
			return true
		}
	}
	return false
}

// Holder is the link with an address in the namespace of at; at itself if there is none.
func (w *Net) Holder(at Port, addr netip.Addr) Port {
	for _, o := range w.Owned(addr) {
		if o.N == at.N {
			return o
		}
	}
	return at
}

func (w *Net) NearestAddress(to netip.Addr) string {
	for _, c := range w.State.Nearest(to.WithZone("").String()) {
		if c.Kind == state.KindAddress {
			return c.Name + " in " + c.Netns
		}
	}
	return ""
}

// IsOwn reports whether a namespace has an address; for a link-local one, on the link of its zone.
func (w *Net) IsOwn(n *state.Namespace, addr netip.Addr) bool {
	for _, o := range w.Owned(addr) {
		if o.N == n && (addr.Zone() == "" || o.L.Name == addr.Zone()) {
			return true
		}
	}
	return false
}

// FarEnds are the other VXLAN devices with the same identifier.
func (s *Net) FarEnds(at Port) (found []Port) {
	for i := range s.State.Namespaces {
		n := &s.State.Namespaces[i]
		for j := range n.Links {
			l := &n.Links[j]
			if l.VXLAN != nil && l != at.L && l.VXLAN.ID == at.L.VXLAN.ID {
				found = append(found, Port{n, l})
			}
		}
	}
	return found
}

// Owned are all links with an address, in all namespaces.
func (w *Net) Owned(addr netip.Addr) []Port {
	if w.owners == nil {
		w.owners = map[netip.Addr][]Port{}
		for i := range w.State.Namespaces {
			n := &w.State.Namespaces[i]
			for j := range n.Links {
				for _, a := range n.Links[j].Addresses {
					w.owners[a.Prefix.Addr()] = append(w.owners[a.Prefix.Addr()], Port{n, &n.Links[j]})
				}
			}
		}
	}
	return w.owners[addr.WithZone("")]
}

// Namespace finds a namespace by its name.
func (w *Net) Namespace(name string) *state.Namespace {
	if w.names == nil {
		w.names = make(map[string]*state.Namespace, len(w.State.Namespaces))
		for i := range w.State.Namespaces {
			w.names[w.State.Namespaces[i].Name] = &w.State.Namespaces[i]
		}
	}
	return w.names[name]
}

// Below is the lower device of a VLAN, macvlan or the like, or the peer of a veth; nil if there is none or it is
// outside the state.
func (w *Net) Below(l *state.Link) *Port {
	if l.Peer == nil || l.Peer.Hidden {
		return nil
	}
	n := w.Namespace(l.Peer.Netns)
	if n == nil {
		return nil
	}
	if peer := n.Link(l.Peer.Name); peer != nil {
		return &Port{n, peer}
	}
	return nil
}

// Lowest is the lowest device under a link: all upper devices of one may share its MAC address.
func (w *Net) Lowest(at Port) Port {
	for range 8 { // MAX_NEST_DEV, include/linux/netdevice.h
		if lower := w.Below(at.L); lower != nil && at.L.Kind != "veth" {
			at = *lower
		}
	}
	return at
}

// Above are the VLANs, macvlans and ipvlans on a link; not the ipvlans that route, which receive no frames of the
// segment.
func (w *Net) Above(p Port) []Port {
	if w.children == nil {
		w.children = map[Port][]Port{}
		for i := range w.State.Namespaces {
			n := &w.State.Namespaces[i]
			for j := range n.Links {
				l := &n.Links[j]
				if l.Macvlan == "" && l.VLAN == nil && l.IPvlan != "l2" {
					continue
				}
				if lower := w.Below(l); lower != nil {
					w.children[*lower] = append(w.children[*lower], Port{n, l})
				}
			}
		}
	}
	return w.children[p]
}
