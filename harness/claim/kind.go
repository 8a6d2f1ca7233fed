package claim

import "netnscheck/harness/state"

// LinkKind is `X` in `N` is a `veth`.
type LinkKind struct {
	Iface
	Kind string
	Not  bool
}

func init() {
	add(Entry{
		Place: 60,
		Means: "link kind",
		Forms: []Form{
			says("`X` in `N` is a `veth`", func(a arguments) Claim {
				return LinkKind{Iface: a.iface(0), Kind: a.text(2)}
			}),
			denies("`X` in `N` is not a `veth`", func(a arguments) Claim {
				return LinkKind{Iface: a.iface(0), Kind: a.text(2), Not: true}
			}),
		},
		Slots: map[string]Slot{"veth": oneWord("a link kind such as veth")},
	})
}

func (c LinkKind) Sentence() string {
	return c.in() + either(c.Not, " is not", " is") + say(" a %s", c.Kind)
}

func (c LinkKind) Needs() Needs { return stateOnly() }

func (c LinkKind) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		return finding((l.Kind == c.Kind) != c.Not, "it is a "+word(l.Kind == "", "device without a kind", l.Kind))
	})
}

// unsettledBy: only commands change it.
func (c LinkKind) unsettledBy(*state.State, state.Pending) bool { return false }

func (c LinkKind) Mutants() Mutants {
	kind := word(c.Kind == "bridge", "veth", "bridge")
	if c.Not {
		kind = c.Kind
	}
	another := in(c.Netns, "link add %s type %s", c.Name, kind)
	return Mutants{Own: []Way{
		by(in(c.Netns, "link del %s", c.Name), another),
		by(in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name), another),
	}, Gone: without(c.Iface)}
}
