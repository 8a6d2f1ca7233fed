package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// A bridge with VLAN filtering assigns each frame a VLAN at ingress (br_allowed_ingress(), net/bridge/br_vlan.c), and
// sends it out only of ports with that VLAN (br_allowed_egress()). Without filtering, frames pass with their tags
// unchanged.

func filtersVLANs(br port) bool { return br.l.Bridge != nil && br.l.Bridge.VLANFiltering }

// admitted is the VLAN of a frame inside a bridge, or the cause why the bridge drops it. entry is nil for a frame that
// the bridge itself sends.
func admitted(br port, entry *state.Link, tag int) (vlan int, misfit *Cause) {
	switch {
	case !filtersVLANs(br):
		return tag, nil
	case entry == nil || entry.Port == nil:
		if tag == 0 {
			return br.l.Bridge.DefaultPVID, nil
		}
		return tag, nil
	case tag != 0:
		if !allowed(br, entry, tag) {
			return tag, notAllowed(br, entry, tag)
		}
		return tag, nil
	}
	for _, v := range entry.Port.VLANs {
		if v.PVID {
			return v.ID, nil
		}
	}
	return 0, cause(causes.VLANMismatch, br.n, entry,
		"untagged frames come in by %s, which has no VLAN for them (no PVID)", entry.Name).
		proof(vlansShown(br.n, entry)...).fix(in(br.n, "bridge vlan add dev %s vid %d pvid untagged", entry.Name,
		max(1, br.l.Bridge.DefaultPVID)))
}

func allowed(br port, q *state.Link, vlan int) bool {
	return !filtersVLANs(br) || q.Port == nil || slices.ContainsFunc(q.Port.VLANs, func(v state.PortVLAN) bool {
		return v.ID == vlan
	})
}

func notAllowed(br port, q *state.Link, vlan int) *Cause {
	return cause(causes.VLANMismatch, br.n, q, "the port %s of %s does not have the VLAN %d of the frames",
		q.Name, br.l.Name, vlan).
		proof(vlansShown(br.n, q)...).fix(in(br.n, "bridge vlan add dev %s vid %d%s", q.Name, vlan, access(q)))
}

// access are the options for a port with untagged frames, an access port; "" for a trunk.
func access(q *state.Link) string {
	if q.Port != nil && slices.ContainsFunc(q.Port.VLANs, func(v state.PortVLAN) bool {
		return !v.PVID && !v.Untagged
	}) {
		return "" // a trunk
	}
	return " pvid untagged"
}

func vlansShown(n *state.Namespace, q *state.Link) (lines []string) {
	for _, v := range q.Port.VLANs {
		text := itoa(v.ID)
		if v.PVID {
			text += " PVID"
		}
		if v.Untagged {
			text += " Egress Untagged"
		}
		lines = append(lines, in(n, "bridge vlan show dev %s", q.Name)+": "+text)
	}
	if len(lines) == 0 {
		lines = append(lines, in(n, "bridge vlan show dev %s", q.Name)+": (nothing)")
	}
	return lines
}

// outside is the tag of a frame that leaves a bridge by a port, or (nil) goes to the bridge itself; 0 is none:
// br_handle_vlan(), net/bridge/br_vlan.c.
func outside(br port, q *state.Link, vlan int) int {
	if !filtersVLANs(br) {
		return vlan
	}
	if q == nil || q.Port == nil {
		if vlan == br.l.Bridge.DefaultPVID {
			return 0
		}
		return vlan
	}
	if slices.ContainsFunc(q.Port.VLANs, func(v state.PortVLAN) bool { return v.ID == vlan && v.Untagged }) {
		return 0
	}
	return vlan
}

// vlanMismatch: a VLAN link receives frames with another tag, or untagged ones.
func vlanMismatch(at port, tag int) *Cause {
	have := "no tag"
	if tag != 0 {
		have = "the tag " + itoa(tag)
	}
	return cause(causes.VLANMismatch, at.n, at.l, "%s in %s takes VLAN %d, and the frames that come have %s", at.l.Name,
		at.n.Name, at.l.VLAN.ID, have).
		proof(ip(at.n, "-d link show dev %s", at.l.Name) + ": vlan protocol 802.1Q id " + itoa(at.l.VLAN.ID))
}
