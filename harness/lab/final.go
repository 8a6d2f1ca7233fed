package lab

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// How long a check has to be false in a lab that rests until it counts as false for good. Packets between namespaces
// take microseconds; a probe that expects an answer is repeated several times.
const (
	falseByState = 50 * time.Millisecond
	falseByProbe = 500 * time.Millisecond
)

// final reports whether a check that is false cannot become true any more: it was false for long enough while the lab
// rested. In doubt it can.
func (k *look) final(ctx context.Context, a *awaiting) bool {
	needs := a.check.Claim.Needs()
	enough, ok := k.lab.falseForGood(needs)
	if !ok || a.result.Outcome != scenario.Fail {
		return false
	}
	s, err := k.snapshot(ctx)
	switch {
	case err != nil || !rests(s, a.limit):
		a.falseSince, a.last = time.Time{}, false
		return false
	case a.falseSince.IsZero():
		a.falseSince = time.Now()
	}
	if time.Since(a.falseSince) < enough {
		return false
	}
	switch {
	case needs.Class == claim.ByWhole && len(s.Pending()) > 0:
		return false
	case needs.Class == claim.ByState, a.last:
		return true
	}
	// The snapshot is younger than the verdict: what held a packet up may be over since then. So it is sent once more.
	// A router that has asked for a neighbour before it was there asks again within a second; asked now, it need not.
	a.last = true
	k.askAgain(claim.Unanswered(a.check.Claim, s))
	return false
}

// falseForGood is how long a claim with these needs has to be false; not ok if it may become true at any time.
func (l *Lab) falseForGood(needs claim.Needs) (enough time.Duration, ok bool) {
	ok = !l.busy.Load()
	switch needs.Class {
	case claim.ByState:
		return paced(falseByState), ok
	case claim.ByWhole:
		return paced(falseByState), ok && !l.filters.Load()
	case claim.BySilence, claim.ByAnswer:
		return paced(falseByProbe), ok && !l.filters.Load()
	}
	switch needs.Question.(type) {
	case claim.Lookup, claim.Sysctl, claim.Offload:
		return paced(falseByState), ok
	}
	return 0, false
}

// rests reports whether nothing in a state changes by itself within the limit, except neighbours that are incomplete.
func rests(s *state.State, limit time.Duration) bool {
	if outdated(s) {
		return false
	}
	if slices.ContainsFunc(s.Pending(), func(p state.Pending) bool { return p.Kind != state.PendingNeighbour }) {
		return false
	}
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			if !slices.Contains(withoutTimers, l.Kind) ||
				l.Bridge != nil && (l.Bridge.STP != 0 || forgets(&n, &l, limit)) {
				return false
			}
			for _, a := range l.Addresses {
				if a.ValidLft != state.Forever || a.PreferredLft != state.Forever {
					return false
				}
			}
		}
	}
	return true
}

// forgets reports whether a bridge may drop a learned entry within the limit, after which it floods the frames.
func forgets(n *state.Namespace, bridge *state.Link, limit time.Duration) bool {
	ageing := time.Duration(bridge.Bridge.AgeingTime) * 10 * time.Millisecond // USER_HZ is 100
	return ageing <= limit && slices.ContainsFunc(n.FDB, func(e state.FDBEntry) bool {
		return e.Learned && e.Master == bridge.Name
	})
}

// outdated reports whether a neighbour is known by another MAC address than its owner has. The kernel finds that out
// when nobody answers there, several seconds after it has used the entry (RFC 4861 section 7.3.3), and asks afresh.
func outdated(s *state.State) bool {
	owners := map[netip.Addr][]string{}
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			for _, a := range l.Addresses {
				owners[a.Prefix.Addr()] = append(owners[a.Prefix.Addr()], strings.ToLower(l.MAC))
			}
		}
	}
	for _, n := range s.Namespaces {
		for _, e := range n.Neighbours {
			known, fixed := owners[e.Addr.WithZone("")], e.State == "permanent" || e.State == "noarp"
			if len(known) > 0 && !fixed && e.MAC != "" && !slices.Contains(known, strings.ToLower(e.MAC)) {
				return true
			}
		}
	}
	return false
}

// withoutTimers are the kinds of links whose state follows from commands, packets and the links below them alone.
var withoutTimers = []string{"", "loopback", "veth", "bridge", "dummy", "ifb", "vlan", "macvlan", "ipvlan", "vxlan",
	"vrf", "gre", "gretap", "erspan", "ipip", "sit", "vti", "ip6tnl", "ip6gre", "ip6gretap", "ip6erspan", "vti6"}

// note records what a command, before it runs, may leave behind that changes the lab later on.
func (l *Lab) note(d Driver, c operation.Command, unknown error) {
	switch d.(type) {
	case driver, substitutingDriver:
	default:
		l.busy.Store(true)
	}
	if unknown != nil || !complete(c.Op) {
		l.busy.Store(true)
	}
	switch op := c.Op.(type) {
	case operation.Run:
		if !complete(op) {
			l.strangers.Store(true)
		}
	case operation.RouteChange:
		if op.Route.Expires != nil { // no state tells when it goes
			l.strangers.Store(true)
		}
	}
	if run, ok := c.Op.(operation.Run); ok && slices.Contains([]string{"nft", "tc"}, filepath.Base(run.Argv[0])) {
		l.filters.Store(true)
	}
}

// complete reports whether everything that an operation does is done when it has ended. The kernel takes a deleted
// namespace down later, and a program may leave another one running.
func complete(op operation.Operation) bool {
	switch op := op.(type) {
	case operation.NetnsAdd, operation.NetnsSet, operation.LinkAdd, operation.LinkSet, operation.LinkDelete,
		operation.LinkProperty, operation.AddressChange, operation.AddressFlush, operation.RouteChange,
		operation.RouteFlush, operation.RuleChange, operation.RuleFlush, operation.NeighbourChange,
		operation.NeighbourFlush, operation.SysctlSet, operation.SysctlShow, operation.Show, operation.Ping,
		operation.NexthopChange, operation.NexthopFlush, operation.MulticastChange:
		return true
	case operation.Run:
		return slices.Contains(endTogether, filepath.Base(op.Argv[0]))
	}
	return false
}

// endTogether are programs that leave nothing running.
var endTogether = []string{"nft", "tc", "bridge", "ss", "true", "false", "echo", "printf", "cat", "ls", "grep", "head",
	"tail", "wc", "sort", "test", "touch", "mkdir", "rm", "sleep"}
