package state

import "strconv"

// Routing tables with a name of their own (rtnetlink(7)).
const (
	TableDefault = 253
	TableMain    = 254
	TableLocal   = 255
)

// numbered is a set of names the kernel knows as numbers only.
type numbered map[uint32]string

// name is the name of a number, or the number itself in decimal.
func (n numbered) name(id uint32) string {
	if name, ok := n[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

// id is the number of a name, or of a number written in decimal or with a prefix such as 0x.
func (n numbered) id(name string) (uint32, bool) {
	for id, known := range n {
		if known == name {
			return id, true
		}
	}
	id, err := strconv.ParseUint(name, 0, 32)
	return uint32(id), err == nil
}

var tables = numbered{TableDefault: "default", TableMain: "main", TableLocal: "local"}

// The protocols, scopes and types below are those of rtnetlink(7) under the names that iproute2 gives them; files such
// as /etc/iproute2/rt_protos are not read, so that a scenario means the same on every machine.
var protocols = numbered{
	0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra",
	12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel", 186: "bgp",
	187: "isis",
	188: "ospf", 189: "rip", 192: "eigrp",
}

var scopes = numbered{0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}

var routeTypes = numbered{
	0: "unspec", 1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole",
	7: "unreachable",
	8: "prohibit", 9: "throw", 10: "nat", 11: "xresolve",
}

// TableName is main, local, default or the number of a routing table.
func TableName(id uint32) string { return tables.name(id) }

// TableID is the number of a routing table written as main, local, default or a number; false for anything else.
func TableID(name string) (uint32, bool) { return tables.id(name) }

// ProtocolName is who made a route or rule: kernel, boot, static, … or a number.
func ProtocolName(id uint8) string { return protocols.name(uint32(id)) }

// ScopeName is the scope of an address or a route: global, site, link, host, nowhere or a number.
func ScopeName(id uint8) string { return scopes.name(uint32(id)) }

// RouteTypeName is unicast, local, unreachable, … or a number.
func RouteTypeName(id uint8) string { return routeTypes.name(uint32(id)) }

// same says whether two spellings, names or numbers, mean the same.
func (n numbered) same(a, b string) bool {
	if a == b {
		return true
	}
	ia, okA := n.id(a)
	ib, okB := n.id(b)
	return okA && okB && ia == ib
}
