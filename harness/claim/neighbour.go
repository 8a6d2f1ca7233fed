package claim

import (
	"net/netip"

	"netnscheck/harness/state"
)

// HasNeighbour is `N` has the neighbour `A`.
type HasNeighbour struct {
	Netns string
	Addr  netip.Addr
}

func init() {
	add(Entry{
		Place: 170,
		Means: "an entry with a link-layer address that is not FAILED; nothing is sent",
		Forms: []Form{
			says("`N` has the neighbour `10.0.0.1`", func(a arguments) Claim {
				return HasNeighbour{Netns: a.text(0), Addr: a.addr(1)}
			}),
		},
	})
}

func (c HasNeighbour) Sentence() string { return say("%s has the neighbour %s", c.Netns, c.Addr) }

func (c HasNeighbour) Needs() Needs { return Needs{Class: ByTraces} }

func (c HasNeighbour) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		for _, e := range n.Neighbours {
			if e.Addr.WithZone("") == c.Addr.WithZone("") && e.MAC != "" && e.State != "failed" && !e.Proxy {
				return finding(true, state.NeighbourText(e))
			}
		}
		return finding(false, "the neighbours: "+list(n.Neighbours, state.NeighbourText))
	})
}

func (c HasNeighbour) Mutants() Mutants {
	return Mutants{
		Own: []Way{by(in(c.Netns, "neigh flush all")), by(in(c.Netns, "neigh flush nud permanent")), allDown(c.Netns)},
	}
}
