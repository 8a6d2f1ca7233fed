package claim

import "netnscheck/harness/state"

// NamespaceExists is namespace `N` exists.
type NamespaceExists struct {
	Netns string
	Not   bool
}

func init() {
	add(Entry{
		Place: 10,
		Means: "a name in `/run/netns`, or `host`",
		Forms: []Form{
			says("namespace `N` exists", func(a arguments) Claim { return NamespaceExists{Netns: a.text(0)} }),
			denies("namespace `N` does not exist", func(a arguments) Claim {
				return NamespaceExists{Netns: a.text(0), Not: true}
			}),
		},
	})
}

func (c NamespaceExists) Sentence() string {
	return say("namespace %s", c.Netns) + either(c.Not, " does not exist", " exists")
}

func (c NamespaceExists) Needs() Needs { return stateOnly() }

func (c NamespaceExists) Judge(known Evidence) Finding {
	if known.State.Namespace(c.Netns) != nil {
		return finding(!c.Not, "the namespace "+c.Netns+" exists")
	}
	return finding(c.Not, noNamespace(known.State, c.Netns))
}

// unsettledBy: only commands change it.
func (c NamespaceExists) unsettledBy(*state.State, state.Pending) bool { return false }

func (c NamespaceExists) Mutants() Mutants {
	if c.Not {
		return Mutants{Own: []Way{by("ip netns add " + c.Netns), by("-ip netns del "+c.Netns, "ip netns add "+c.Netns)}}
	}
	return Mutants{Own: []Way{by("ip netns del " + c.Netns)}}
}
