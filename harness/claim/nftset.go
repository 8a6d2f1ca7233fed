package claim

import (
	"fmt"
	"slices"
	"strings"
)

// SetContains is the nft set `F T S` in `N` contains `…`.
type SetContains struct {
	Netns   string
	Set     NftName
	Element string
	Not     bool
}

func init() {
	add(Entry{
		Place: 214,
		Means: "an element, or a part of an interval that the set has; of a map a key; without its timeout. " +
			"A set that does not exist makes the negative claim false too",
		Forms: []Form{
			says("the nft set `inet filter blocked` in `N` contains `10.0.0.1`", func(a arguments) Claim {
				return setContains(a, false)
			}),
			denies("the nft set `inet filter blocked` in `N` does not contain `10.0.0.1`", func(a arguments) Claim {
				return setContains(a, true)
			}),
		},
		Slots: map[string]Slot{
			"inet filter blocked": nftName("set"),
			"10.0.0.1":            {"one element, in the words of `nft list`", readElement},
		},
	})
}

// readElement refuses what is not one element: nft would read further elements and commands in it.
func readElement(text string) (any, error) {
	words, err := nftWords(text)
	switch {
	case err != nil:
		return nil, err
	case len(words) == 0 || strings.ContainsAny(text, "{},;#$@\\'\n"):
		return nil, expected(text, "one element of a set")
	case slices.Contains(words, ":"):
		return nil, fmt.Errorf("expected the key of a map without its value, found %q", text)
	}
	return elementKey(text), nil
}

func setContains(a arguments, not bool) Claim {
	return SetContains{Set: a.nft(0), Netns: a.text(1), Element: a.text(2), Not: not}
}

// elementKey cuts off what nft lists behind a key: its value in a map, and its timeout, statements and comment.
func elementKey(element string) string {
	words := strings.Fields(element)
	for i, word := range words {
		if i > 0 && slices.Contains([]string{":", "timeout", "expires", "counter", "limit", "quota", "last", "comment"},
			word) {
			return strings.Join(words[:i], " ")
		}
	}
	return strings.Join(words, " ")
}

func (c SetContains) Sentence() string {
	return say("the nft set %s in %s", c.Set, c.Netns) + either(c.Not, " does not contain ", " contains ") +
		say("%s", c.Element)
}

func (c SetContains) Needs() Needs {
	return Needs{Class: ByKernel, Question: SetElement{Netns: c.Netns, Set: c.Set, Element: c.Element}}
}

// Judge asks the kernel's look-up, and then the list: old versions of nft look up no element such as "eth*".
func (c SetContains) Judge(known Evidence) Finding {
	set := known.Set
	if set.Missing {
		return c.Set.missingFrom(c.Netns, "set", set.Known)
	}
	there := set.Found != "" || slices.ContainsFunc(set.Elements, func(element string) bool {
		return sameInNft(elementKey(element), c.Element)
	})
	if set.Found != "" {
		return finding(there != c.Not, "the set has the element "+set.Found)
	}
	if !there && set.Refusal != "" {
		return Finding{Err: fmt.Errorf("look up %s in the set %s: %s", c.Element, c.Set, set.Refusal)}
	}
	return finding(there != c.Not, "the elements: "+orNone(strings.Join(set.Elements, ", ")))
}

func (c SetContains) Mutants() Mutants {
	own := by("-"+execIn(c.Netns, "nft flush set %s", c.Set), "-"+execIn(c.Netns, "nft flush map %s", c.Set))
	if c.Not {
		own = by(execIn(c.Netns, "nft add element %s '{ %s }'", c.Set, c.Element))
	}
	return Mutants{
		Own: []Way{own},
		Gone: append([]Way{gone(execIn(c.Netns, "nft delete table %s %s", c.Set.Family, c.Set.Table))},
			withoutNetns(c.Netns)...),
	}
}
