package observe

import (
	"cmp"
	"net"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// link is a link with the indexes and ids that are yet to be resolved to names.
type link struct {
	state.Link
	master int
	// below is IFLA_LINK, the index of the lower device or of the peer; 0 for none.
	below int
	// netns is IFLA_LINK_NETNSID, the id of the namespace of below, or ownNetns. It is -1 while that namespace is being
	// deleted.
	netns    int
	vxlanDev int
	// permanent is set if there is an IFLA_PERM_ADDRESS, the permanent address of the device.
	permanent bool
	sysctls   []state.Sysctl
}

// ownNetns stands for the namespace of the link itself, for which the kernel leaves out the id.
const ownNetns = -2

var operStates = []string{"unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"}

// readLinks reads all links, by index, with statistics and without virtual functions.
func readLinks(c *conversation) ([]*link, error) {
	question := make([]byte, unix.SizeofIfInfomsg)
	links, err := dump(c, unix.RTM_GETLINK, question, parseLink)
	slices.SortFunc(links, func(a, b *link) int { return cmp.Compare(a.Index, b.Index) })
	return links, err
}

func parseLink(body []byte) (*link, bool) {
	if len(body) < unix.SizeofIfInfomsg {
		return nil, false
	}
	flags := native.Uint32(body[8:])
	l := &link{netns: ownNetns}
	l.Index = int(int32(native.Uint32(body[4:])))
	l.Up = flags&unix.IFF_UP != 0
	l.NoARP = flags&unix.IFF_NOARP != 0
	l.Promisc = flags&unix.IFF_PROMISC != 0
	l.AllMulti = flags&unix.IFF_ALLMULTI != 0
	l.NoMulticast = flags&unix.IFF_MULTICAST == 0
	if flags&unix.IFF_LOOPBACK != 0 {
		l.Kind = "loopback"
	}
	attributes(body[unix.SizeofIfInfomsg:], l.attribute)
	l.Carrier = l.Carrier && l.Up
	// IFLA_AF_SPEC, with the IPv4 and IPv6 settings, may precede the name.
	for i := range l.sysctls {
		l.sysctls[i].Key = interfaceKey(l.sysctls[i].Key, l.Name)
	}
	return l, true
}

func (l *link) attribute(kind uint16, data []byte) {
	switch kind {
	case unix.IFLA_IFNAME:
		l.Name = text(data)
	case unix.IFLA_PROP_LIST:
		attributes(data, func(kind uint16, data []byte) {
			if kind == unix.IFLA_ALT_IFNAME {
				l.AltNames = append(l.AltNames, text(data))
			}
		})
	case unix.IFLA_IFALIAS:
		l.Alias = text(data)
	case unix.IFLA_CARRIER:
		l.Carrier = number(data) == 1
	case unix.IFLA_OPERSTATE:
		if n := number(data); n < uint64(len(operStates)) {
			l.OperState = operStates[n]
		}
	case unix.IFLA_MTU:
		l.MTU = int(number(data))
	case unix.IFLA_ADDRESS:
		l.MAC = hardware(data)
	case unix.IFLA_PERM_ADDRESS:
		l.permanent = true
	case unix.IFLA_BROADCAST:
		l.Broadcast = hardware(data)
	case unix.IFLA_TXQLEN:
		l.TxQLen = int(number(data))
	case unix.IFLA_NUM_TX_QUEUES:
		l.NumTx = int(number(data))
	case unix.IFLA_NUM_RX_QUEUES:
		l.NumRx = int(number(data))
	case unix.IFLA_GROUP:
		l.Group = uint32(number(data))
	case unix.IFLA_PROMISCUITY:
		l.Promiscuity = int(number(data))
	case unix.IFLA_PROTO_DOWN:
		l.Protodown = number(data) == 1
	case unix.IFLA_LINKMODE:
		l.Mode = [...]string{"default", "dormant"}[min(number(data), 1)]
	case unix.IFLA_GSO_MAX_SIZE:
		l.GSOMaxSize = int(number(data))
	case unix.IFLA_QDISC:
		l.Qdisc = text(data)
	case unix.IFLA_MASTER:
		l.master = int(number(data))
	case unix.IFLA_LINK:
		l.below = int(number(data))
	case unix.IFLA_LINK_NETNSID:
		l.netns = int(int32(number(data)))
	case unix.IFLA_STATS64:
		l.Counters = linkCounters(data)
	case unix.IFLA_XDP:
		l.XDP = parseXDP(data)
	case unix.IFLA_LINKINFO:
		l.linkInfo(data)
	case unix.IFLA_AF_SPEC:
		l.sysctls = linkSysctls(data)
	}
}

// hardware is a link-layer address with colons. That of an IPv4 or IPv6 tunnel is the IP address of its end.
func hardware(data []byte) string { return net.HardwareAddr(data).String() }

// linkInfo reads the attributes of the kind of the link and of the kind of its master.
func (l *link) linkInfo(data []byte) {
	var own, port []byte
	var portKind string
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case nl.IFLA_INFO_KIND:
			l.Kind = text(data)
		case nl.IFLA_INFO_DATA:
			own = data
		case nl.IFLA_INFO_SLAVE_KIND:
			portKind = text(data)
		case nl.IFLA_INFO_SLAVE_DATA:
			port = data
		}
	})
	switch l.Kind {
	case "bridge":
		l.Bridge = parseBridge(own)
	case "vlan":
		l.VLAN = parseVLAN(own)
	case "vxlan":
		l.VXLAN, l.vxlanDev = parseVXLAN(own)
	case "macvlan", "macvtap":
		l.Macvlan = oneOf(own, nl.IFLA_MACVLAN_MODE,
			map[uint64]string{1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"})
	case "ipvlan", "ipvtap":
		l.IPvlan = oneOf(own, nl.IFLA_IPVLAN_MODE, map[uint64]string{0: "l2", 1: "l3", 2: "l3s"})
	case "vrf":
		attributes(own, func(kind uint16, data []byte) {
			if kind == nl.IFLA_VRF_TABLE {
				l.VRFTable = uint32(number(data))
			}
		})
	}
	if portKind == "bridge" {
		l.Port = parsePort(port)
	}
}

// counterNames are the statistics of struct rtnl_link_stats64, in its order, under the names of
// /sys/class/net/X/statistics.
var counterNames = []string{
	"rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
	"multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
	"rx_fifo_errors",
	"rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors", "tx_heartbeat_errors",
	"tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler", "rx_otherhost_dropped",
}

// linkCounters are all counters that the kernel provides.
func linkCounters(data []byte) map[string]uint64 {
	counters := make(map[string]uint64, len(counterNames))
	for i, name := range counterNames {
		if len(data) < 8*i+8 {
			break
		}
		counters[name] = native.Uint64(data[8*i:])
	}
	return counters
}
