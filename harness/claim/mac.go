package claim

import (
	"net"
	"strings"

	"netnscheck/harness/state"
)

// HasMAC is `X` in `N` has the MAC address `…`.
type HasMAC struct {
	Iface
	MAC net.HardwareAddr
	Not bool
}

func init() {
	add(Entry{
		Place: 110,
		Means: "the link-layer address",
		Forms: []Form{
			says("`X` in `N` has the MAC address `02:00:00:00:00:01`", func(a arguments) Claim {
				return HasMAC{Iface: a.iface(0), MAC: a.mac(2)}
			}),
			denies("`X` in `N` does not have the MAC address `02:00:00:00:00:01`", func(a arguments) Claim {
				return HasMAC{Iface: a.iface(0), MAC: a.mac(2), Not: true}
			}),
		},
	})
}

func (c HasMAC) Sentence() string {
	return c.in() + either(c.Not, hasNot, has) + say("MAC address %s", c.MAC)
}

func (c HasMAC) Needs() Needs { return stateOnly() }

func (c HasMAC) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		return finding(strings.EqualFold(l.MAC, c.MAC.String()) != c.Not, "its MAC address is "+orNone(l.MAC))
	})
}

// unsettledBy: only commands change it.
func (c HasMAC) unsettledBy(*state.State, state.Pending) bool { return false }

func (c HasMAC) Mutants() Mutants {
	mac := "02:00:00:00:77:77"
	if c.Not {
		mac = c.MAC.String()
	}
	return Mutants{Own: []Way{by(in(c.Netns, "link set %s address %s", c.Name, mac))}, Gone: without(c.Iface)}
}
