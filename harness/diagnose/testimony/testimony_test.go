package testimony_test

import (
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/testimony"
)

var (
	filtered   = testimony.Drop{Reason: "NETFILTER_DROP", Place: "nft_do_chain", Netns: "r", Link: "e0", Times: 1}
	failed     = testimony.Drop{Reason: "NEIGH_FAILED", Place: "neigh_invalidate", Netns: "a", Times: 3}
	failedIPv6 = testimony.Drop{Reason: "NOT_SPECIFIED", Place: "neigh_invalidate", Netns: "a", Times: 3}
	consumed   = testimony.Drop{Reason: "NOT_SPECIFIED", Place: "ip6_mc_input", Netns: "r", Times: 2}
	flooded    = testimony.Drop{Reason: "OTHERHOST", Place: "ip_rcv_core", Netns: "b", Times: 1}
)

// request is a drop of a request for a neighbour.
func request(d testimony.Drop) testimony.Drop { d.Neighbour = true; return d }

// inError is a drop of an ICMP error.
func inError(d testimony.Drop) testimony.Drop { d.Error = true; return d }

// nowhere is a drop whose place the kernel does not tell.
func nowhere(d testimony.Drop) testimony.Drop { d.Place = ""; return d }

func heard(drops ...testimony.Drop) testimony.Heard { return testimony.Heard{Drops: drops} }

func TestOf(t *testing.T) {
	none := diagnose.Report{}
	doubtful := diagnose.Report{Doubts: []string{"something is not understood"}}
	of := func(name causes.Cause, netns string) diagnose.Report {
		return diagnose.Report{Cause: &diagnose.Cause{Name: name, Netns: netns}}
	}
	reply := of(causes.NoRoute, "b")
	reply.Cause.Reply = true
	part := of(causes.NoRoute, "r")
	part.Cause.Part = true
	for name, c := range map[string]struct {
		report diagnose.Report
		heard  testimony.Heard
		want   testimony.Verdict
		says   string
	}{
		"the drop of the cause": {of(causes.FilterForward, "r"), heard(filtered), testimony.Agrees,
			"NETFILTER_DROP in nft_do_chain, in r"},
		"the kernel hides its addresses": {of(causes.FilterForward, "r"), heard(nowhere(filtered)), testimony.Agrees,
			"NETFILTER_DROP, in r"},
		"a reason that says nothing, and no place": {of(causes.AddressNowhere, "a"), heard(nowhere(failedIPv6)),
			testimony.Silent, "the kernel dropped nothing, where it usually would"},
		"a drop elsewhere": {of(causes.FilterForward, "b"), heard(filtered), testimony.Contradicts,
			"NETFILTER_DROP in nft_do_chain, in r"},
		"another drop": {of(causes.ForwardingOff, "r"), heard(filtered), testimony.Contradicts,
			"NETFILTER_DROP in nft_do_chain, in r"},
		"a request for a neighbour": {of(causes.FilterARP, "r"), heard(failed, request(filtered)), testimony.Agrees,
			"NETFILTER_DROP in nft_do_chain, in r, of a request for a neighbour"},
		"what follows": {of(causes.FilterARP, "r"), heard(failed), testimony.Agrees,
			"NEIGH_FAILED in neigh_invalidate, in a"},
		"the place tells": {of(causes.AddressNowhere, "a"), heard(failedIPv6), testimony.Agrees,
			"NOT_SPECIFIED in neigh_invalidate, in a"},
		"a request of somebody else": {of(causes.ForwardingOff, "r"), heard(request(filtered)), testimony.Silent,
			"the kernel dropped nothing, where it usually would"},
		"an error on its way back": {of(causes.MTUBlackHole, "r"), heard(inError(filtered)), testimony.Silent,
			"the kernel dropped nothing, where it usually would"},
		"what is used up is no drop": {of(causes.ForwardingOff, "r"), heard(consumed, flooded), testimony.Silent,
			"the kernel dropped nothing, where it usually would"},
		"a silent cause": {of(causes.EchoIgnored, "b"), heard(), testimony.Silent,
			"the kernel dropped nothing, as is usual of echo-ignored"},
		"a reply is not made": {reply, heard(), testimony.Silent,
			"the kernel dropped nothing, as is usual of no-route"},
		"an errno": {of(causes.NoRoute, "a"), testimony.Heard{Errno: "ENETUNREACH"}, testimony.Agrees,
			"the kernel answers ENETUNREACH, without a drop"},
		"another errno": {of(causes.NoRoute, "a"), testimony.Heard{Errno: "EACCES"}, testimony.Contradicts,
			"the kernel answers EACCES, without a drop"},
		"nothing sent": {of(causes.PeerDown, "b"), testimony.Heard{Unsent: true}, testimony.Agrees,
			"nothing was sent: the outgoing link has no carrier"},
		"nothing sent for another cause": {of(causes.NoRoute, "b"), testimony.Heard{Unsent: true},
			testimony.Contradicts, "nothing was sent: the outgoing link has no carrier"},
		"only a part of the flows": {part, heard(filtered), testimony.Open, "NETFILTER_DROP in nft_do_chain, in r"},
		"no cause": {none, testimony.Heard{Answered: true}, testimony.Silent,
			"the kernel dropped nothing"},
		"no cause, and a drop": {none, heard(consumed, filtered), testimony.Contradicts,
			"NETFILTER_DROP in nft_do_chain, in r"},
		"no cause, and a copy that is dropped": {none,
			testimony.Heard{Answered: true, Drops: []testimony.Drop{filtered}}, testimony.Open,
			"NETFILTER_DROP in nft_do_chain, in r"},
		"in doubt": {doubtful, heard(filtered), testimony.Open, "NETFILTER_DROP in nft_do_chain, in r"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testimony.Of(&c.report, c.heard); got.Verdict != c.want || got.Says != c.says {
				t.Errorf("%s: %s\nwant %s: %s", got.Verdict, got.Says, c.want, c.says)
			}
		})
	}
}

// TestSuffices: no more is awaited once a drop fits, or stops a packet that nothing should stop.
func TestSuffices(t *testing.T) {
	cause := diagnose.Report{Cause: &diagnose.Cause{Name: causes.FilterARP, Netns: "r"}}
	var none diagnose.Report
	for _, c := range []struct {
		report diagnose.Report
		heard  []testimony.Drop
		want   bool
	}{
		{cause, nil, false}, {cause, []testimony.Drop{consumed}, false}, {cause, []testimony.Drop{failed}, true},
		{none, nil, false}, {none, []testimony.Drop{consumed, flooded}, false}, {none, []testimony.Drop{failed}, true},
	} {
		if got := testimony.Suffices(&c.report, c.heard); got != c.want {
			t.Errorf("%v: %v", c.heard, got)
		}
	}
}
