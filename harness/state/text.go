package state

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// words joins the parts that are not empty with blanks.
func words(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// option is `word value`, or nothing for the zero value.
func option[T comparable](word string, value T) string {
	var zero T
	if value == zero {
		return ""
	}
	return fmt.Sprint(word, " ", value)
}

// when is the word if the condition holds.
func when(condition bool, word string) string {
	if condition {
		return word
	}
	return ""
}

// PrefixText is a destination as iproute2 prints it: default, a bare address for a single one, else a prefix.
func PrefixText(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return ""
	case p.Bits() == 0 && p.Addr().IsUnspecified():
		return "default"
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

// RouteText is a route in one line in the style of `ip route show table all`.
func RouteText(r Route) string {
	var hop Nexthop
	if len(r.Nexthops) == 1 {
		hop = r.Nexthops[0]
	}
	scope := r.Scope
	if scope == "global" || r.Family == 6 {
		scope = ""
	}
	text := words(
		when(r.Type != "unicast", r.Type),
		PrefixText(r.To),
		option("from", PrefixText(r.From)),
		when(r.TOS != 0, fmt.Sprintf("tos 0x%02x", r.TOS)),
		option("nhid", r.NexthopID),
		option("encap", hop.Encap), viaText(r.Family, hop.Via), option("dev", hop.Dev),
		when(r.Table != TableMain, "table "+TableName(r.Table)),
		when(r.Proto != "boot", option("proto", r.Proto)),
		option("scope", scope),
		when(r.Src.IsValid(), "src "+r.Src.String()),
		when(r.Metric != 0 || r.Family == 6, fmt.Sprint("metric ", r.Metric)), // IPv6 always has one
		strings.Join(hop.Flags, " "),
		option(words("mtu", when(r.MTULock, "lock")), r.MTU),
		when(!r.locked("window"), option("window", r.Window)),
		when(!r.locked("advmss"), option("advmss", r.AdvMSS)),
		strings.Join(r.Metrics, " "),
		option("pref", r.Pref),
	)
	if len(r.Nexthops) > 1 {
		for _, n := range r.Nexthops {
			text = words(text, "nexthop", option("encap", n.Encap), viaText(r.Family, n.Via), option("dev", n.Dev),
				option("weight", n.Weight),
				strings.Join(n.Flags, " "))
		}
	}
	return text
}

// locked reports whether a metric is among the Metrics because it is locked.
func (r Route) locked(metric string) bool {
	return slices.ContainsFunc(r.Metrics, func(m string) bool { return strings.HasPrefix(m, metric+" lock ") })
}

// viaText is a gateway; an IPv6 gateway of an IPv4 route is marked as such.
func viaText(family int, via netip.Addr) string {
	switch {
	case !via.IsValid():
		return ""
	case family == 4 && via.Is6():
		return "via inet6 " + via.String()
	}
	return "via " + via.String()
}

// NexthopObjectText is a nexthop object in one line in the style of `ip nexthop show`.
func NexthopObjectText(o NexthopObject) string {
	var members []string
	for _, m := range o.Group {
		member := fmt.Sprint(m.ID)
		if m.Weight != 1 {
			member += fmt.Sprint(",", m.Weight)
		}
		members = append(members, member)
	}
	resilient := ""
	if r := o.Resilient; r != nil {
		resilient = fmt.Sprintf("type resilient buckets %d idle_timer %d unbalanced_timer %d", r.Buckets, r.IdleTimer,
			r.UnbalancedTimer)
	}
	return words(
		option("id", o.ID),
		option("group", strings.Join(members, "/")), resilient,
		option("encap", o.Encap), viaText(o.Family, o.Via), option("dev", o.Dev),
		when(o.Scope != "global", option("scope", o.Scope)),
		when(o.Blackhole, "blackhole"),
		strings.Join(o.Flags, " "),
		when(o.Proto != "unspec", option("proto", o.Proto)),
		when(o.FDB, "fdb"),
	)
}

// RuleText is a policy rule in one line in the style of `ip rule show`.
func RuleText(r Rule) string {
	from := "from all"
	if r.From.IsValid() {
		from = "from " + selectorText(r.From)
	}
	mark := ""
	if r.Mark != 0 || r.Mask != 0 {
		mark = fmt.Sprintf("fwmark 0x%x", r.Mark)
		if r.Mask != ^uint32(0) {
			mark += fmt.Sprintf("/0x%x", r.Mask)
		}
	}
	suppress := ""
	if r.SuppressPrefixLength != nil {
		suppress = fmt.Sprint("suppress_prefixlength ", *r.SuppressPrefixLength)
	}
	if r.SuppressIfGroup != nil {
		suppress = words(suppress, fmt.Sprint("suppress_ifgroup ", *r.SuppressIfGroup))
	}
	action := r.Action
	switch {
	case r.L3MDev:
		action = "lookup [l3mdev-table]"
	case r.Action == "lookup":
		action = "lookup " + TableName(r.Table)
	case r.Action == "goto":
		action = fmt.Sprint("goto ", r.Goto)
	}
	return words(
		fmt.Sprintf("%d:", r.Priority),
		when(r.Not, "not"),
		from,
		when(r.To.IsValid(), "to "+selectorText(r.To)),
		when(r.TOS != 0, fmt.Sprintf("tos 0x%02x", r.TOS)),
		mark,
		option("iif", r.IIf), option("oif", r.OIf),
		option("uidrange", r.UIDRange), option("ipproto", r.IPProto), option("sport", r.SPort),
		option("dport", r.DPort),
		action, suppress,
		when(r.Protocol != "kernel" && r.Protocol != "boot" && r.Protocol != "unspec", option("proto", r.Protocol)),
	)
}

// selectorText is the prefix of a rule; a single address is printed without its length.
func selectorText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// LinkText is an interface in one line in the style of `ip link show`, without its link-layer line. The name after @ is
// that of the peer or lower interface, even if that is in another namespace.
func LinkText(l Link) string {
	name := l.Name
	if l.Peer != nil {
		if l.Peer.Name != "" {
			name += "@" + l.Peer.Name
		} else {
			name += fmt.Sprint("@if", l.Peer.Index)
		}
	}
	var flags []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"NO-CARRIER", l.Up && !l.Carrier}, {"LOOPBACK", l.Kind == "loopback"},
		{"BROADCAST", l.Broadcast != "" && l.Kind != "loopback"}, {"NOARP", l.NoARP}, {"MULTICAST", !l.NoMulticast},
		{"ALLMULTI", l.AllMulti}, {"PROMISC", l.Promisc}, {"UP", l.Up}, {"LOWER_UP", l.Carrier},
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	group := "default"
	if l.Group != 0 {
		group = fmt.Sprint(l.Group)
	}
	return words(
		fmt.Sprintf("%d: %s: <%s>", l.Index, name, strings.Join(flags, ",")),
		fmt.Sprint("mtu ", l.MTU),
		option("qdisc", l.Qdisc), option("master", l.Master),
		option("state", strings.ToUpper(l.OperState)),
		"group "+group,
		option("qlen", l.TxQLen),
	)
}

// AddressText is an address in one line in the style of `ip address show`.
func AddressText(a Address) string {
	family := "inet"
	if a.Prefix.Addr().Is6() {
		family = "inet6"
	}
	local := a.Prefix.String()
	if a.Peer.IsValid() {
		local = a.Prefix.Addr().String() + " peer " + a.Peer.String()
	}
	flags := slices.DeleteFunc(slices.Clone(a.Flags), func(f string) bool { return f == "permanent" })
	if a.ValidLft != Forever {
		flags = append([]string{"dynamic"}, flags...)
	}
	return words(
		family, local,
		when(a.Broadcast.IsValid(), "brd "+a.Broadcast.String()),
		option("scope", a.Scope), strings.Join(flags, " "), a.Label,
	)
}

// Forever is the lifetime of an address that does not expire.
const Forever = ^uint32(0)

// NeighbourText is a neighbour in one line in the style of `ip neighbour show`.
func NeighbourText(n Neighbour) string {
	return words(
		n.Addr.String(), option("dev", n.Dev), option("lladdr", n.MAC),
		when(n.Router, "router"), when(n.Proxy, "proxy"), strings.ToUpper(n.State),
	)
}

// FDBText is a forwarding entry in one line in the style of `bridge fdb show`. A dynamic entry has no word of its own
// there.
func FDBText(e FDBEntry) string {
	kind := "static"
	switch {
	case e.Learned:
		kind = ""
	case e.Permanent:
		kind = "permanent"
	}
	return words(
		e.MAC, option("dev", e.Dev), when(e.Dst.IsValid(), "dst "+e.Dst.String()), option("nhid", e.NexthopID),
		option("vlan", e.VLAN), option("master", e.Master), when(e.ExternLearned, "extern_learn"),
		when(e.Offloaded, "offload"), when(e.Sticky, "sticky"), kind,
	)
}

// VLANsText is a VLAN table in one line, in the style of `bridge -compressvlans vlan show`: VLANs of consecutive ids
// with the same flags are one range. A table of no VLANs is "".
func VLANsText(table []PortVLAN) string {
	table = slices.Clone(table)
	slices.SortFunc(table, func(a, b PortVLAN) int { return a.ID - b.ID })
	var texts []string
	for i := 0; i < len(table); {
		first, last := table[i], table[i]
		for i++; i < len(table) && table[i] == (PortVLAN{last.ID + 1, first.PVID, first.Untagged}); i++ {
			last = table[i]
		}
		ids := fmt.Sprint(first.ID)
		if last.ID != first.ID {
			ids = fmt.Sprintf("%d-%d", first.ID, last.ID)
		}
		texts = append(texts, words(ids, when(first.PVID, "PVID"), when(first.Untagged, "untagged")))
	}
	return strings.Join(texts, ", ")
}

// QdiscText is a queueing discipline in one line in the style of `tc qdisc show`.
func QdiscText(q Qdisc) string {
	parent := q.Parent
	if parent != "root" {
		parent = "parent " + parent
	}
	return words("qdisc", q.Kind, q.Handle, option("dev", q.Dev), parent, q.Options)
}
