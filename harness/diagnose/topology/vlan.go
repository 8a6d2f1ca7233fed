package topology

import (
	"slices"
	"strconv"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// A bridge with VLAN filtering assigns each frame a VLAN at ingress (br_allowed_ingress(), net/bridge/br_vlan.c), and
// sends it out only of ports with that VLAN (br_allowed_egress()). Without filtering, frames pass with their tags
// unchanged.

func filtersVLANs(br facts.Port) bool { return br.L.Bridge != nil && br.L.Bridge.VLANFiltering }

// admitted is the VLAN of a frame inside a bridge, or the cause why the bridge drops it. entry is nil for a frame that
// the bridge itself sends.
func admitted(br facts.Port, entry *state.Link, tag int) (vlan int, misfit *finding.Cause) {
	switch {
	case !filtersVLANs(br):
		return tag, nil
	case entry == nil || entry.Port == nil:
		if tag == 0 {
			return br.L.Bridge.DefaultPVID, nil
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
	return 0, finding.New(causes.VLANMismatch, br.N, entry,
		"untagged frames come in by %s, which has no VLAN for them (no PVID)", entry.Name).
		Proof(words.VlansShown(br.N, entry)...).Fix(words.In(br.N, "bridge vlan add dev %s vid %d pvid untagged",
		entry.Name,
		max(1, br.L.Bridge.DefaultPVID)))
}

func allowed(br facts.Port, q *state.Link, vlan int) bool {
	return !filtersVLANs(br) || q.Port == nil || slices.ContainsFunc(q.Port.VLANs, func(v state.PortVLAN) bool {
		return v.ID == vlan
	})
}

func notAllowed(br facts.Port, q *state.Link, vlan int) *finding.Cause {
	return finding.New(causes.VLANMismatch, br.N, q, "the port %s of %s does not have the VLAN %d of the frames",
		q.Name, br.L.Name, vlan).
		Proof(words.VlansShown(br.N, q)...).Fix(words.In(br.N, "bridge vlan add dev %s vid %d%s", q.Name, vlan,
		access(q)))
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

// outside is the tag of a frame that leaves a bridge by a port, or (nil) goes to the bridge itself; 0 is none:
// br_handle_vlan(), net/bridge/br_vlan.c.
func outside(br facts.Port, q *state.Link, vlan int) int {
	if !filtersVLANs(br) {
		return vlan
	}
	if q == nil || q.Port == nil {
		if vlan == br.L.Bridge.DefaultPVID {
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
func vlanMismatch(at facts.Port, tag int) *finding.Cause {
	have := "no tag"
	if tag != 0 {
		have = "the tag " + strconv.Itoa(tag)
	}
	return finding.New(causes.VLANMismatch, at.N, at.L, "%s in %s takes VLAN %d, and the frames that come have %s",
		at.L.Name,
		at.N.Name, at.L.VLAN.ID, have).
		Proof(words.IP(at.N, "-d link show dev %s",
			at.L.Name) + ": vlan protocol 802.1Q id " + strconv.Itoa(at.L.VLAN.ID))
}
