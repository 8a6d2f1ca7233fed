package claim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ChainHasRule is the chain `F T C` in `N` has the rule `…`.
type ChainHasRule struct {
	Netns string
	Chain NftName
	Rule  string
	Not   bool
}

func init() {
	add(Entry{
		Place: 212,
		Means: "a whole rule as `nft list` prints it, but for blanks, quotes, hexadecimal numbers (a mark of " +
			"`0x00000007` is also `7`), the " +
			"values of counters and the handle; a chain that does not exist makes the negative claim false too",
		Forms: []Form{
			says("the chain `inet filter input` in `N` has the rule `tcp dport 22 accept`", func(a arguments) Claim {
				return chainHasRule(a, false)
			}),
			denies("the chain `inet filter input` in `N` does not have the rule `tcp dport 22 accept`",
				func(a arguments) Claim { return chainHasRule(a, true) }),
		},
		Slots: map[string]Slot{
			"inet filter input":   nftName("chain"),
			"tcp dport 22 accept": asText("a rule, in the words of `nft list`", checkNftRule),
		},
	})
}

func checkNftRule(text string) error {
	words, err := nftWords(text)
	if err == nil && len(words) == 0 {
		err = errors.New("expected a rule, found none")
	}
	return err
}

func chainHasRule(a arguments, not bool) Claim {
	return ChainHasRule{Chain: a.nft(0), Netns: a.text(1), Rule: a.text(2), Not: not}
}

func (c ChainHasRule) Sentence() string {
	return say("the chain %s in %s", c.Chain, c.Netns) + either(c.Not, hasNot, has) + say("rule %s", c.Rule)
}

func (c ChainHasRule) Needs() Needs {
	return Needs{Class: ByKernel, Question: ChainRules{Netns: c.Netns, Chain: c.Chain}}
}

func (c ChainHasRule) Judge(known Evidence) Finding {
	if known.Chain.Missing {
		return c.Chain.missingFrom(c.Netns, "chain", known.Chain.Known)
	}
	there := slices.ContainsFunc(known.Chain.Rules, func(rule string) bool { return sameInNft(rule, c.Rule) })
	return finding(there != c.Not, fmt.Sprintf("the rules: %s", orNone(strings.Join(known.Chain.Rules, "; "))))
}

func (c ChainHasRule) Mutants() Mutants {
	own := execIn(c.Netns, "nft flush chain %s", c.Chain)
	if c.Not {
		own = execIn(c.Netns, "nft add rule %s '%s'", c.Chain, c.Rule)
	}
	return Mutants{
		Own: []Way{by(own)},
		Gone: append([]Way{gone(execIn(c.Netns, "nft delete table %s %s", c.Chain.Family, c.Chain.Table))},
			withoutNetns(c.Netns)...),
	}
}
