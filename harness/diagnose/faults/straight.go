package faults

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// LinkDown finds a link that is down with an address whose network covers the destination.
func LinkDown(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	for _, l := range links {
		if l.Up {
			continue
		}
		if p.Dst.Zone() == l.Name {
			return IsDown(m, facts.At(n, l), p.Family(), nil)
		}
		for _, a := range facts.Addresses(l, p.Family()) {
			if facts.Covers(a, p.Dst) {
				return IsDown(m, facts.At(n, l), p.Family(), &a)
			}
		}
	}
	return nil
}

// DownBeyond finds a link that is down with a router towards the destination on its segment. Its routes and its IPv6
// addresses went when it was set down (fib_disable_ip(), net/ipv4/fib_frontend.c; addrconf_ifdown(),
// net/ipv6/addrconf.c).
func DownBeyond(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	for _, l := range links {
		if !l.Up && l.Master == "" && slices.ContainsFunc(m.Neighbours(facts.At(n, l)), func(at facts.Port) bool {
			return repair.KnowsWay(m, at, p.Dst)
		}) {
			return IsDown(m, facts.At(n, l), p.Family(), nil)
		}
	}
	return nil
}

// DownStraight finds a link that is down and leads directly to the destination.
func DownStraight(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	for _, l := range links {
		if !l.Up && l.Master == "" && slices.ContainsFunc(m.Neighbours(facts.At(n, l)), func(at facts.Port) bool {
			return m.IsOwn(at.N, p.Dst)
		}) {
			return IsDown(m, facts.At(n, l), p.Family(), nil)
		}
	}
	return nil
}

// PrefixMismatch finds an address whose network does not cover the destination, while the destination's network covers
// it.
func PrefixMismatch(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	for _, o := range m.Owned(p.Dst) {
		theirs, ok := facts.AddressOf(o.L, p.Dst)
		if !ok || theirs.Peer.IsValid() {
			continue
		}
		for _, l := range links {
			for _, ours := range facts.Addresses(l, p.Family()) {
				if facts.Covers(ours, p.Dst) || !facts.Covers(theirs, ours.Prefix.Addr()) ||
					theirs.Prefix.Bits() >= ours.Prefix.Bits() {
					continue
				}
				c := finding.New(causes.PrefixMismatch, n, l,
					"%s on %s in %s covers only %s, and %s is not in it; the destination, on %s in %s, has a /%d",
					ours.Prefix, l.Name, n.Name, facts.Covered(ours), p.Dst, o.L.Name, o.N.Name, theirs.Prefix.Bits()).
					Proof(words.AddressShown(n, l, ours), words.AddressShown(o.N, o.L, theirs))
				return c.DeleteAddress(facts.At(n, l), ours.Prefix).AddAddress(facts.At(n, l),
					netip.PrefixFrom(ours.Prefix.Addr(), theirs.Prefix.Bits()))
			}
		}
	}
	return nil
}

// MuteStraight finds a link with IPv6 off that leads directly to the destination.
func MuteStraight(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	if p.Family() == 4 {
		return nil
	}
	for _, l := range links {
		if facts.Off6(n, l) && l.Master == "" && slices.ContainsFunc(m.Neighbours(facts.At(n, l)),
			func(at facts.Port) bool {
				return m.IsOwn(at.N, p.Dst)
			}) {
			return Mute(m, facts.At(n, l))
		}
	}
	return nil
}
