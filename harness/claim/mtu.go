package claim

import (
	"fmt"

	"netnscheck/harness/state"
)

// HasMTU is `X` in `N` has the MTU `1500`.
type HasMTU struct {
	Iface
	MTU int
	Not bool
}

func init() {
	add(Entry{
		Place: 100,
		Means: "in bytes",
		Forms: []Form{
			says("`X` in `N` has the MTU `1500`", func(a arguments) Claim {
				return HasMTU{Iface: a.iface(0), MTU: a.int(2)}
			}),
			denies("`X` in `N` does not have the MTU `1500`", func(a arguments) Claim {
				return HasMTU{Iface: a.iface(0), MTU: a.int(2), Not: true}
			}),
		},
		Slots: map[string]Slot{"1500": number("an MTU", 1, 1<<31-1)},
	})
}

func (c HasMTU) Sentence() string { return c.in() + either(c.Not, hasNot, has) + say("MTU %s", c.MTU) }

func (c HasMTU) Needs() Needs { return stateOnly() }

func (c HasMTU) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
		return finding((l.MTU == c.MTU) != c.Not, fmt.Sprintf("its MTU is %d", l.MTU))
	})
}

// unsettledBy: only commands change it.
func (c HasMTU) unsettledBy(*state.State, state.Pending) bool { return false }

func (c HasMTU) Mutants() Mutants {
	mtu := c.MTU
	if !c.Not {
		mtu = map[bool]int{true: 1300, false: 1400}[c.MTU == 1400]
	}
	return Mutants{Own: []Way{by(in(c.Netns, "link set %s mtu %d", c.Name, mtu))}, Gone: without(c.Iface)}
}
