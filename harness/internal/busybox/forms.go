package busybox

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// triedWith is the version of busybox in which the forms were found; another version may differ.
const triedWith = "1.35"

// form is a form of command that busybox lacks, or does otherwise than iproute2.
type form struct {
	words string // as written in a scenario
	why   string // busybox does not do it
	is    func(operation.Operation) bool
}

// forms are all known ones, found by trying; busybox runs everything else.
// TestLeavesTheStateThatIPRoute2LeavesLineByLine tries them again.
var forms = []form{
	{"netns add, del, set", "it has no netns",
		anyOf(operation.NetnsAdd{}, operation.NetnsDelete{}, operation.NetnsSet{}, operation.NetnsDeleteAll{},
			operation.NetnsExecAll{})},
	{"nexthop, maddr, token, tuntap", "it lacks them", anyOf(operation.NexthopChange{}, operation.NexthopFlush{},
		operation.MulticastChange{}, operation.TokenSet{}, operation.TunChange{})},
	{"-batch", "it lacks it", anyOf(operation.Batch{})},
	{"a name of more than 15 characters", "it truncates it, or does not find the alternative name", hasLongName},

	{"link add … type veth peer …", "it silently drops the peer's name",
		of(func(op operation.LinkAdd) bool { return op.Peer != nil })},
	{"link add … master, mtu, netns, up, …", "it silently takes them for the link's name", of(hasAttributes)},
	{"link add … type KIND with options",
		"it silently drops all but the id of a vlan and the table of a vrf", of(hasOptions)},
	{"link set with several changes", "it sends a request for each, so a refusal leaves some of them done",
		of(func(op operation.LinkSet) bool { return changes(op) > 1 })},
	{"link set … txqueuelen", "it uses an ioctl that only the host's root may use",
		of(func(op operation.LinkSet) bool { return op.TxQLen != nil })},
	{"link set … alias, allmulticast, carrier, type, …", "it lacks them", of(lacksChange)},
	{"link set group …", "it lacks it", of(func(op operation.LinkSet) bool { return op.Group != "" })},
	{"link property", "it lacks it", anyOf(operation.LinkProperty{})},

	{"addr … metric, nodad, home, mngtmpaddr, optimistic, autojoin", "it lacks them", of(lacksAddressWord)},
	{"addr … label", "it refuses one that does not begin with the link's name",
		of(func(op operation.AddressChange) bool { return !strings.HasPrefix(op.Label, op.Dev) && op.Label != "" })},
	{"addr del IPV4/LENGTH", "it ignores the prefix length", of(deletesByLength)},
	{"addr flush", "it stops at a secondary address that the kernel deleted with its primary one",
		of(func(op operation.AddressFlush) bool { return op.Family != operation.FamilyV6 })},

	{"route … tos, from, window, pref, nexthop, nhid, encap, vrf, expires, via FAMILY, metrics", "it lacks them",
		of(lacksRouteWord)},
	{"route … local, broadcast, anycast, nat", "it adds them to the table main",
		of(func(op operation.RouteChange) bool {
			return op.Route.Table == "" && slices.Contains(localTypes, op.Route.Type)
		})},
	{"route … proto of a routing daemon", "it knows only those named in /etc/iproute2",
		of(func(op operation.RouteChange) bool { return lacksProtocol(op.Route.Proto) })},
	{"route, rule … table over 1023", "it refuses them", hasHighTable},
	{"route flush", "it does not refuse a table that does not exist, flushes all routes for default and via, and " +
		"lacks proto, type, tos, metric, src",
		of(func(op operation.RouteFlush) bool { return !op.Cache })},

	{"rule … not, oif, ipproto, sport, dport, uidrange, goto, l3mdev, protocol", "it lacks them", of(lacksRuleWord)},
	{"rule add … blackhole, unreachable, prohibit", "it adds lookup main to the rule",
		of(func(op operation.RuleChange) bool { return op.Verb == operation.Add && op.Rule.Type != "" })},
	{"rule flush", "it lacks it", anyOf(operation.RuleFlush{})},
	{"neigh add, change, replace, del", "it has only show and flush", anyOf(operation.NeighbourChange{})},

	{"ping -M, -f, -b, -r, -L, -l, -Q, -m, two -I", "it lacks them", of(lacksPingOption)},
	{"ping -p", "it accepts only one byte", of(func(op operation.Ping) bool { return len(op.Pattern) > 2 })},
	{"ping -W with a fraction", "it accepts only whole seconds",
		of(func(op operation.Ping) bool { return op.Timeout != float64(int(op.Timeout)) })},
	{"ping -w without -W", "it still waits ten seconds for a reply",
		of(func(op operation.Ping) bool { return op.Deadline > 0 && op.Timeout == 0 })},
	{"show with other words than its own", "it lacks them, or ignores them", of(func(op operation.Show) bool {
		return !shows(op)
	})},
}

// formOf is the form for which the harness runs the operation; ok is false if busybox runs it.
func formOf(op operation.Operation) (f form, ok bool) {
	i := slices.IndexFunc(forms, func(f form) bool { return f.is(op) })
	if i < 0 {
		return form{}, false
	}
	return forms[i], true
}

