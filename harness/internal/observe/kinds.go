package observe

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// oneOf is the word for the value of an attribute.
func oneOf(data []byte, attribute uint16, words map[uint64]string) string {
	word := ""
	attributes(data, func(kind uint16, data []byte) {
		if kind == attribute {
			word = words[number(data)]
		}
	})
	return word
}

// vlanProtocol is the name of an EtherType in network order.
func vlanProtocol(data []byte) string {
	if len(data) != 2 {
		return ""
	}
	switch kind := binary.BigEndian.Uint16(data); kind {
	case 0x8100:
		return "802.1Q"
	case 0x88a8:
		return "802.1ad"
	default:
		return fmt.Sprintf("0x%04x", kind)
	}
}

// parseBridge reads the settings of a bridge; times are in centiseconds (the kernel's clock_t).
func parseBridge(data []byte) *state.Bridge {
	b := &state.Bridge{}
	attributes(data, func(kind uint16, data []byte) {
		n := int(number(data))
		switch kind {
		case nl.IFLA_BR_FORWARD_DELAY:
			b.ForwardDelay = n
		case nl.IFLA_BR_HELLO_TIME:
			b.HelloTime = n
		case nl.IFLA_BR_MAX_AGE:
			b.MaxAge = n
		case nl.IFLA_BR_AGEING_TIME:
			b.AgeingTime = n
		case nl.IFLA_BR_STP_STATE:
			b.STP = n
		case nl.IFLA_BR_PRIORITY:
			b.Priority = n
		case nl.IFLA_BR_VLAN_FILTERING:
			b.VLANFiltering = n == 1
		case nl.IFLA_BR_VLAN_PROTOCOL:
			b.VLANProtocol = vlanProtocol(data)
		case nl.IFLA_BR_GROUP_FWD_MASK:
			b.GroupForwardMask = uint16(n)
		case nl.IFLA_BR_MCAST_SNOOPING:
			b.MulticastSnooping = n == 1
		case nl.IFLA_BR_MCAST_QUERIER:
			b.MulticastQuerier = n == 1
		case nl.IFLA_BR_VLAN_DEFAULT_PVID:
			b.DefaultPVID = n
		case nl.IFLA_BR_NF_CALL_IPTABLES:
			b.NFCallIPTables = n == 1
		case nl.IFLA_BR_NF_CALL_IP6TABLES:
			b.NFCallIP6Tables = n == 1
		case nl.IFLA_BR_NF_CALL_ARPTABLES:
			b.NFCallARPTables = n == 1
		}
	})
	return b
}

func parsePort(data []byte) *state.Port {
	p := &state.Port{}
	attributes(data, func(kind uint16, data []byte) {
		n := int(number(data))
		switch kind {
		case nl.IFLA_BRPORT_STATE:
			if n < len(state.PortStates) {
				p.State = state.PortStates[n]
			}
		case nl.IFLA_BRPORT_PRIORITY:
			p.Priority = n
		case nl.IFLA_BRPORT_COST:
			p.Cost = n
		case nl.IFLA_BRPORT_MODE:
			p.Hairpin = n == 1
		case nl.IFLA_BRPORT_GUARD:
			p.Guard = n == 1
		case nl.IFLA_BRPORT_PROTECT:
			p.RootBlock = n == 1
		case nl.IFLA_BRPORT_FAST_LEAVE:
			p.FastLeave = n == 1
		case nl.IFLA_BRPORT_LEARNING:
			p.NoLearning = n == 0
		case nl.IFLA_BRPORT_UNICAST_FLOOD:
			p.NoFlood = n == 0
		case nl.IFLA_BRPORT_MCAST_FLOOD:
			p.NoMulticastFlood = n == 0
		case nl.IFLA_BRPORT_BCAST_FLOOD:
			p.NoBroadcastFlood = n == 0
		case nl.IFLA_BRPORT_MCAST_TO_UCAST:
			p.MulticastUnicast = n == 1
		case nl.IFLA_BRPORT_PROXYARP:
			p.ProxyARP = n == 1
		case nl.IFLA_BRPORT_PROXYARP_WIFI:
			p.ProxyARPWiFi = n == 1
		case nl.IFLA_BRPORT_VLAN_TUNNEL:
			p.VLANTunnel = n == 1
		case nl.IFLA_BRPORT_LOCKED: // since Linux 5.18
			p.Locked = n == 1
		case nl.IFLA_BRPORT_NEIGH_SUPPRESS:
			p.NeighSuppress = n == 1
		case nl.IFLA_BRPORT_ISOLATED:
			p.Isolated = n == 1
		case nl.IFLA_BRPORT_FORWARD_DELAY_TIMER:
			p.ForwardTimer = n
		}
	})
	return p
}

func parseVLAN(data []byte) *state.VLAN {
	v := &state.VLAN{}
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case nl.IFLA_VLAN_ID:
			v.ID = int(number(data))
		case nl.IFLA_VLAN_PROTOCOL:
			v.Protocol = vlanProtocol(data)
		}
	})
	return v
}

// parseVXLAN also returns the index of the lower device, 0 for none.
func parseVXLAN(data []byte) (v *state.VXLAN, dev int) {
	v = &state.VXLAN{}
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case nl.IFLA_VXLAN_ID:
			v.ID = int(number(data))
		case nl.IFLA_VXLAN_GROUP, nl.IFLA_VXLAN_GROUP6:
			v.Remote = specified(data)
		case nl.IFLA_VXLAN_LOCAL, nl.IFLA_VXLAN_LOCAL6:
			v.Local = specified(data)
		case nl.IFLA_VXLAN_LINK:
			dev = int(number(data))
		case nl.IFLA_VXLAN_LEARNING:
			v.Learning = number(data) == 1
		case unix.IFLA_VXLAN_DF:
			v.DF = map[uint64]string{1: "set", 2: "inherit"}[number(data)] // enum ifla_vxlan_df, uapi/linux/if_link.h
		case nl.IFLA_VXLAN_PORT:
			if len(data) == 2 {
				v.DstPort = int(binary.BigEndian.Uint16(data))
			}
		}
	})
	return v, dev
}

// specified is an address, or the zero Addr if it is all zeros.
func specified(data []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(data)
	if a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
