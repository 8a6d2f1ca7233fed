package state

import (
	"strconv"

	"netnscheck/harness/scenario/operation"
)

// Routing tables with a name (rtnetlink(7)).
const (
	TableDefault = 253
	TableMain    = 254
	TableLocal   = 255
)

// TableName is main, local, default or the number of a routing table.
func TableName(id uint32) string { return operation.Tables.Name(id) }

// TableID is the number of a routing table written as main, local, default or a number; false for anything else.
func TableID(name string) (uint32, bool) { return number(operation.Tables, name) }

// ProtocolName is the origin of a route or rule: kernel, boot, static, … or a number.
func ProtocolName(id uint8) string { return operation.Protocols.Name(uint32(id)) }

// ScopeName is the scope of an address or a route: global, site, link, host, nowhere or a number.
func ScopeName(id uint8) string { return operation.Scopes.Name(uint32(id)) }

// RouteTypeName is unicast, local, unreachable, … or a number.
func RouteTypeName(id uint8) string { return operation.RouteTypes.Name(uint32(id)) }

// IPProtocolName is tcp, udp, icmp, … or the number of an IP protocol.
func IPProtocolName(id uint8) string { return operation.IPProtocols.Name(uint32(id)) }

// NeighbourStateName is reachable, stale, permanent, … for a NUD_* value.
func NeighbourStateName(nud uint16) string { return operation.NeighbourStates.Name(uint32(nud)) }

// number is the number of a name, or of a number in decimal or with a prefix such as 0x.
func number(names operation.Names, name string) (uint32, bool) {
	if n, ok := names.Number(name); ok {
		return n, true
	}
	n, err := strconv.ParseUint(name, 0, 32)
	return uint32(n), err == nil
}

// same reports whether two spellings, names or numbers, mean the same.
func same(names operation.Names, a, b string) bool {
	if a == b {
		return true
	}
	numberA, okA := number(names, a)
	numberB, okB := number(names, b)
	return okA && okB && numberA == numberB
}
