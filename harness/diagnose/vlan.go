package diagnose

import (
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// A bridge that filters VLANs gives each frame a VLAN where it comes in, and lets it out of the ports alone that have
// that VLAN. Without filtering a tag is a part of the frame like any other, and all of this lets it through as it is.

func filtersVLANs(br port) bool { return br.l.Bridge != nil && br.l.Bridge.VLANFiltering }

// admitted is the VLAN that a frame has inside a bridge, or why it is not let in. entry is nil for what the bridge
// sends itself.
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
		"frames without a tag come in by %s, which has no VLAN for them (no PVID)", entry.Name).
		proof(vlansShown(br.n, entry)...).mend(in(br.n, "bridge vlan add dev %s vid %d pvid untagged", entry.Name,
		max(1, br.l.Bridge.DefaultPVID)))
}

func allowed(br port, q *state.Link, vlan int) bool {
	return !filtersVLANs(br) || q.Port == nil || slices.ContainsFunc(q.Port.VLANs, func(v state.PortVLAN) bool {
		return v.ID == vlan
	})
}

func notAllowed(br port, q *state.Link, vlan int) *Cause {
	return cause(causes.VLANMismatch, br.n, q, "the port %s of %s does not have the VLAN %d, in which the frames are",
		q.Name, br.l.Name, vlan).
		proof(vlansShown(br.n, q)...).mend(in(br.n, "bridge vlan add dev %s vid %d%s", q.Name, vlan, access(q)))
}

// access are the words for a port that takes and gives frames without a tag.
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

// outside is the tag that a frame has when it leaves a bridge, by a port or (nil) to the bridge itself.
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

// vlanMismatch: a vlan gets frames with another tag, or with none.
func vlanMismatch(at port, tag int) *Cause {
	have := "no tag"
	if tag != 0 {
		have = "the tag " + itoa(tag)
	}
	return cause(causes.VLANMismatch, at.n, at.l, "%s in %s takes VLAN %d, and the frames that come have %s", at.l.Name,
		at.n.Name, at.l.VLAN.ID, have).
		proof(ip(at.n, "-d link show dev %s", at.l.Name) + ": vlan protocol 802.1Q id " + itoa(at.l.VLAN.ID))
}
