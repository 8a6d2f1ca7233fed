package claim

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/state"
)

// CannotResolve is `N` cannot resolve the neighbour `A`.
type CannotResolve struct {
	Netns string
	Addr  netip.Addr
}

func init() {
	add(Entry{
		Place: 180,
		Means: "the harness asks; the entry ends FAILED, or stays INCOMPLETE for the window",
		Forms: []Form{
			denies("`N` cannot resolve the neighbour `10.0.0.1`", func(a arguments) Claim {
				return CannotResolve{Netns: a.text(0), Addr: a.addr(1)}
			}),
		},
	})
}

func (c CannotResolve) Sentence() string {
	return say("%s cannot resolve the neighbour %s", c.Netns, c.Addr)
}

func (c CannotResolve) Needs() Needs {
	return Needs{Class: ByKernel, Question: Resolve(c)}
}

func (c CannotResolve) Judge(known Evidence) Finding {
	e := known.Entry
	if e.State == "" {
		return finding(false, "there is no neighbour entry")
	}
	return finding(e.State == "failed" || e.State == "incomplete", fmt.Sprintf("the entry on %s is %s", e.Dev, e.State))
}

func (c CannotResolve) Mutants() Mutants {
	return Mutants{Own: []Way{{Name: "a permanent neighbour", Commands: func(s *state.State) []string {
		return eachLink(s, c.Netns, "neigh replace "+c.Addr.WithZone("").String()+" lladdr 02:00:00:00:77:77 dev %s")
	}}}}
}
