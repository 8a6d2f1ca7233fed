package faults

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// butLinkLocal is the exception for IPv6, whose link-local addresses do not reach beyond the link.
func butLinkLocal(family int) string {
	if family == 6 {
		return " other than link-local ones"
	}
	return ""
}

// NoAddress: no link of the namespace, up or down, has an address of the family.
func NoAddress(m *topology.Map, n *state.Namespace, p packet.Packet, links []*state.Link) *finding.Cause {
	for i := range n.Links {
		for _, a := range facts.Addresses(&n.Links[i], p.Family()) {
			if !a.Prefix.Addr().IsLoopback() {
				return nil
			}
		}
	}
	family := map[int]string{4: "IPv4", 6: "IPv6"}[p.Family()]
	var place *state.Link
	if len(links) == 1 {
		place = links[0]
	}
	c := finding.New(causes.NoAddress, n, place, "no link of %s has an %s address%s", n.Name, family,
		butLinkLocal(p.Family()))
	for _, l := range links {
		c.Proof(words.IP(n, "%saddr show dev %s", words.Six(p.Family()), l.Name) + ": no address of this family")
	}
	l := repair.LikelyLink(m, n, p.Dst)
	if l == nil {
		l = place
	}
	if l == nil {
		return c.Advise(words.IP(n, "addr add ADDRESS/LENGTH dev IFACE"))
	}
	repair.GiveAddress(m, c, facts.At(n, l), p.Family())
	if !l.Up {
		c.SetUp(facts.At(n, l))
	}
	return c
}

// OwnAddress is the cause that stops a packet for an address of its own namespace: it goes by lo, whatever link has the
// address.
func OwnAddress(m *topology.Map, n *state.Namespace, p *packet.Packet) *finding.Cause {
	own := m.IsOwn(n, p.Dst)
	if !own && !p.Dst.IsLoopback() {
		return nil
	}
	if lo := n.Link("lo"); lo != nil && !lo.Up {
		return finding.New(causes.LoopbackDown, n, lo,
			"%s is an address of %s itself, packets for it go by lo, and lo is down", p.Dst, n.Name).
			Proof(words.LinkShown(n, lo)).SetUp(facts.At(n, lo))
	}
	for _, o := range m.Owned(p.Dst) {
		if o.N != n || o.L.Kind != "veth" {
			continue
		}
		if peer := m.Below(o.L); peer != nil && peer.N == n {
			c := finding.New(causes.SameNamespace, n, o.L,
				"both ends of the pair %s and %s are in %s: packets between them never cross the pair", o.L.Name,
				peer.L.Name, n.Name).
				Proof(words.LinkShown(n, o.L), words.LinkShown(n, peer.L), words.IP(n, "route get %s",
					p.Dst)+": local "+p.Dst.String()+
					" dev lo")
			return MoveOut(m, c, o)
		}
		for _, other := range m.Owned(p.Dst) {
			if other.N != n && !facts.Settled(o, other, p.Dst) && m.SameSegment(o, other) {
				return DuplicateAddress(other, o, p.Dst)
			}
		}
	}
	return nil
}

// Speaks6 is the cause for a link with IPv6 off, if the namespace has no IPv6 route to the destination.
func Speaks6(m *topology.Map, n *state.Namespace, p *packet.Packet) *finding.Cause {
	var silent []*state.Link
	for _, l := range facts.Ordinary(n) {
		if facts.Off6(n, l) && l.Master == "" && (p.Dst.Zone() == "" || l.Name == p.Dst.Zone()) {
			silent = append(silent, l)
		}
	}
	if len(silent) == 0 || routing.Lookup(n, routing.Flow{Dst: p.Dst, Oif: p.Dst.Zone()}).Found() {
		return nil
	}
	l := silent[0]
	if likely := repair.LikelyLink(m, n, p.Dst); len(silent) > 1 && likely != nil && slices.Contains(silent, likely) {
		l = likely
	}
	return Mute(m, facts.At(n, l))
}

// SourceMissing is the cause why a packet has no source address: of IPv6, tentative and duplicate ones do not count.
// Without any of IPv4 the kernel sends from 0.0.0.0, by an IPv6 next hop too, and nobody can reply.
func SourceMissing(m *topology.Map, n *state.Namespace, p packet.Packet, d routing.Decision) *finding.Cause {
	switch {
	case d.Local() || p.Src.IsValid():
		return nil
	case p.Family() == 4:
		return NoAddress(m, n, p, facts.Ordinary(n))
	}
	return NoSource(m, n, p, d)
}

// NoSource is the cause why a namespace has no source address for an IPv6 packet.
func NoSource(m *topology.Map, n *state.Namespace, p packet.Packet, d routing.Decision) *finding.Cause {
	links := facts.Ordinary(n)
	if out := d.Dev(n); out != nil {
		links = slices.Insert(links, 0, out)
	}
	for _, l := range links {
		for _, a := range l.Addresses {
			if a.Prefix.Addr().Is6() && !facts.Usable(a) &&
				a.Prefix.Addr().IsLinkLocalUnicast() == p.Dst.IsLinkLocalUnicast() {
				return UnusableAddress(m, facts.At(n, l), a)
			}
		}
	}
	return NoAddress(m, n, p, facts.Ordinary(n))
}
