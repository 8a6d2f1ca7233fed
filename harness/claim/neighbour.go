package claim

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"netnscheck/harness/state"
)

// HasNeighbour is `N` has the neighbour `A`, perhaps with the MAC address `M`, perhaps in the state `S`. A zone of Addr
// is the interface of the entry.
type HasNeighbour struct {
	Netns string
	Addr  netip.Addr
	MAC   net.HardwareAddr // nil for any
	State string           // "" for one with a link-layer address, whatever it is
	Not   bool
}

// neighbourStates are the states of an entry, as `ip neighbour` names them.
var neighbourStates = []string{"reachable", "stale", "delay", "probe", "permanent", "noarp", "failed", "incomplete"}

func init() {
	const which = " `10.0.0.1` [with the MAC address `02:00:00:00:00:01`] [in the state `permanent`]"
	claim := func(a arguments, not bool) Claim {
		return HasNeighbour{Netns: a.text(0), Addr: a.addr(1), MAC: a.mac(2), State: a.text(3), Not: not}
	}
	add(Entry{
		Place: 170,
		Means: "an entry with a link-layer address that is not FAILED; with a state, an entry that is in it; " +
			"`fe80::1%X` for the entry of one interface; nothing is sent",
		Forms: []Form{
			says("`N` has the neighbour"+which, func(a arguments) Claim { return claim(a, false) }),
			denies("`N` does not have the neighbour"+which, func(a arguments) Claim { return claim(a, true) }),
		},
		Slots: map[string]Slot{"10.0.0.1": scopedAddr, "permanent": neighbourState},
	})
}

// neighbourState is a state in small or, as `ip neighbour` prints it, capital letters.
var neighbourState = Slot{"neighbour state: " + strings.Join(neighbourStates, ", "), func(text string) (any, error) {
	small := strings.ToLower(text)
	return small, oneOf("neighbour state", neighbourStates)(small)
}}

// unresolved reports whether the kernel shows no link-layer address of an entry in this state (neigh_fill_info(),
// net/core/neighbour.c).
func unresolved(neighbourState string) bool {
	return neighbourState == "failed" || neighbourState == "incomplete"
}

func (c HasNeighbour) consistent() error {
	if c.MAC != nil && unresolved(c.State) {
		return fmt.Errorf("a neighbour in the state %s has no MAC address", c.State)
	}
	return nil
}

func (c HasNeighbour) Sentence() string {
	text := say("%s", c.Netns) + either(c.Not, hasNot, has) + say("neighbour %s", c.Addr)
	if c.MAC != nil {
		text += say(" with the MAC address %s", c.MAC)
	}
	if c.State != "" {
		text += say(" in the state %s", c.State)
	}
	return text
}

func (c HasNeighbour) Needs() Needs { return Needs{Class: ByTraces} }

func (c HasNeighbour) Judge(known Evidence) Finding {
	return known.ofNamespace(c.Netns, func(n *state.Namespace) Finding {
		dev := ""
		if zone := c.Addr.Zone(); zone != "" {
			l := n.Link(zone)
			if l == nil {
				return finding(c.Not, noLink(known.State, n, zone))
			}
			dev = l.Name
		}
		var same []state.Neighbour
		for _, e := range n.Neighbours {
			if e.Addr.WithZone("") != c.Addr.WithZone("") || e.Proxy || dev != "" && e.Dev != dev {
				continue
			}
			if c.is(e) {
				return finding(!c.Not, state.NeighbourText(e))
			}
			same = append(same, e)
		}
		if len(same) == 0 {
			return finding(c.Not, "no entry for it; the neighbours: "+list(n.Neighbours, state.NeighbourText))
		}
		return finding(c.Not, list(same, state.NeighbourText))
	})
}

// is reports whether an entry for the address is what the claim says it is.
func (c HasNeighbour) is(e state.Neighbour) bool {
	switch {
	case c.MAC != nil && !strings.EqualFold(e.MAC, c.MAC.String()):
		return false
	case c.State != "":
		return e.State == c.State
	}
	return e.MAC != "" && e.State != "failed"
}

// unsettledBy: who asks for a neighbour becomes one of that neighbour itself.
func (c HasNeighbour) unsettledBy(s *state.State, p state.Pending) bool {
	if p.Kind == state.PendingNeighbour {
		return p.Netns == c.Netns && p.Addr.WithZone("") == c.Addr.WithZone("") || resolvable(s, p.Addr)
	}
	return ofFamily(ipVersion(c.Addr), s, p)
}

func (c HasNeighbour) Mutants() Mutants {
	addr := c.Addr.WithZone("").String()
	mac := "02:00:00:00:77:77"
	if c.Not && c.MAC != nil {
		mac = c.MAC.String()
	}
	entry := func(nud string) Way {
		lladdr := word(unresolved(nud), "", " lladdr "+mac)
		return Way{Name: "an entry that is " + nud, Commands: func(s *state.State) []string {
			return eachLink(s, c.Netns, "neigh replace "+addr+lladdr+" dev %s nud "+nud)
		}}
	}
	if c.Not {
		wanted := c.State
		if wanted == "" {
			wanted = "permanent"
		}
		return Mutants{Own: []Way{entry(wanted)}, Gone: withoutNetns(c.Netns)}
	}
	ways := []Way{by(in(c.Netns, "neigh flush all")), by(in(c.Netns, "neigh flush nud permanent")),
		by(in(c.Netns, "neigh flush nud all")), allDown(c.Netns)}
	if c.State != "" {
		other := "permanent"
		if c.State == other {
			other = "stale"
		}
		ways = append([]Way{entry(other)}, ways...)
	}
	if c.MAC != nil {
		ways = append([]Way{entry("permanent")}, ways...)
	}
	return Mutants{Own: ways}
}
