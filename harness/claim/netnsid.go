package claim

import (
	"fmt"

	"netnscheck/harness/state"
)

// KnowsByID is `N` knows `M` by the id `5`, or by no id (None).
type KnowsByID struct {
	Netns, Other string
	ID           int
	None         bool
}

func init() {
	add(Entry{
		Place: 15,
		Means: "the id (nsid) that `N` uses for `M`, given by hand or by the kernel",
		Forms: []Form{
			says("`N` knows `M` by the id `5`", func(a arguments) Claim {
				return KnowsByID{Netns: a.text(0), Other: a.text(1), ID: a.int(2)}
			}),
			denies("`N` knows `M` by no id", func(a arguments) Claim {
				return KnowsByID{Netns: a.text(0), Other: a.text(1), None: true}
			}),
		},
		Slots: map[string]Slot{"5": number("an id", 0, 1<<31-1)},
	})
}

func (c KnowsByID) Sentence() string {
	if c.None {
		return say("%s knows %s by no id", c.Netns, c.Other)
	}
	return say("%s knows %s by the id %s", c.Netns, c.Other, c.ID)
}

func (c KnowsByID) Needs() Needs { return stateOnly() }

func (c KnowsByID) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		return known.ofNamespace(c.Other, func(other *state.Namespace) Finding {
			found := fmt.Sprintf("%s has no id for %s", c.Netns, c.Other)
			for _, id := range n.NetnsIDs {
				named := known.State.Namespace(id.Netns)
				switch {
				case named != nil && sameNamespace(named, other):
					return finding(!c.None && id.ID == c.ID, fmt.Sprintf("the id is %d", id.ID))
				case named != nil && id.ID == c.ID && !c.None:
					found += fmt.Sprintf("; %d is that of %s", id.ID, id.Netns)
				}
			}
			return finding(c.None, found)
		})
	})
}

// sameNamespace reports whether two entries of a state are the same namespace, which may have two names in /run/netns.
func sameNamespace(a, b *state.Namespace) bool {
	return a == b || a.Inode != 0 && a.Inode == b.Inode
}

// unsettledBy: only commands change it.
func (c KnowsByID) unsettledBy(*state.State, state.Pending) bool { return false }

// Mutants replace the namespace by another one of its name, since an id remains as long as the namespace exists.
func (c KnowsByID) Mutants() Mutants {
	if c.None {
		// The kernel assigns an id itself when a link gets its peer in that namespace.
		cable := in(c.Other, "link add x77 type veth peer name y77 netns %s", c.Netns)
		return Mutants{
			Own:  []Way{by(execIn(c.Netns, "ip netns set %s 7777", c.Other)), by(cable)},
			Gone: withoutNetns(c.Netns),
		}
	}
	another := func(netns string) Way { return by("ip netns del "+netns, "ip netns add "+netns) }
	return Mutants{Own: []Way{another(c.Other), another(c.Netns)}, Gone: withoutNetns(c.Netns)}
}
