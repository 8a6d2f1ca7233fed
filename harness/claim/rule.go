package claim

import (
	"strings"

	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// HasRule is `N` has the rule `…`.
type HasRule struct {
	Netns string
	Text  string
	Rule  operation.Rule
	Not   bool
}

func init() {
	add(Entry{
		Place: 140,
		Means: "either address family; what is written must match, what is not may be anything",
		Forms: []Form{
			says("`N` has the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim { return hasRule(a, false) }),
			denies("`N` does not have the rule `from 10.0.0.0/8 lookup 100`", func(a arguments) Claim {
				return hasRule(a, true)
			}),
		},
		Slots: map[string]Slot{"from 10.0.0.0/8 lookup 100": {"a rule, in the words of `ip rule`", readRule}},
	})
}

func readRule(text string) (any, error) {
	rule, err := operation.ParseRule(strings.Fields(text))
	if err != nil {
		return nil, operation.NotA("rule", text, err)
	}
	return written[operation.Rule]{text, rule}, nil
}

func hasRule(a arguments, not bool) Claim {
	r := a[1].(written[operation.Rule])
	return HasRule{Netns: a.text(0), Text: r.text, Rule: r.value, Not: not}
}

func (c HasRule) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("rule %s", c.Text)
}

func (c HasRule) Needs() Needs { return stateOnly() }

func (c HasRule) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		return finding((len(n.MatchRule(c.Rule)) > 0) != c.Not, "the rules: "+list(n.Rules, state.RuleText))
	})
}

func (c HasRule) Mutants() Mutants {
	verb := word(c.Not, "add", "del")
	return Mutants{
		Own: []Way{by("-"+in(c.Netns, "rule %s %s", verb, c.Text), "-"+in(c.Netns, "-6 rule %s %s", verb, c.Text))},
	}
}
