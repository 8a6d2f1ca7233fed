package claim

import (
	"errors"
	"fmt"

	"netnscheck/harness/state"
)

// CarriesVLAN is `p1` in `N` carries the VLAN `10`: it is in the VLAN table of a port of a bridge, or of a bridge
// itself. Untagged asks that frames of the VLAN leave there without a tag.
type CarriesVLAN struct {
	Iface
	VLAN          int
	Untagged, Not bool
}

func init() {
	add(Entry{
		Place: 255,
		Means: "the VLAN table of a port of a bridge, or of the bridge itself, as `bridge vlan` shows it, " +
			"whether `vlan_filtering` is on or not; tagged or untagged if nothing is said",
		Forms: []Form{
			says("`p1` in `N` carries the VLAN `10`", func(a arguments) Claim {
				return CarriesVLAN{Iface: a.iface(0), VLAN: a.int(2)}
			}),
			says("`p1` in `N` carries the VLAN `10` untagged", func(a arguments) Claim {
				return CarriesVLAN{Iface: a.iface(0), VLAN: a.int(2), Untagged: true}
			}),
			denies("`p1` in `N` does not carry the VLAN `10`", func(a arguments) Claim {
				return CarriesVLAN{Iface: a.iface(0), VLAN: a.int(2), Not: true}
			}),
		},
		Slots: map[string]Slot{"p1": ifaceName, "10": number("the id of a VLAN", 1, 4094)},
	})
}

func (c CarriesVLAN) Sentence() string {
	s := c.in() + either(c.Not, " does not carry", " carries") + say(" the VLAN %s", c.VLAN)
	return s + either(c.Untagged, " untagged", "")
}

func (c CarriesVLAN) Needs() Needs { return stateOnly() }

// Judge looks into the table. On a kernel without VLAN tables nothing could be said.
func (c CarriesVLAN) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(n *state.Namespace, l *state.Link) Finding {
		var table []state.PortVLAN
		bridge := l
		switch {
		case l.Bridge != nil:
			table = l.Bridge.VLANs
		case l.Port != nil:
			table, bridge = l.Port.VLANs, n.Link(l.Master)
		default:
			return finding(false, c.Name+" is "+bridgeOrPort.lacking)
		}
		found := "its VLANs: " + orNone(state.VLANsText(table))
		if bridge != nil && bridge.Bridge != nil {
			if bridge.Bridge.VLANProtocol == "" {
				return Finding{Err: errors.New("not judged: the kernel has no VLAN tables for bridges")}
			}
			if !bridge.Bridge.VLANFiltering {
				found += fmt.Sprintf("; %s does not filter by VLAN", bridge.Name)
			}
		}
		for _, v := range table {
			if v.ID == c.VLAN {
				return finding(!c.Not && (v.Untagged || !c.Untagged), found)
			}
		}
		return finding(c.Not, found)
	})
}

// unsettledBy: only commands change it.
func (c CarriesVLAN) unsettledBy(*state.State, state.Pending) bool { return false }

func (c CarriesVLAN) Mutants() Mutants {
	set := func(verb, rest string) []Way {
		line := fmt.Sprintf("bridge vlan %s dev %s vid %d%s", verb, c.Name, c.VLAN, rest)
		return []Way{by(execIn(c.Netns, "%s", line)), by(execIn(c.Netns, "%s self", line))}
	}
	ways := set("del", "")
	switch {
	case c.Not:
		ways = set("add", "")
	case c.Untagged:
		ways = append(ways, set("add", "")...) // the flags of a VLAN that is there already are replaced
	}
	return Mutants{Own: ways, Gone: without(c.Iface)}
}
