package claim

import (
	"net"
	"strings"

	"netnscheck/harness/state"
)

// Learned is `br0` in `N` has learned `MAC` on `p2`.
type Learned struct {
	Iface
	MAC  net.HardwareAddr
	Port string
}

func init() {
	add(Entry{
		Place: 250,
		Means: "a dynamic entry of the bridge's forwarding table",
		Forms: []Form{
			says("`br0` in `N` has learned `02:00:00:00:00:01` on `p2`", func(a arguments) Claim {
				return Learned{Iface: a.iface(0), MAC: a.mac(2), Port: a.text(3)}
			}),
		},
	})
}

func (c Learned) Sentence() string { return c.in() + say(" has learned %s on %s", c.MAC, c.Port) }

func (c Learned) Needs() Needs { return Needs{Class: ByTraces} }

func (c Learned) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(n *state.Namespace, bridge *state.Link) Finding {
		port := c.Port
		if l := n.Link(port); l != nil {
			port = l.Name // Port may be an alternative name
		}
		var entries []string
		for _, e := range n.FDB {
			if e.Master != bridge.Name && e.Dev != bridge.Name {
				continue
			}
			if e.Learned && e.Dev == port && strings.EqualFold(e.MAC, c.MAC.String()) {
				return finding(true, state.FDBText(e))
			}
			if e.Learned {
				entries = append(entries, state.FDBText(e))
			}
		}
		return finding(false, "learned: "+orNone(strings.Join(entries, ", ")))
	})
}

func (c Learned) Mutants() Mutants {
	return Mutants{
		Own: []Way{by(in(c.Netns, "link set %s down", c.Port)), by(in(c.Netns, "link set %s nomaster", c.Port))},
	}
}
