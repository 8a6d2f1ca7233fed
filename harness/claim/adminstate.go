package claim

import "netnscheck/harness/state"

// AdminState is `X` in `N` is up, is down.
type AdminState struct {
	Iface
	Up bool
}

func init() {
	add(Entry{
		Place: 40,
		Means: "administrative state",
		Forms: []Form{
			says("`X` in `N` is up", func(a arguments) Claim { return AdminState{Iface: a.iface(0), Up: true} }),
			denies("`X` in `N` is down", func(a arguments) Claim { return AdminState{Iface: a.iface(0)} }),
		},
	})
}

func (c AdminState) Sentence() string { return c.in() + either(c.Up, " is up", " is down") }

func (c AdminState) Needs() Needs { return stateOnly() }

func (c AdminState) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		return finding(l.Up == c.Up, word(l.Up, "it is up", "it is down"))
	})
}

// unsettledBy: only commands change it.
func (c AdminState) unsettledBy(*state.State, state.Pending) bool { return false }

func (c AdminState) Mutants() Mutants {
	return Mutants{Own: []Way{by(in(c.Netns, "link set %s %s", c.Name, word(c.Up, "down", "up")))}}
}
