package capture

import (
	"encoding/binary"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"
)

// form is how a packet stands in the file (https://www.tcpdump.org/linktypes.html).
type form = layers.LinkType

const (
	ethernet = layers.LinkTypeEthernet
	plain    = layers.LinkTypeRaw      // it begins with the header of IP
	cooked   = layers.LinkTypeLinuxSLL // with a header that tells its protocol
)

// formOf is the form of a packet of a link of this type (ARPHRD_…). What is neither Ethernet nor IP has its protocol
// beside it: that of MPLS in a tunnel, or of a link of netlink messages.
func formOf(linkType, protocol uint16) form {
	switch linkType {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return ethernet
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT,
		unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE, unix.ARPHRD_PIMREG, unix.ARPHRD_VOID:
		if protocol == unix.ETH_P_IP || protocol == unix.ETH_P_IPV6 {
			return plain
		}
	}
	return cooked
}

// cook puts the header before a packet that tells its direction, type of link, sender and protocol.
func (p *packet) cook(from *unix.SockaddrLinklayer, protocol uint16) {
	header := make([]byte, 16)
	binary.BigEndian.PutUint16(header, uint16(from.Pkttype))
	binary.BigEndian.PutUint16(header[2:], from.Hatype)
	binary.BigEndian.PutUint16(header[4:], uint16(from.Halen))
	copy(header[6:14], from.Addr[:min(from.Halen, 8)])
	binary.BigEndian.PutUint16(header[14:], protocol)
	p.put(0, header)
}
