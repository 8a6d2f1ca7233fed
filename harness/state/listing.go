package state

import (
	"fmt"
	"strings"
)

// Listing is a state in the words of ip and bridge: of each namespace its interfaces with their addresses, then its
// routes, rules, neighbours and so on, each under a line with the command that shows such lines.
func Listing(s *State) string {
	var b strings.Builder
	for i := range s.Namespaces {
		if i > 0 {
			b.WriteByte('\n')
		}
		s.Namespaces[i].list(&b)
	}
	return b.String()
}

func (n *Namespace) list(b *strings.Builder) {
	names := strings.Join(append([]string{n.Name}, n.OtherNames...), ", ")
	fmt.Fprintf(b, "namespace %s\n", names)
	listed(b, "ip address", n.Links, linkLines)
	listed(b, "ip route show table all", n.Routes, oneLine(RouteText))
	listed(b, "ip route show cache", n.PathMTUs, oneLine(RouteText))
	listed(b, "ip nexthop", n.NexthopObjects, oneLine(NexthopObjectText))
	listed(b, "ip rule", n.Rules, oneLine(RuleText))
	listed(b, "ip neighbour", n.Neighbours, oneLine(NeighbourText))
	listed(b, "bridge fdb", n.FDB, oneLine(FDBText))
	listed(b, "tc qdisc", n.Qdiscs, oneLine(QdiscText))
	for _, what := range n.Unread {
		fmt.Fprintf(b, "  not read: %s\n", what)
	}
}

// listed lists things of a kind, if there are any.
func listed[T any](b *strings.Builder, command string, all []T, lines func(T) []string) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "  %s:\n", command)
	for _, one := range all {
		for _, line := range lines(one) {
			fmt.Fprintf(b, "    %s\n", line)
		}
	}
}

func oneLine[T any](text func(T) string) func(T) []string {
	return func(one T) []string { return []string{text(one)} }
}

// linkLines are an interface, its link-layer address and its addresses, as `ip address` has them.
func linkLines(l Link) []string {
	lines := []string{LinkText(l)}
	if l.MAC != "" {
		lines = append(lines, "    "+words(l.linkLayer(), l.MAC, option("brd", l.Broadcast)))
	}
	for _, a := range l.Addresses {
		lines = append(lines, "    "+AddressText(a))
	}
	return lines
}

// linkLayer is the word of ip for the kind of link-layer address.
func (l *Link) linkLayer() string {
	switch {
	case l.Kind == "loopback":
		return "link/loopback"
	case !strings.Contains(l.MAC, ":"): // that of a tunnel is an IPv4 address
		return "link/" + l.Kind
	}
	return "link/ether"
}
