package claim

import (
	"fmt"
	"net/netip"
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// HasRule is `N` has the rule `…` or, if V6 is set, `N` has the IPv6 rule `…`.
type HasRule struct {
	Netns string
	Text  string
	Rule  operation.Rule // with the family that is meant
	V6    bool
	Not   bool
}

func init() {
	add(Entry{
		Place: 140,
		Means: "what is written must match, what is not may be anything; without an address, a rule that is not " +
			"called an " +
			"IPv6 rule is one of IPv4",
		Forms: []Form{
			says("`N` has the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim {
				return hasRule(a, false, false)
			}),
			denies("`N` does not have the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim {
				return hasRule(a, false, true)
			}),
			says("`N` has the IPv6 rule `tos 0x10 lookup 100`", func(a arguments) Claim {
				return hasRule(a, true, false)
			}),
			denies("`N` does not have the IPv6 rule `tos 0x10 lookup 100`", func(a arguments) Claim {
				return hasRule(a, true, true)
			}),
		},
		Slots: map[string]Slot{
			"from 10.0.0.0/8 lookup 100": {"a rule, in the words of `ip rule`", readRule},
			"tos 0x10 lookup 100":        {"a rule, in the words of `ip -6 rule`", readRule},
		},
	})
}

func readRule(text string) (any, error) {
	rule, err := operation.ParseRule(strings.Fields(text))
	if err != nil {
		return nil, operation.NotA("rule", text, err)
	}
	return written[operation.Rule]{text, rule}, nil
}

func hasRule(a arguments, v6, not bool) Claim {
	r := a[1].(written[operation.Rule])
	switch {
	case v6:
		r.value.Family = operation.FamilyV6
	case r.value.Family == operation.FamilyAny:
		r.value.Family = operation.FamilyV4
	}
	return HasRule{Netns: a.text(0), Text: r.text, Rule: r.value, V6: v6, Not: not}
}

// consistent refuses addresses of two families.
func (c HasRule) consistent() error {
	for _, p := range []netip.Prefix{c.Rule.From, c.Rule.To} {
		switch {
		case !p.IsValid() || p.Addr().Is6() == (c.Rule.Family == operation.FamilyV6):
		case c.V6:
			return fmt.Errorf("%s is no IPv6 address: a rule of IPv4 is written as %s", p.Addr(),
				"`N` has the rule `…`")
		default:
			return fmt.Errorf("the addresses %s and %s are of two address families", c.Rule.From.Addr(),
				c.Rule.To.Addr())
		}
	}
	return nil
}

func (c HasRule) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + word(c.V6, "IPv6 ", "") + say("rule %s", c.Text)
}

func (c HasRule) Needs() Needs { return stateOnly() }

func (c HasRule) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		if found := n.MatchRule(c.Rule); len(found) > 0 {
			return finding(!c.Not, c.kind()+list(found, state.RuleText))
		}
		var family []state.Rule
		for _, r := range n.Rules {
			if r.Family == int(c.Rule.Family) {
				family = append(family, r)
			}
		}
		text := c.kind() + list(family, state.RuleText)
		other := c.Rule
		other.Family = operation.FamilyV4 + operation.FamilyV6 - other.Family
		if in := n.MatchRule(other); !c.Not && len(in) > 0 {
			text += fmt.Sprintf("; IPv%d has %s", other.Family, list(in, state.RuleText))
		}
		return finding(c.Not, text)
	})
}

// kind begins a finding.
func (c HasRule) kind() string {
	return word(c.Rule.Family == operation.FamilyV6, "the IPv6 rules: ", "the rules: ")
}

// unsettledBy: only commands change it.
func (c HasRule) unsettledBy(*state.State, state.Pending) bool { return false }

func (c HasRule) Mutants() Mutants {
	verb := word(c.Not, "add", "del")
	options := word(c.Rule.Family == operation.FamilyV6, "-6 ", "")
	return Mutants{Own: []Way{by(in(c.Netns, "%srule %s %s", options, verb, c.Text))}}
}
