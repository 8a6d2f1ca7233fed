package fault

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// setNeighbour makes a permanent entry in the neighbour table.
func (b *bench) setNeighbour(netns, link string, addr netip.Addr, mac string) {
	n := b.do(netns, operation.NeighbourChange{Verb: operation.Replace, Address: addr, LLAddr: hardwareAddr(mac),
		Dev:   link,
		State: "permanent"}, link)
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == link && e.Addr == addr && !e.Proxy
	})
	n.Neighbours = append(n.Neighbours, state.Neighbour{Addr: addr, Dev: link, MAC: mac, State: "permanent"})
}

func (b *bench) deleteNeighbour(netns string, e state.Neighbour) {
	n := b.do(netns, operation.NeighbourChange{Verb: operation.Delete, Address: e.Addr, Dev: e.Dev}, e.Dev)
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(other state.Neighbour) bool { return other == e })
}

// flushNeighbours makes a link forget the neighbours that it has learned.
func (b *bench) flushNeighbours(netns, link string) {
	n := b.do(netns, operation.NeighbourFlush{Dev: link}, link)
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == link && e.State != "permanent" && e.State != "noarp"
	})
}

// setSysctl changes a sysctl. Forwarding of a whole family changes it for each link (inet_forward_change in
// net/ipv4/devinet.c, addrconf_forward_change in net/ipv6/addrconf.c).
func (b *bench) setSysctl(netns, key, value string) {
	op := operation.SysctlSet{Values: []operation.SysctlValue{{Key: key, Value: value}}, Quiet: true}
	n := b.do(netns, op, "sysctl "+key)
	family := ""
	switch key {
	case forwarding4:
		family = "net.ipv4."
	case forwarding6:
		family = "net.ipv6."
	}
	for i := range n.Sysctls {
		s := &n.Sysctls[i]
		switch {
		case s.Key == key:
			s.Value = value
		case family != "" && strings.HasPrefix(s.Key, family+"conf.") && strings.HasSuffix(s.Key, ".forwarding"):
			s.Value = value
		}
	}
}

// sysctlOf is the value of a sysctl in a namespace; "" if it was not read.
func sysctlOf(n *state.Namespace, key string) string {
	for _, s := range n.Sysctls {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// ofLink reports whether a sysctl is one of a link.
func ofLink(key, link string) bool {
	return strings.HasPrefix(key, "net.ipv4.conf."+slashed(link)+".") ||
		strings.HasPrefix(key, "net.ipv6.conf."+slashed(link)+".")
}

// slashed is the name of a link in the key of a sysctl (sysctl(8)).
func slashed(link string) string { return strings.ReplaceAll(link, ".", "/") }

// wall adds a table of the packet filter with one chain and one rule.
func (b *bench) wall(netns string, t state.FilterTable, script string) {
	n := b.do(netns, operation.Run{Argv: []string{"nft", script}}, "filters")
	n.Filters = append(n.Filters, t)
}

func (b *bench) deleteWall(netns string, t state.FilterTable) {
	n := b.do(netns, operation.Run{Argv: []string{"nft", "delete", "table", t.Family, t.Name}}, "filters")
	n.Filters = slices.DeleteFunc(n.Filters, func(other state.FilterTable) bool {
		return other.Family == t.Family && other.Name == t.Name
	})
}
