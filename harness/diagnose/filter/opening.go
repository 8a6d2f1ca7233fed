package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// If a chain drops a packet, the repair accepts that packet, its reply, and the neighbour requests that they need, but
// nothing else: a rule that drops stays, since it is there for others, too.

// opening is a rule that the repair adds to a chain.
type opening struct {
	chain  *state.FilterChain
	before *state.FilterRule // nil for the end of the chain
	rule   state.FilterRule
}

// open adds openings to the repair of a cause.
func (r *Run) open(c *finding.Cause, openings ...opening) *finding.Cause {
	for _, o := range openings {
		at, handle := r.base.Table.Family+" "+r.base.Table.Name+" "+o.chain.Name, uint64(0)
		command := "nft add rule " + at + " " + o.rule.Text
		if o.before != nil {
			handle = o.before.Handle
			command = fmt.Sprintf("nft insert rule %s handle %d %s", at, handle, o.rule.Text)
		}
		c.Fix(words.In(r.N, "%s", command)).
			Then(finding.AddRule(r.N.Name, r.base.Table, o.chain.Name, handle, o.rule))
	}
	return c
}

// exceptions let the packet, and its reply, pass the rule that drops it.
func (r *Run) exceptions(by *decided) []opening {
	switch {
	case r.seen.ARP && r.base.Table.Family == "arp":
		return []opening{{by.chain, by.rule, accepting("arp operation", "request", "reply")}}
	case r.seen.ARP:
		return []opening{{by.chain, by.rule, acceptsARP()}}
	case r.seen.Discovers():
		return []opening{{by.chain, by.rule, acceptsDiscovery()}}
	}
	rules := []opening{{by.chain, by.rule, r.seen.exception()}}
	if back, verdict, by := r.back(); verdict == "drop" || verdict == "reject" {
		at := opening{r.base.Chain, r.left, back.seen.exception()}
		if by != nil {
			at.chain, at.before = by.chain, by.rule
		}
		rules = append(rules, at)
	}
	if r.dropsDiscovery() {
		rules = append(rules, opening{by.chain, by.rule, acceptsDiscovery()})
	}
	return rules
}

// dropsDiscovery reports whether the chain drops the neighbour requests or answers that the packet's addresses send to
// each other, by which an entry is kept after it was made.
func (r *Run) dropsDiscovery() bool {
	if r.seen.Family() == 4 || !r.frames() && r.base.Chain.Hook == "forward" {
		return false
	}
	for _, message := range []string{"nd-neighbor-solicit", "nd-neighbor-advert"} {
		asks := r.seen
		asks.Proto, asks.ICMP = "ipv6-icmp", message
		if verdict, _ := NewRun(r.N, r.base, asks).through(r.base.Chain, 0); verdict == "drop" || verdict == "reject" {
			return true
		}
	}
	return false
}

// frames reports whether the chain sees what a link or bridge carries, not only what is routed.
func (r *Run) frames() bool {
	return r.base.Table.Family == "bridge" || r.base.Chain.Hook == "ingress" || r.base.Chain.Hook == "egress"
}

// openings let the packet pass a base chain whose policy drops it, and what it needs.
func (r *Run) openings() []opening {
	c := r.base.Chain
	at := func(rule state.FilterRule) opening { return opening{c, r.left, rule} }
	switch {
	case r.seen.ARP && r.base.Table.Family == "arp":
		return []opening{at(state.FilterRule{Text: "accept", Verdict: "accept"})} // the chain sees only ARP
	case r.seen.ARP:
		return []opening{at(acceptsARP())}
	case r.seen.Discovers():
		return []opening{at(acceptsDiscovery())}
	}
	rules := []opening{at(r.seen.opening(r.base.Table))}
	if back, verdict, by := r.back(); verdict == "drop" && by == nil {
		rules = append(rules, opening{c, back.left, back.seen.opening(r.base.Table)})
	}
	switch {
	case r.seen.Family() == 6 && (r.frames() || c.Hook != "forward"):
		rules = append(rules, at(acceptsDiscovery()))
	case r.frames():
		rules = append(rules, at(acceptsARP()))
	}
	return rules
}

// back runs the reply of a request through the same base chain, if that sees both.
func (r *Run) back() (back *Run, verdict string, by *decided) {
	oneWay := []string{"input", "output", "ingress", "egress"}
	if r.seen.Reply || slices.Contains(oneWay, r.base.Chain.Hook) {
		return nil, "", nil
	}
	answer := r.seen.answer()
	answer.Tracking = map[bool]string{true: "established", false: "invalid"}[r.base.tracked()]
	back = &Run{N: r.N, base: r.base, seen: answer}
	verdict, by = back.through(r.base.Chain, 0)
	return back, verdict, by
}

// answer is the reply as the same hook sees it.
func (s Seen) answer() Seen {
	back := s
	back.Packet = s.Back()
	back.Iif, back.Oif = s.Oif, s.Iif
	return back
}

// opening is a rule for the end of a chain that accepts the packet. A reply is accepted by its connection tracking
// state, if the chain comes after connection tracking.
func (s Seen) opening(t *state.FilterTable) state.FilterRule {
	if s.Tracking == "established" && t.Family != "bridge" { // bridges need the module nf_conntrack_bridge for it
		return state.FilterRule{Text: "ct state established,related accept", Verdict: "accept",
			Matches: []state.FilterMatch{{Key: "ct state", Values: []string{"established", "related"}}}}
	}
	return s.exception()
}

// exception is a rule that accepts packets like this one between its addresses.
func (s Seen) exception() state.FilterRule {
	v, icmp := "ip", "icmp"
	if s.Family() == 6 {
		v, icmp = "ip6", "icmpv6"
	}
	rule := state.FilterRule{Verdict: "accept"}
	only := func(key, value string) {
		rule.Matches = append(rule.Matches, state.FilterMatch{Key: key, Values: []string{value}})
		rule.Text += key + " " + value + " "
	}
	if s.Src.IsValid() {
		only(v+" saddr", words.Addr(s.Src))
	}
	only(v+" daddr", words.Addr(s.Dst))
	switch {
	case s.Proto == "tcp" && s.Reply:
		only("tcp sport", strconv.Itoa(int(s.Sport)))
	case s.Proto == "tcp" || s.Proto == "udp":
		only(s.Proto+" dport", strconv.Itoa(int(s.Dport)))
	default:
		only(icmp+" type", s.message())
	}
	rule.Text += "accept"
	return rule
}

func acceptsARP() state.FilterRule { return accepting("ether type", "arp") }

func acceptsDiscovery() state.FilterRule {
	return accepting("icmpv6 type", "nd-neighbor-solicit", "nd-neighbor-advert")
}

// accepting is a rule that accepts what has one of these values in a field.
func accepting(key string, values ...string) state.FilterRule {
	text := values[0]
	if len(values) > 1 {
		text = "{ " + strings.Join(values, ", ") + " }"
	}
	return state.FilterRule{Text: key + " " + text + " accept", Verdict: "accept",
		Matches: []state.FilterMatch{{Key: key, Values: values}}}
}
