package fault

import (
	"cmp"
	"fmt"
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
	if link, ok := strings.CutSuffix(strings.TrimPrefix(key, "net.ipv6.conf."), ".disable_ipv6"); ok && value == "1" {
		b.without6(n, strings.ReplaceAll(link, "/", "."))
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

// without6 takes what a link has of IPv6 (addrconf_ifdown in net/ipv6/addrconf.c).
func (b *bench) without6(n *state.Namespace, link string) {
	l := n.Link(link)
	if l == nil {
		b.unsure = true // all or default
		return
	}
	b.touched[n.Name+" "+link] = true
	l.Addresses = slices.DeleteFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr().Is6() })
	b.dropRoutes(n, func(r state.Route) bool { return r.Family == 6 && leavesBy(r, link) })
	n.Neighbours = slices.DeleteFunc(n.Neighbours, func(e state.Neighbour) bool {
		return e.Dev == link && e.Addr.Is6()
	})
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

// defaultOf is the value with which a new link begins. Of what is read of links alone, such as proxy_arp_pvlan, that is
// the kernel's own, 0.
func defaultOf(n *state.Namespace, family, name string) string {
	return cmp.Or(sysctlOf(n, family+".conf.default."+name), "0")
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

// ruleAt is the place of a rule of the packet filter.
type ruleAt struct {
	family, table, chain string
	index                int
}

func (at ruleAt) chainName() string { return at.family + " " + at.table + " " + at.chain }

// rules are the rules of the chain at a place, in a copy that may be changed; nil if there is no such chain.
func (b *bench) rules(n *state.Namespace, at ruleAt) *[]state.FilterRule {
	for i := range n.Filters {
		t := &n.Filters[i]
		if t.Family != at.family || t.Name != at.table {
			continue
		}
		t.Chains = slices.Clone(t.Chains)
		for j := range t.Chains {
			if c := &t.Chains[j]; c.Name == at.chain {
				c.Rules = slices.Clone(c.Rules)
				return &c.Rules
			}
		}
	}
	return nil
}

func (b *bench) deleteFilterRule(netns string, at ruleAt, handle uint64) {
	n := b.do(netns, operation.Run{Argv: []string{"nft", "delete", "rule", at.family, at.table, at.chain, "handle",
		fmt.Sprint(handle)}}, "filters")
	rules := b.rules(n, at)
	*rules = slices.Delete(*rules, at.index, at.index+1)
}

// addFilterRule adds a rule at its place: before another one, or at the end.
func (b *bench) addFilterRule(netns string, at ruleAt, r state.FilterRule) {
	rules := b.rules(b.Namespace(netns), at)
	words := []string{"nft", "add", "rule", at.family, at.table, at.chain, r.Text}
	if at.index < len(*rules) {
		words = []string{"nft", "insert", "rule", at.family, at.table, at.chain, "handle",
			fmt.Sprint((*rules)[at.index].Handle), r.Text}
	}
	b.do(netns, operation.Run{Argv: words}, "filters")
	*rules = slices.Insert(*rules, min(at.index, len(*rules)), r)
}
