package drops

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Flow is what a probe sends, and what answers it.
type Flow struct {
	Protocol uint8        // IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP
	Target   netip.Addr   // without a zone
	Own      []netip.Addr // those that the probe may be sent from
	// Port is the target's, OwnPort the probe's own. Of an ICMP echo both are its identifier. 0 is any.
	Port, OwnPort uint16
}

// Addresses are those of both ends.
func (f Flow) Addresses() []netip.Addr { return append(slices.Clone(f.Own), f.Target) }

// Has reports whether a packet is the flow's, or an ICMP error about one of its packets. Where a packet has only one
// end's address, the other one has been translated.
func (f Flow) Has(p Packet) bool {
	if p.About != nil {
		return f.Has(*p.About)
	}
	if p.Protocol != f.Protocol || p.Protocol != unix.IPPROTO_TCP && !p.Echo && !p.Fragment {
		return false
	}
	return f.between(p) || f.between(p.reversed())
}

// between reports whether a packet goes from the flow's own end to its target.
func (f Flow) between(p Packet) bool {
	from, to := slices.Contains(f.Own, p.Source), p.Dest == f.Target
	if !from && !to {
		return false
	}
	return p.Fragment ||
		(!from || f.OwnPort == 0 || p.SourcePort == f.OwnPort) && (!to || f.Port == 0 || p.DestPort == f.Port)
}

func (p Packet) reversed() Packet {
	p.Source, p.Dest, p.SourcePort, p.DestPort = p.Dest, p.Source, p.DestPort, p.SourcePort
	return p
}
