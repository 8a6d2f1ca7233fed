package filter

import (
	"fmt"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// The tables of iptables-legacy are shown and changed by that program alone; nft does not see them. Their rules are
// known by their number in the chain.

// Program is the program that shows and changes a table of iptables-legacy.
func (b Base) Program() string { return legacyProgram(b.Table) }

func legacyProgram(t *state.FilterTable) string {
	return map[string]string{"ip": "iptables-legacy", "ip6": "ip6tables-legacy"}[t.Family]
}

func legacyShown(n *state.Namespace, t *state.FilterTable, c *state.FilterChain) string {
	return words.In(n, "%s -t %s -nvL %s --line-numbers", legacyProgram(t), t.Name, c.Name)
}

// Shows is a rule of a base chain, with the command that shows it.
func (b Base) Shows(n *state.Namespace, rule *state.FilterRule) string {
	if b.Legacy {
		return fmt.Sprintf("%s: rule %d: %s", legacyShown(n, b.Table, b.Chain), rule.Handle, rule.Text)
	}
	return words.In(n, "nft list chain %s", b.Place()) + ": " + rule.Text
}

// droppedByLegacy is the cause for a packet that a chain of iptables-legacy drops. Its repair lets this packet pass
// where the chain would drop it, and keeps the rule for others.
func (r *Run) droppedByLegacy(b Base, name causes.Cause, verdict string, by *decided) *finding.Cause {
	var c *finding.Cause
	at := "-A " + b.Chain.Name
	switch {
	case by != nil:
		in := Base{b.Table, by.chain, true}
		c = finding.New(name, r.N, nil, "a rule of the chain %s of iptables-legacy in %s has the verdict %s",
			in.Place(), r.N.Name, verdict).
			Proof(in.Shows(r.N, by.rule))
		if keeper := keeperOf(in); keeper != nil {
			return c.Advise(keeper.advice(in, r.seen)...)
		}
		at = fmt.Sprintf("-I %s %d", by.chain.Name, by.rule.Handle)
	default:
		c = finding.New(name, r.N, nil, "the policy of the chain %s of iptables-legacy in %s drops the packet",
			b.Place(), r.N.Name).
			Proof(legacyShown(r.N, b.Table, b.Chain) + ": policy DROP")
		if r.left != nil {
			at = fmt.Sprintf("-I %s %d", b.Chain.Name, r.left.Handle)
		}
	}
	for _, conditions := range r.legacyOpenings(b) {
		c.Fix(words.In(r.N, "%s -t %s %s %s -j ACCEPT", b.Program(), b.Table.Name, at, conditions))
	}
	return c
}

var legacyDiscovery = []string{"-p icmpv6 --icmpv6-type neighbour-solicitation",
	"-p icmpv6 --icmpv6-type neighbour-advertisement"}

// legacyOpenings are the conditions of the rules that let a packet pass a chain that drops it, and its reply and the
// neighbour requests that they need, where the chain would drop them, too.
func (r *Run) legacyOpenings(b Base) (all []string) {
	if r.seen.Discovers() {
		return legacyDiscovery
	}
	all = []string{r.seen.legacyConditions()}
	if passes := b.Chain.Hook != "input" && b.Chain.Hook != "output"; passes { // both ways
		answer := r.seen.answer()
		answer.Tracking = map[bool]string{true: "established", false: "invalid"}[b.tracked()]
		if r.seen.Untracked {
			answer.Tracking = "untracked"
		}
		if !r.seen.Reply && r.drops(b, answer) {
			all = append(all, answer.legacyConditions())
		}
		return all
	}
	question := r.seen
	question.Packet = packet.Packet{Dst: r.seen.Dst, Proto: "ipv6-icmp", ICMP: "nd-neighbor-solicit"}
	question.Tracking = "untracked"
	if r.seen.Family() == 6 && r.drops(b, question) {
		all = append(all, legacyDiscovery...)
	}
	return all
}

// drops reports whether a chain would drop another packet.
func (r *Run) drops(b Base, s Seen) bool {
	verdict, _ := (&Run{N: r.N, base: b, seen: s}).through(b.Chain, 0)
	return verdict == "drop" || verdict == "reject"
}

// legacyConditions are those of a rule of iptables-legacy that matches the packet.
func (s Seen) legacyConditions() string {
	if s.Tracking == "established" {
		return "-m conntrack --ctstate ESTABLISHED,RELATED"
	}
	rule := "-d " + words.Addr(s.Dst)
	if s.Src.IsValid() {
		rule = "-s " + words.Addr(s.Src) + " " + rule
	}
	switch {
	case s.Proto == "tcp" && s.Reply:
		return rule + fmt.Sprintf(" -p tcp --sport %d", s.Sport)
	case s.Proto == "tcp" || s.Proto == "udp":
		return rule + fmt.Sprintf(" -p %s --dport %d", s.Proto, s.Dport)
	case s.Family() == 6:
		return rule + " -p icmpv6 --icmpv6-type " + s.message()
	}
	return rule + " -p icmp --icmp-type " + s.message()
}
