package facts

import (
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

func SharesNetwork(a, b *state.Link) bool {
	for _, x := range a.Addresses {
		for _, y := range b.Addresses {
			if FamilyOf(x.Prefix.Addr()) == FamilyOf(y.Prefix.Addr()) && !x.Prefix.Addr().IsLinkLocalUnicast() &&
				Covers(y, x.Prefix.Addr()) {
				return true
			}
		}
	}
	return false
}

// Common are the addresses of a neighbour's link in the networks of ours.
func Common(ours, theirs *state.Link, family int) (vias []netip.Addr) {
	for _, their := range Addresses(theirs, family) {
		for _, our := range Addresses(ours, family) {
			if via := their.Prefix.Addr(); Covers(our, via) && via != our.Prefix.Addr() {
				vias = append(vias, via)
			}
		}
	}
	return vias
}

// LinkLocal is the IPv6 link-local address of a link; invalid if it has none that is usable.
func LinkLocal(l *state.Link) netip.Addr {
	for _, a := range l.Addresses {
		if a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && Usable(a) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// AddressOf is an address of a link with its prefix and flags; false if the link does not have it.
func AddressOf(l *state.Link, addr netip.Addr) (state.Address, bool) {
	for _, a := range l.Addresses {
		if a.Prefix.Addr() == addr.WithZone("") {
			return a, true
		}
	}
	return state.Address{}, false
}

// Holds reports whether a link has an address.
func Holds(l *state.Link, addr netip.Addr) bool {
	return slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr })
}

// LastAddress is the broadcast address of an IPv4 network.
func LastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

func FirstAddress(l *state.Link, family int) netip.Addr {
	if l != nil {
		for _, a := range Addresses(l, family) {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

func FamilyOf(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

// Usable reports whether an address can be a source address and is answered for.
func Usable(a state.Address) bool {
	return !Has(a.Flags, "dadfailed") && (!Has(a.Flags, "tentative") || Has(a.Flags, "optimistic"))
}

// Covered is the network of an address; with a peer, that of the peer.
func Covered(a state.Address) netip.Prefix {
	if a.Peer.IsValid() {
		return a.Peer.Masked()
	}
	return a.Prefix.Masked()
}

func Covers(a state.Address, addr netip.Addr) bool { return Covered(a).Contains(addr.WithZone("")) }

// Addresses are the addresses of a family on a link, without IPv6 link-local ones.
func Addresses(l *state.Link, family int) (found []state.Address) {
	for _, a := range l.Addresses {
		if FamilyOf(a.Prefix.Addr()) == family && !(family == 6 && a.Prefix.Addr().IsLinkLocalUnicast()) {
			found = append(found, a)
		}
	}
	return found
}
