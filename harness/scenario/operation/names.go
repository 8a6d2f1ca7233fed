package operation

import "strconv"

// Names are the names that iproute2 has for numbers of the kernel, without any configuration: files such as
// /etc/iproute2/rt_protos are not read, so that a scenario means the same on every machine.
type Names struct {
	byNumber map[uint32]string
	byName   map[string]uint32
}

func names(byNumber map[uint32]string) Names {
	byName := make(map[string]uint32, len(byNumber))
	for number, name := range byNumber {
		byName[name] = number
	}
	return Names{byNumber, byName}
}

// Name is the name of a number, or the number itself in decimal.
func (n Names) Name(number uint32) string {
	if name, ok := n.byNumber[number]; ok {
		return name
	}
	return strconv.FormatUint(uint64(number), 10)
}

// Number is the number with this name.
func (n Names) Number(name string) (number uint32, ok bool) {
	number, ok = n.byName[name]
	return number, ok
}

// The names of rtnetlink(7).
var (
	Tables = names(map[uint32]string{253: "default", 254: "main", 255: "local"})
	Scopes = names(map[uint32]string{0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"})
	// Protocols are the origins of routes and rules (RTPROT_… in linux/rtnetlink.h).
	Protocols = names(map[uint32]string{0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated",
		9: "ra", 10: "mrt", 11: "zebra", 12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp",
		18: "keepalived", 42: "babel", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp"})
	RouteTypes = names(map[uint32]string{0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast",
		5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat", 11: "xresolve"})
	// NeighbourStates are single bits (NUD_* in linux/neighbour.h).
	NeighbourStates = names(map[uint32]string{0: "none", 0x01: "incomplete", 0x02: "reachable", 0x04: "stale",
		0x08: "delay", 0x10: "probe", 0x20: "failed", 0x40: "noarp", 0x80: "permanent"})
	// IPProtocols are the names that are the same in every /etc/protocols.
	IPProtocols = names(map[uint32]string{1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre",
		50: "esp", 51: "ah", 58: "ipv6-icmp", 132: "sctp"})
)
