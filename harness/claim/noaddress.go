package claim

import (
	"slices"

	"netnscheck/harness/state"
)

// HasNoAddress is `X` in `N` has no address; IPv6 link-local ones do not count.
type HasNoAddress struct{ Iface }

func init() {
	add(Entry{
		Place: 90,
		Means: "IPv6 link-local addresses do not count",
		Forms: []Form{
			denies("`X` in `N` has no address", func(a arguments) Claim { return HasNoAddress{a.iface(0)} }),
		},
	})
}

func (c HasNoAddress) Sentence() string { return c.in() + " has no address" }

func (c HasNoAddress) Needs() Needs { return stateOnly() }

func (c HasNoAddress) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		counted := slices.DeleteFunc(slices.Clone(l.Addresses), func(a state.Address) bool {
			return a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
		})
		return finding(len(counted) == 0, "its addresses: "+prefixes(counted))
	})
}

// unsettledBy: link-local addresses, which come by themselves, do not count.
func (c HasNoAddress) unsettledBy(*state.State, state.Pending) bool { return false }

func (c HasNoAddress) Mutants() Mutants {
	return Mutants{Own: []Way{by(in(c.Netns, "addr add 198.51.100.1/24 dev %s", c.Name))}}
}
