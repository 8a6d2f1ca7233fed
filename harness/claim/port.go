package claim

import "netnscheck/harness/state"

// PortOf is `X` in `N` is a port of `br0`.
type PortOf struct {
	Iface
	Bridge string
	Not    bool
}

func init() {
	add(Entry{
		Place: 120,
		Means: "the bridge may be missing: the negative claim is then true",
		Forms: []Form{
			says("`X` in `N` is a port of `br0`", func(a arguments) Claim {
				return PortOf{Iface: a.iface(0), Bridge: a.text(2)}
			}),
			denies("`X` in `N` is not a port of `br0`", func(a arguments) Claim {
				return PortOf{Iface: a.iface(0), Bridge: a.text(2), Not: true}
			}),
		},
	})
}

func (c PortOf) Sentence() string {
	return c.in() + either(c.Not, " is not", " is") + say(" a port of %s", c.Bridge)
}

func (c PortOf) Needs() Needs { return stateOnly() }

func (c PortOf) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(n *state.Namespace, l *state.Link) Finding {
		bridge := n.Link(c.Bridge) // c.Bridge may be an alternative name
		port := bridge != nil && l.Master == bridge.Name
		return finding(port != c.Not, "its master: "+orNone(l.Master))
	})
}

// unsettledBy: only commands change it.
func (c PortOf) unsettledBy(*state.State, state.Pending) bool { return false }

func (c PortOf) Mutants() Mutants {
	own := []Way{by(in(c.Netns, "link set %s nomaster", c.Name))}
	if c.Not {
		own = []Way{
			by(
				"-"+in(c.Netns, "link add %s type bridge", c.Bridge),
				in(c.Netns, "link set %s master %s", c.Name, c.Bridge),
			),
		}
	}
	return Mutants{Own: own, Gone: without(c.Iface)}
}
