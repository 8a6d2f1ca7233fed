package observe

import (
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// mostConnections is how many entries of connection tracking are read of a namespace. A busy router has a million.
const mostConnections = 4096

// openConnections opens, on a thread in the namespace, a conversation about connection tracking, if there are
// connections. How many there are is in a file, so that a kernel that tracks none is not asked: the question would load
// a module. Connections that are not read are no part of Unread: no diagnosis goes by them.
func (r *reading) openConnections() {
	const count = "/proc/sys/net/netfilter/nf_conntrack_count"
	value, err := readValue(unix.AT_FDCWD, count)
	if n, _ := strconv.Atoi(value); err != nil || n == 0 {
		return
	}
	if there, known := module("nf_conntrack_netlink"); !there || !known {
		return
	}
	r.connections, _ = open(unix.NETLINK_NETFILTER)
}

// readConnections reads the connections once, and closes the conversation: the kernel may still have more to say.
func (r *reading) readConnections() error {
	defer r.release(&r.connections)
	var err error
	r.Connections, r.MoreConnections, err = some(r.connections, unix.NFNL_SUBSYS_CTNETLINK<<8|nl.IPCTNL_MSG_CT_GET,
		make([]byte, sizeofNFGen), mostConnections, parseConnection)
	if err != nil {
		r.Connections, r.MoreConnections = nil, false
	}
	return nil
}

// parseConnection reads an entry (linux/netfilter/nfnetlink_conntrack.h); numbers are in network order.
func parseConnection(body []byte) (state.Connection, bool) {
	if len(body) < sizeofNFGen {
		return state.Connection{}, false
	}
	var c state.Connection
	protocol := byte(0)
	attributes(body[sizeofNFGen:], func(kind uint16, data []byte) {
		switch kind {
		case nl.CTA_TUPLE_ORIG:
			c.Original, protocol = parseTuple(data)
		case nl.CTA_TUPLE_REPLY:
			c.Reply, _ = parseTuple(data)
		case nl.CTA_STATUS:
			for _, s := range connectionBits {
				if uint64(big(data))&s.bit != 0 {
					c.Status = append(c.Status, s.word)
				}
			}
		case nl.CTA_MARK:
			c.Mark = big(data)
		case nl.CTA_ZONE:
			c.Zone = port(data)
		}
	})
	c.Family = familyOf(body[0])
	c.Protocol = l4proto.value(nil, []byte{protocol})
	return c, c.Original.Src.IsValid()
}

// connectionBits are the status flags of a connection that say what becomes of its packets.
var connectionBits = append(statusBits[:len(statusBits):len(statusBits)], bitWord{512, "dying"})

func parseTuple(data []byte) (t state.Tuple, protocol byte) {
	const zone = 3 // CTA_TUPLE_ZONE
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case nl.CTA_TUPLE_IP:
			attributes(data, func(kind uint16, data []byte) {
				switch kind {
				case nl.CTA_IP_V4_SRC, nl.CTA_IP_V6_SRC:
					t.Src, _ = netip.AddrFromSlice(data)
				case nl.CTA_IP_V4_DST, nl.CTA_IP_V6_DST:
					t.Dst, _ = netip.AddrFromSlice(data)
				}
			})
		case nl.CTA_TUPLE_PROTO:
			protocol = transport(&t, data)
		case zone:
			t.Zone = port(data)
		}
	})
	return t, protocol
}

// transport reads the ports of one direction, or what ICMP has in their place.
func transport(t *state.Tuple, data []byte) (protocol byte) {
	const icmpID, icmpTypeOf, icmpCode, icmpv6ID, icmpv6TypeOf, icmpv6Code = 4, 5, 6, 7, 8, 9 // CTA_PROTO_ICMP_ID, …
	attributes(data, func(kind uint16, data []byte) {
		n := uint16(0)
		switch len(data) {
		case 1:
			n = uint16(data[0])
		case 2:
			n = port(data)
		}
		switch kind {
		case nl.CTA_PROTO_NUM:
			protocol = byte(n)
		case nl.CTA_PROTO_SRC_PORT:
			t.SrcPort = n
		case nl.CTA_PROTO_DST_PORT:
			t.DstPort = n
		case icmpID, icmpv6ID:
			t.ID = n
		case icmpTypeOf, icmpv6TypeOf:
			t.Type = uint8(n)
		case icmpCode, icmpv6Code:
			t.Code = uint8(n)
		}
	})
	return protocol
}
