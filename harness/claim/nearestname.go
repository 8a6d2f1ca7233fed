package claim

import (
	"fmt"

	"netnscheck/harness/state"
)

// NearestName is the nearest name to `typo` is `name` in `N`.
type NearestName struct{ Typo, Name, Netns string }

func init() {
	add(Entry{
		Place: 270,
		Means: "the did-you-mean search over interfaces, namespaces and addresses of all namespaces; " +
			"false if another is as near",
		Forms: []Form{
			says("the nearest name to `vnic-prodns` is `vnix-prodns` in `N`", func(a arguments) Claim {
				return NearestName{Typo: a.text(0), Name: a.text(1), Netns: a.text(2)}
			}),
		},
		Slots: map[string]Slot{"vnic-prodns": oneWord("a name"), "vnix-prodns": oneWord("a name")},
	})
}

func (c NearestName) Sentence() string {
	return say("the nearest name to %s is %s in %s", c.Typo, c.Name, c.Netns)
}

func (c NearestName) Needs() Needs { return stateOnly() }

// Judge requires that the name is nearer than any other one.
func (c NearestName) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(*state.Namespace) Finding {
		found := known.State.Nearest(c.Typo)
		if len(found) == 0 {
			return finding(false, "no name is near to "+c.Typo)
		}
		best := found[0]
		ties := 0
		for _, other := range found {
			if other.Distance == best.Distance {
				ties++
			}
		}
		words := fmt.Sprintf("the nearest name is %s in %s", best.Name, best.Netns)
		if ties > 1 {
			words = fmt.Sprintf("%d names are as near, %s in %s among them", ties, best.Name, best.Netns)
		}
		return finding(best.Name == c.Name && best.Netns == c.Netns && ties == 1, words)
	})
}

func (c NearestName) Mutants() Mutants {
	return Mutants{Own: []Way{
		by(in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name zzzzzzzz", c.Name)),
		by(in(c.Netns, "link del %s", c.Name)),
		by("ip netns del " + c.Name),
		by(in(c.Netns, "link add %s type bridge", c.Typo)),
		by("ip netns add " + c.Typo),
	}}
}
