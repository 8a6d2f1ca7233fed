package busybox

import (
	"slices"
	"strings"

	"netnscheck/harness/scenario/operation"
)

// form is a form of command that busybox lacks, or takes and does otherwise than iproute2. The harness carries it out.
type form struct {
	words string // as a scenario has them
	why   string
	is    func(operation.Operation) bool
}

// on makes the condition of a form out of one about one type of operation.
func on[T operation.Operation](is func(T) bool) func(operation.Operation) bool {
	return func(op operation.Operation) bool {
		o, ok := op.(T)
		return ok && is(o)
	}
}

func always[T operation.Operation](op operation.Operation) bool {
	_, ok := op.(T)
	return ok
}

// forms are all that is known; what is none of them, busybox says.
var forms = []form{
	{"netns add", "it has no netns", always[operation.NetnsAdd]},
	{"netns del", "it has no netns", always[operation.NetnsDelete]},
	{"netns set", "it has no netns", always[operation.NetnsSet]},

	{"link add … type veth peer …", "it drops the name of the peer and says nothing",
		on(func(op operation.LinkAdd) bool { return op.Peer != nil })},
	{"link add … mtu, address, …", "it takes the value for the name of the link and says nothing",
		on(func(op operation.LinkAdd) bool {
			own := op.LinkAttributes
			own.Name = ""
			return !equal(own, operation.LinkAttributes{}) || op.Master != ""
		})},
	{"link add … type KIND with options", "it drops the options and says nothing; of vlan it knows the id",
		on(hasKindOptions)},
	{"link set with several changes", "it makes one request for each, so that a refusal leaves a part done",
		on(func(op operation.LinkSet) bool { return changesOf(op) != 1 })},
	{"link set … alias, allmulticast, carrier, …", "it lacks them", on(lacksChange)},
	{"link set group", "it lacks it", on(func(op operation.LinkSet) bool { return op.Group != "" })},
	{"link property", "it lacks it", always[operation.LinkProperty]},
	{"addr … metric, valid_lft, nodad, …", "it lacks them", on(hasAddressExtras)},
	{"route … tos, from, window, pref, nexthop, via FAMILY", "it lacks them", on(hasRouteExtras)},
	{"route flush … proto, type, metric, src, …", "it takes proto and looks away from it, and lacks the others", on(hasFlushExtras)},
	{"rule … not, fwmark MARK/MASK, oif, …", "it lacks them", on(hasRuleExtras)},
	{"rule flush", "it lacks it", always[operation.RuleFlush]},
	{"neigh add, del, …", "it lacks them", always[operation.NeighbourChange]},
	{"ping -M", "it lacks it", on(func(op operation.Ping) bool { return op.PMTU != "" || op.Numeric })},
	{"show with other words", "it lacks them", on(func(op operation.Show) bool { return !shows(op) })},
}

// lacking says why busybox cannot carry a command out, "" if it can.
func lacking(c operation.Command) string {
	for _, f := range forms {
		if f.is(c.Op) {
			return f.words + ": " + f.why
		}
	}
	return ""
}

func hasKindOptions(op operation.LinkAdd) bool {
	plain := func(options any, none ...any) bool {
		return slices.ContainsFunc(none, func(n any) bool { return equal(options, n) })
	}
	switch {
	case op.Bridge != nil:
		return !plain(*op.Bridge, operation.BridgeOptions{})
	case op.VLAN != nil:
		return op.VLAN.Protocol != "802.1Q"
	case op.VXLAN != nil:
		return !plain(*op.VXLAN, operation.VXLANOptions{ID: -1})
	case op.Macvlan != nil:
		return op.Macvlan.Mode != ""
	case op.IPvlan != nil:
		return *op.IPvlan != operation.IPvlanOptions{}
	}
	return false
}

// changesOf counts the changes that a command makes to a link.
func changesOf(op operation.LinkSet) int {
	op.Name, op.Group = "", ""
	return countSet(op)
}

func lacksChange(op operation.LinkSet) bool {
	return op.Broadcast != nil || op.Alias != nil || op.NewGroup != nil || op.AllMulti != nil || op.Carrier != nil ||
		op.Protodown != nil || op.Mode != nil || op.AddrGenMode != nil || op.Kind != ""
}

func hasAddressExtras(op operation.AddressChange) bool {
	return op.Metric != nil || op.ValidLft != nil || op.PreferredLft != nil || op.NoDAD || op.HomeAddress || op.MngTmpAddr ||
		op.NoPrefixRoute || op.Optimistic || op.AutoJoin
}

func hasRouteExtras(op operation.RouteChange) bool {
	r := op.Route
	return r.TOS != nil || r.From.IsValid() || r.Window != nil || r.Pref != "" || len(r.Nexthops) > 0 ||
		r.Via.IsValid() && r.To.IsValid() && r.Via.Is4() != r.To.Addr().Is4()
}

func hasFlushExtras(op operation.RouteFlush) bool {
	r := op.Filter
	return r.Type != "" || r.TOS != nil || r.Metric != nil || r.Proto != "" || r.Src.IsValid()
}

func hasRuleExtras(op operation.RuleChange) bool {
	r := op.Rule
	return r.Not || r.Mask != nil || r.OIf != "" || r.IPProto != "" || r.SPort != "" || r.DPort != "" || r.UIDRange != "" ||
		r.Goto != nil || r.L3MDev || r.Protocol != ""
}

// showWords are the words that busybox knows behind `show` of an object, with a value each; a word alone is a device.
var showWords = map[string]string{
	"link": "dev up", "address": "to scope up label dev", "route": "dev oif iif via table from to root match exact scope",
	"rule": "", "neighbour": "to dev nud",
}

func shows(op operation.Show) bool {
	words, known := showWords[op.Object]
	if !known || op.Verb != "show" {
		return false
	}
	for _, option := range op.Options {
		if !slices.Contains([]string{"-4", "-6", "-oneline"}, option) {
			return false
		}
	}
	left := slices.Clone(op.Args)
	for len(left) > 0 {
		word := left[0]
		left = left[1:]
		switch {
		case word == "up":
		case slices.Contains(strings.Fields(words), word) && len(left) > 0:
			left = left[1:]
		case len(left) == 0 && len(op.Args) == 1 && op.Object != "rule":
		default:
			return false
		}
	}
	return true
}
