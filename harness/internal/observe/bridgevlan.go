package observe

import (
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// vlanTable is the VLAN table of one link, a bridge or a port of one.
type vlanTable struct {
	index int
	vlans []state.PortVLAN
}

// readVLANs reads the VLAN tables of bridges and their ports, if the kernel supports VLAN filtering. One dump has both:
// each port, and each bridge by itself (rtnl_bridge_getlink in net/core/rtnetlink.c).
func (r *reading) readVLANs() error {
	// RTEXT_FILTER_BRVLAN_COMPRESSED: ranges instead of single VLANs, of which a trunk has up to 4,094.
	const compressed = 1 << 2
	question := make([]byte, unix.SizeofIfInfomsg)
	question[0] = unix.AF_BRIDGE
	question = attribute(question, unix.IFLA_EXT_MASK, native.AppendUint32(nil, compressed))
	tables, err := dump(r.route, unix.RTM_GETLINK, question, parseVLANTable)
	if err == unix.EOPNOTSUPP {
		return nil
	}
	for _, t := range tables {
		switch l := r.link(t.index); {
		case l == nil:
		case l.Port != nil:
			l.Port.VLANs = t.vlans
		case l.Bridge != nil:
			l.Bridge.VLANs = t.vlans
		}
	}
	return err
}

// parseVLANTable reads one link's table. A device with a switch of its own answers too, without VLANs.
func parseVLANTable(body []byte) (vlanTable, bool) {
	if len(body) < unix.SizeofIfInfomsg {
		return vlanTable{}, false
	}
	t := vlanTable{index: int(native.Uint32(body[4:]))}
	attributes(body[unix.SizeofIfInfomsg:], func(kind uint16, data []byte) {
		if kind == unix.IFLA_AF_SPEC {
			t.vlans = parseVLANs(data)
		}
	})
	return t, len(t.vlans) > 0
}

// parseVLANs reads a sequence of struct bridge_vlan_info (linux/if_bridge.h): single VLANs, and ranges as a pair of the
// first and the last one.
func parseVLANs(data []byte) []state.PortVLAN {
	const (
		vlanInfo = 2 // IFLA_BRIDGE_VLAN_INFO
		pvid     = 1 << 1
		untagged = 1 << 2
		begin    = 1 << 3
		end      = 1 << 4
		most     = 1<<12 - 1
	)
	var vlans []state.PortVLAN
	first := 0 // of a range whose end is yet to come
	attributes(data, func(kind uint16, data []byte) {
		if kind != vlanInfo || len(data) != 4 {
			return
		}
		flags, id := native.Uint16(data), int(native.Uint16(data[2:]))
		if flags&begin != 0 {
			first = id
			return
		}
		if flags&end == 0 || first == 0 {
			first = id
		}
		for ; first <= id && id <= most; first++ {
			vlans = append(vlans, state.PortVLAN{ID: first, PVID: flags&pvid != 0, Untagged: flags&untagged != 0})
		}
		first = 0
	})
	return vlans
}
