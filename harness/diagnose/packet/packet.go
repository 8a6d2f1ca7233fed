// Package packet has the packets that a diagnosis asks about, and how their fields fit the values of a selector. It
// imports nothing of the project; the packages of the diagnosis import it.
package packet

import (
	"net/netip"
	"strings"
)

// Solicited is the solicited-node multicast address of an address (RFC 4291, section 2.7.1).
func Solicited(addr netip.Addr) netip.Addr {
	group, bytes := [16]byte{0: 0xff, 1: 0x02, 11: 0x01, 12: 0xff}, addr.As16()
	copy(group[13:], bytes[13:])
	return netip.AddrFrom16(group)
}

// Packet is an echo request or the first segment of a TCP connection, or the reply to it; or the UDP packet of a
// tunnel.
type Packet struct {
	Src, Dst     netip.Addr
	Proto        string // icmp, ipv6-icmp, tcp, udp
	Sport, Dport uint16
	ICMP         string // the type of an ICMP message other than an echo, such as packet-too-big
	Size         int    // of the IP packet with its header, in bytes; 0 is small
	Yields       bool   // it may be fragmented on the path
	Unbound      bool   // its route was looked up before it had a source, so rules by source did not apply
	Reply        bool
	Tags
	// Rewritten is set if a rule has changed what a filter may compare in its header, but not its addresses or ports.
	Rewritten bool
}

// Tags are what a namespace knows of a packet and no other one does.
type Tags struct {
	Mark      uint32
	Vague     bool // the mark is not known
	Untracked bool // connection tracking takes no notice of it
}

// Back is the reply to the packet.
func (p Packet) Back() Packet {
	return Packet{Src: p.Dst, Dst: p.Src, Proto: p.Proto, Sport: p.Dport, Dport: p.Sport, Size: p.Size, Reply: !p.Reply}
}

// Discovers reports whether a packet is an IPv6 neighbour solicitation or advertisement.
func (p Packet) Discovers() bool { return strings.HasPrefix(p.ICMP, "nd-") }

func (p Packet) Family() int {
	if p.Dst.Is4() {
		return 4
	}
	return 6
}
