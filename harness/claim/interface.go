package claim

import "netnscheck/harness/state"

// HasInterface is `N` has the interface `X`, which may be an alternative name.
type HasInterface struct {
	Iface
	Not bool
}

func init() {
	add(Entry{
		Place: 20,
		Means: "alternative names count",
		Forms: []Form{
			says("`N` has the interface `X`", func(a arguments) Claim {
				return HasInterface{Iface: Iface{a.text(1), a.text(0)}}
			}),
			denies("`N` does not have the interface `X`", func(a arguments) Claim {
				return HasInterface{Iface: Iface{a.text(1), a.text(0)}, Not: true}
			}),
		},
	})
}

func (c HasInterface) Sentence() string {
	return say("%s", c.Netns) + either(c.Not, hasNot, has) + say("interface %s", c.Name)
}

func (c HasInterface) Needs() Needs { return stateOnly() }

func (c HasInterface) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		if n.Link(c.Name) != nil {
			return finding(!c.Not, c.Name+" is there")
		}
		return finding(c.Not, noLink(known.State, n, c.Name))
	})
}

// unsettledBy: only commands change it.
func (c HasInterface) unsettledBy(*state.State, state.Pending) bool { return false }

func (c HasInterface) Mutants() Mutants {
	if c.Not {
		return Mutants{
			Own: []Way{
				by(in(c.Netns, "link add %s type bridge", c.Name)),
				by(in(c.Netns, "link add %s type veth", c.Name)),
			},
		}
	}
	return Mutants{Own: []Way{by(in(c.Netns, "link del %s", c.Name)),
		by(in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name other", c.Name))}}
}
