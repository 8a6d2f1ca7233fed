package fault

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// tunnels are VXLANs with another identifier, UDP port or remote than the other end expects, and VLANs with another
// tag.
func (s *site) tunnels() {
	for _, p := range s.places {
		s.vlan(p)
		v := p.l.VXLAN
		if v == nil {
			continue
		}
		again := func(level int, title string, change func(*state.VXLAN), names ...causes.Cause) {
			settings, other := *v, *p.l
			change(&settings)
			other.VXLAN = &settings
			s.maybe(level, p.n, title, func(b *bench) { b.rebuild(p.n.Name, *p.l, other) }, names...)
		}
		again(2, fmt.Sprintf("%s has the VXLAN identifier %d, not %d", p, v.ID^1, v.ID),
			func(v *state.VXLAN) { v.ID ^= 1 }, causes.VNIMismatch, causes.TunnelRemoteMissing)
		again(3, fmt.Sprintf("%s has the UDP port %d, not %d", p, otherPort(v.DstPort), v.DstPort),
			func(v *state.VXLAN) { v.DstPort = otherPort(v.DstPort) }, causes.TunnelPortMismatch)
		if !v.Remote.IsValid() || v.Remote.IsMulticast() {
			continue
		}
		for _, remote := range s.wrongRemotes(*v) {
			again(2, fmt.Sprintf("%s sends to %s, not to %s", p, remote, v.Remote),
				func(v *state.VXLAN) { v.Remote = remote }, causes.TunnelRemoteMissing)
		}
	}
}

// vlan is a VLAN with another tag. What lies on it would go with it, and one whose lower link is in another namespace
// cannot be made there again.
func (s *site) vlan(p place) {
	v, below := p.l.VLAN, p.l.Peer
	if v == nil || below == nil || below.Hidden || below.Netns != p.n.Name || below.Name == "" || s.carries(p) {
		return
	}
	settings, other := *v, *p.l
	settings.ID++
	for s.tagged(p, settings) {
		settings.ID++
	}
	if settings.ID > 4094 { // the highest one (IEEE 802.1Q)
		return
	}
	other.VLAN = &settings
	s.maybe(2, p.n, fmt.Sprintf("%s has the VLAN identifier %d, not %d", p, settings.ID, v.ID),
		func(b *bench) { b.rebuild(p.n.Name, *p.l, other) }, causes.VLANMismatch)
}

// tagged reports whether the lower link of a VLAN has another one with these settings.
func (s *site) tagged(p place, v state.VLAN) bool {
	return slices.ContainsFunc(s.places, func(q place) bool {
		return q.n == p.n && q.l.VLAN != nil && *q.l.VLAN == v && q.l.Peer != nil && q.l.Peer.Name == p.l.Peer.Name
	})
}

// otherPort is the other one of the two UDP ports that are usual for VXLAN (drivers/net/vxlan/vxlan_core.c).
func otherPort(port int) int {
	if port == 4789 {
		return 8472
	}
	return 4789
}

// wrongRemotes are an address that nobody has, and one that somebody else has, both from the remote's network.
func (s *site) wrongRemotes(v state.VXLAN) (all []netip.Addr) {
	p, network, ok := s.owner(v.Remote)
	if !ok {
		return nil
	}
	if free, ok := s.free(network); ok {
		all = append(all, free)
	}
	for _, q := range s.places {
		for _, other := range q.l.Addresses {
			if q.n != p.n && other.Prefix.Addr() != v.Local && network.Contains(other.Prefix.Addr()) {
				all = append(all, other.Prefix.Addr())
			}
		}
	}
	return all
}

// owner is the link that has an address, and the address with its network.
func (s *site) owner(addr netip.Addr) (place, netip.Prefix, bool) {
	for _, p := range s.places {
		for _, a := range p.l.Addresses {
			if a.Prefix.Addr() == addr {
				return p, a.Prefix, true
			}
		}
	}
	return place{}, netip.Prefix{}, false
}
