package fault

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// hooks are the places where a rule can drop a packet, with the cause that this is.
var hooks = []struct {
	family, hook string
	cause        causes.Cause
}{
	{"ip", "output", causes.FilterOutput}, {"ip", "forward", causes.FilterForward}, {"ip", "input", causes.FilterInput},
	{"bridge", "forward", causes.FilterBridge},
}

// filters are rules of the packet filter that drop the packets to one destination, and rules that are missing.
func (s *site) filters() {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		for _, t := range n.Filters {
			for _, c := range t.Chains {
				for k := range c.Rules {
					s.withoutRule(n, ruleAt{t.Family, t.Name, c.Name, k}, c.Rules)
				}
			}
		}
		for _, to := range s.destinations() {
			for _, h := range hooks {
				s.wall(n, to, h.family, h.hook, h.cause)
			}
		}
	}
}

// withoutRule is a chain without one of its rules. A rule that distinguishes several kinds of packets has several
// entries, and one that is not understood may not be what its text says.
func (s *site) withoutRule(n *state.Namespace, at ruleAt, rules []state.FilterRule) {
	r := rules[at.index]
	same := slices.DeleteFunc(slices.Clone(rules), func(other state.FilterRule) bool { return other.Text != r.Text })
	if r.Opaque || r.Handle == 0 || len(same) > 1 {
		return
	}
	s.maybe(2, n, fmt.Sprintf("the chain `%s` in `%s` lacks the rule `%s`", at.chainName(), n.Name, r.Text),
		func(b *bench) { b.deleteFilterRule(n.Name, at, r.Handle) }, causes.TranslationMissing, causes.FilterForward,
		causes.FilterInput, causes.FilterOutput, causes.NotListening, causes.NoRoute, causes.GatewayNowhere)
}

func (s *site) wall(n *state.Namespace, to netip.Addr, family, hook string, cause causes.Cause) {
	if family == "bridge" && !slices.ContainsFunc(n.Links, func(l state.Link) bool { return l.Kind == "bridge" }) {
		return
	}
	match := "ip"
	if to.Is6() {
		match = "ip6"
	}
	if family == "ip" {
		family = match
	}
	name := freeTable(n, family)
	rule := fmt.Sprintf("%s daddr %s drop", match, to)
	script := fmt.Sprintf("add table %s %s; add chain %[1]s %[2]s %s { type filter hook %[3]s priority 0; }; "+
		"add rule %[1]s %[2]s %[3]s %s", family, name, hook, rule)
	t := state.FilterTable{Family: family, Name: name,
		Chains: []state.FilterChain{{Name: hook, Type: "filter", Hook: hook,
			Policy: "accept", Rules: []state.FilterRule{{Text: rule, Verdict: "drop",
				Matches: []state.FilterMatch{{Key: match + " daddr", Values: []string{to.String()}}}}}}}}
	s.maybe(3, n, fmt.Sprintf("`%s` drops packets to `%s` (`nft list ruleset`, hook %s)", n.Name, to, hook),
		func(b *bench) { b.wall(n.Name, t, script) }, cause)
}

// freeTable is the name of a table that is not there yet.
func freeTable(n *state.Namespace, family string) string {
	name := "guard"
	for slices.ContainsFunc(n.Filters, func(t state.FilterTable) bool { return t.Family == family && t.Name == name }) {
		name += "2"
	}
	return name
}
