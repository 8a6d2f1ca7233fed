package claim

import (
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// AddressIs is `A/L` on `X` in `N` is `tentative`. The format has no negative form; Not is for suites in Go.
type AddressIs struct {
	Iface
	Prefix netip.Prefix
	State  string
	Not    bool
}

func init() {
	add(Entry{
		Place: 230,
		Means: "also `dadfailed`, `deprecated`, `permanent`, `secondary`",
		Forms: []Form{
			says("`192.168.2.102/24` on `X` in `N` is `tentative`", func(a arguments) Claim {
				return AddressIs{Prefix: a.prefix(0), Iface: a.iface(1), State: a.text(3)}
			}),
		},
		Slots: map[string]Slot{
			"tentative": oneOfThe(
				"address state",
				[]string{"tentative", "dadfailed", "deprecated", "permanent", "secondary"},
			),
		},
	})
}

func (c AddressIs) Sentence() string {
	return say("%s on ", c.Prefix) + c.in() + either(c.Not, " is not ", " is ") + say("%s", c.State)
}

func (c AddressIs) Needs() Needs { return stateOnly() }

func (c AddressIs) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		for _, a := range l.Addresses {
			if a.Prefix == c.Prefix {
				return finding(slices.Contains(a.Flags, c.State) != c.Not, state.AddressText(a))
			}
		}
		return finding(false, "its addresses: "+prefixes(l.Addresses))
	})
}

func (c AddressIs) Mutants() Mutants {
	return Mutants{Own: []Way{by(in(c.Netns, "addr del %s dev %s", c.Prefix, c.Name))}}
}
