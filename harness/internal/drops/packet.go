package drops

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Packet is what the headers of a dropped packet say. The zero value is one that is not understood.
type Packet struct {
	Source, Dest netip.Addr
	Protocol     uint8 // IPPROTO_TCP, …
	// SourcePort and DestPort are those of TCP and UDP. Of an ICMP echo both are its identifier.
	SourcePort, DestPort uint16
	// About is the packet that an ICMP error is about.
	About *Packet
	// Neighbour is set for a packet of ARP, or of IPv6 neighbour discovery from an address; Echo for a request or a reply of ICMP;
	// Fragment for a later fragment, which has no ports.
	Neighbour, Echo, Fragment bool
}

const (
	ipv6Header             = 40
	icmpHeader             = 8
	neighbourSolicitation  = 135 // RFC 4861, section 4.3
	neighbourAdvertisement = 136
)

// decode reads a packet from its network header on. An error of ICMP may have another one in it, and no more.
func decode(ethertype uint16, b []byte) Packet {
	if ethertype == unix.ETH_P_ARP {
		return Packet{Neighbour: true}
	}
	return decodeIP(b, true)
}

func decodeIP(b []byte, errors bool) (p Packet) {
	if len(b) == 0 {
		return p
	}
	var behind []byte
	switch b[0] >> 4 {
	case 4:
		length := int(b[0]&0xf) * 4
		if length < 20 || len(b) < length {
			return p
		}
		p.Protocol = b[9]
		p.Source, p.Dest = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		if p.Fragment = binary.BigEndian.Uint16(b[6:])&0x1fff != 0; p.Fragment {
			return p
		}
		behind = b[length:]
	case 6:
		if len(b) < ipv6Header {
			return p
		}
		p.Protocol = b[6]
		p.Source, p.Dest = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		behind = b[ipv6Header:]
	default:
		return p
	}
	if len(behind) < icmpHeader {
		return p
	}
	switch p.Protocol {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP:
		p.SourcePort, p.DestPort = binary.BigEndian.Uint16(behind), binary.BigEndian.Uint16(behind[2:])
	case unix.IPPROTO_ICMP:
		switch behind[0] {
		case 0, 8: // echo reply, echo (RFC 792)
			p.echo(behind)
		case 3, 4, 5, 11, 12: // unreachable, source quench, redirect, time exceeded, parameter problem
			p.about(behind, errors)
		}
	case unix.IPPROTO_ICMPV6:
		switch kind := behind[0]; {
		case kind == 128 || kind == 129: // echo request, echo reply (RFC 4443)
			p.echo(behind)
		case kind == neighbourSolicitation || kind == neighbourAdvertisement:
			// From no address it is about an address of the sender's own, for nobody to answer (RFC 4862, section 5.4.2).
			p.Neighbour = !p.Source.IsUnspecified()
		case kind < 128:
			p.about(behind, errors)
		}
	}
	return p
}

func (p *Packet) echo(message []byte) {
	p.Echo, p.SourcePort = true, binary.BigEndian.Uint16(message[4:])
	p.DestPort = p.SourcePort
}

func (p *Packet) about(message []byte, errors bool) {
	if errors {
		inner := decodeIP(message[icmpHeader:], false)
		p.About = &inner
	}
}
