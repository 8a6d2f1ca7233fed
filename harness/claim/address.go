package claim

import (
	"fmt"
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// HasAddress is `X` in `N` has the address `A/L`.
type HasAddress struct {
	Iface
	Prefix netip.Prefix
	Not    bool
}

func init() {
	add(Entry{
		Place: 80,
		Means: "prefix length included",
		Forms: []Form{
			says("`X` in `N` has the address `192.168.2.102/24`", func(a arguments) Claim {
				return HasAddress{Iface: a.iface(0), Prefix: a.prefix(2)}
			}),
			denies("`X` in `N` does not have the address `192.168.2.102/24`", func(a arguments) Claim {
				return HasAddress{Iface: a.iface(0), Prefix: a.prefix(2), Not: true}
			}),
		},
	})
}

func (c HasAddress) Sentence() string {
	return c.in() + either(c.Not, hasNot, has) + say("address %s", c.Prefix)
}

func (c HasAddress) Needs() Needs { return stateOnly() }

func (c HasAddress) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		has := slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix == c.Prefix })
		return finding(has != c.Not, c.found(known.State, l))
	})
}

// found lists the addresses of the link, and the interface that has the wanted one instead.
func (c HasAddress) found(s *state.State, l *state.Link) string {
	text := "its addresses: " + prefixes(l.Addresses)
	for i := range s.Namespaces {
		for j := range s.Namespaces[i].Links {
			other := &s.Namespaces[i].Links[j]
			for _, a := range other.Addresses {
				if other != l && a.Prefix.Addr() == c.Prefix.Addr() {
					return fmt.Sprintf("%s; %s is on %s in %s", text, a.Prefix, other.Name, s.Namespaces[i].Name)
				}
			}
		}
	}
	return text
}

// unsettledBy: an interface gets its link-local address with its carrier, and perhaps another one if that is a
// duplicate.
func (c HasAddress) unsettledBy(_ *state.State, p state.Pending) bool {
	return c.Prefix.Addr().Is6() && c.Prefix.Addr().IsLinkLocalUnicast() && p.Netns == c.Netns && p.Dev == c.Name &&
		(p.Kind == state.PendingCarrier || p.Kind == state.PendingDAD)
}

func (c HasAddress) Mutants() Mutants {
	return Mutants{
		Own:  []Way{by(in(c.Netns, "addr %s %s dev %s", word(c.Not, "add", "del"), c.Prefix, c.Name))},
		Gone: without(c.Iface),
	}
}