// of turns a condition on one type of operation into one on any operation.
func of[T operation.Operation](is func(T) bool) func(operation.Operation) bool {
	return func(op operation.Operation) bool {
		o, ok := op.(T)
		return ok && is(o)
	}
}

// anyOf is true for an operation of one of these types.
func anyOf(examples ...operation.Operation) func(operation.Operation) bool {
	return func(op operation.Operation) bool {
		return slices.ContainsFunc(examples, func(e operation.Operation) bool {
			return reflect.TypeOf(e) == reflect.TypeOf(op)
		})
	}
}

func hasLongName(op operation.Operation) bool {
	return slices.ContainsFunc(operation.Links(op), tooLong)
}

// tooLong reports whether a word is too long for the name of a link: it is an alternative name or a mistake.
func tooLong(name string) bool { return len(name) > 15 }

func hasAttributes(op operation.LinkAdd) bool {
	op.Name, op.Address = "", nil
	return op.Master != "" || op.LinkNetnsID != nil || op.LinkNetns != "" ||
		!reflect.ValueOf(op.LinkAttributes).IsZero()
}

func hasOptions(op operation.LinkAdd) bool {
	switch {
	case op.Bridge != nil:
		return *op.Bridge != operation.BridgeOptions{}
	case op.VXLAN != nil:
		return *op.VXLAN != operation.VXLANOptions{ID: -1}
	case op.VLAN != nil:
		return op.VLAN.Protocol != "802.1Q" // busybox takes the word protocol for another option
	case op.Macvlan != nil:
		return *op.Macvlan != operation.MacvlanOptions{}
	case op.IPvlan != nil:
		return *op.IPvlan != operation.IPvlanOptions{}
	}
	return false
}

// changes counts the changes that a command makes to a link.
func changes(op operation.LinkSet) (n int) {
	op.Name, op.Group = "", ""
	for _, field := range reflect.ValueOf(op).Fields() {
		if !field.IsZero() {
			n++
		}
	}
	return n
}

func lacksChange(op operation.LinkSet) bool {
	return op.Broadcast != nil || op.Alias != nil || op.NewGroup != nil || op.AllMulti != nil || op.Carrier != nil ||
		op.Segmentation != (operation.Segmentation{}) || op.Protodown != nil || op.Mode != nil ||
		op.AddrGenMode != nil || op.Kind != ""
}

func lacksAddressWord(op operation.AddressChange) bool {
	return op.Metric != nil || op.NoDAD || op.HomeAddress || op.MngTmpAddr || op.Optimistic || op.AutoJoin
}

func deletesByLength(op operation.AddressChange) bool {
	return op.Verb == operation.Delete && op.Prefix.Addr().Is4() && !op.AnyLength && !op.Peer.IsValid()
}

func lacksRouteWord(op operation.RouteChange) bool {
	r := op.Route
	foreign := r.Via.IsValid() && (r.Via.Is4() && r.Family == operation.FamilyV6 || r.Via.Is6() &&
		r.Family == operation.FamilyV4)
	return r.TOS != nil || r.From.IsValid() || r.Window != nil || r.Pref != "" || len(r.Nexthops) > 0 || foreign ||
		r.NexthopID != nil || r.Encap != nil || r.VRF != "" || r.Expires != nil || len(r.Metrics) > 0
}

func lacksPingOption(op operation.Ping) bool {
	return op.PMTU != "" || op.Flood || op.Broadcast || op.Direct || op.NoLoop || op.Preload > 0 || op.TOS != 0 ||
		op.Mark != 0 || op.SecondSource != ""
}

// localTypes are the types of routes that belong in the table local.
var localTypes = []string{"local", "broadcast", "anycast", "nat"}

// lacksProtocol reports whether only iproute2's files define a protocol's name; busybox knows the others itself.
func lacksProtocol(proto string) bool {
	_, notNumber := strconv.Atoi(proto)
	return proto != "" && notNumber != nil &&
		!slices.Contains([]string{"redirect", "kernel", "boot", "static", "gated", "ra", "mrt", "zebra", "bird"}, proto)
}

func hasHighTable(op operation.Operation) bool {
	switch op := op.(type) {
	case operation.RouteChange:
		return highTable(op.Route.Table)
	case operation.RuleChange:
		return highTable(op.Rule.Table)
	}
	return false
}

func highTable(table string) bool {
	n, err := strconv.ParseUint(table, 10, 32)
	return err == nil && n > 1023
}

func lacksRuleWord(op operation.RuleChange) bool {
	r := op.Rule
	return r.Not || r.OIf != "" || r.IPProto != "" || r.SPort != "" || r.DPort != "" || r.UIDRange != "" ||
		r.Goto != nil ||
		r.L3MDev || r.Protocol != ""
}

// Instead returns the form of a command that the harness runs in place of busybox, and why. Both are "" if busybox runs
// it.
func (*Driver) Instead(cmd scenario.Command) (words, why string) {
	if _, words := operation.Enter(cmd.Argv); len(words) == 0 || !isOurs(words[0]) {
		return "", ""
	}
	c, err := operation.Parse(cmd.Argv)
	if err != nil {
		return "", ""
	}
	f, _ := formOf(c.Op)
	return f.words, f.why
}

// TriedWith is the version of busybox that Instead describes.
func (*Driver) TriedWith() string { return triedWith }
