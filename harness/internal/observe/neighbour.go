package observe

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const sizeofNeighbour = 12 // struct ndmsg

// readNeighbours reads the ARP and NDP tables, then the proxy entries, for which there is a separate dump.
func (r *reading) readNeighbours() error {
	question := make([]byte, sizeofNeighbour)
	entries, err := dump(r.route, unix.RTM_GETNEIGH, question, r.parseNeighbour)
	if err != nil {
		return err
	}
	question[10] = unix.NTF_PROXY
	proxies, err := dump(r.route, unix.RTM_GETNEIGH, question, r.parseNeighbour)
	r.Neighbours = append(entries, proxies...)
	return err
}

func (r *reading) parseNeighbour(body []byte) (state.Neighbour, bool) {
	if len(body) < sizeofNeighbour || familyOf(body[0]) == 0 {
		return state.Neighbour{}, false
	}
	flags := body[10]
	n := state.Neighbour{
		Dev:    r.name(int(native.Uint32(body[4:]))),
		State:  state.NeighbourStateName(native.Uint16(body[8:])),
		Proxy:  flags&unix.NTF_PROXY != 0,
		Router: flags&unix.NTF_ROUTER != 0,
	}
	if n.Proxy {
		n.State = "" // proxy entries have none
	}
	attributes(body[sizeofNeighbour:], func(kind uint16, data []byte) {
		switch kind {
		case unix.NDA_DST:
			n.Addr, _ = netip.AddrFromSlice(data)
		case unix.NDA_LLADDR:
			n.MAC = hardware(data)
		}
	})
	return n, n.Addr.IsValid()
}

// readFDB reads the forwarding entries of bridges and vxlan devices. The same dump contains the unicast and multicast
// addresses that other devices receive; they are left out.
func (r *reading) readFDB() (err error) {
	question := make([]byte, unix.SizeofIfInfomsg)
	question[0] = unix.AF_BRIDGE
	r.FDB, err = dump(r.route, unix.RTM_GETNEIGH, question, r.parseFDB)
	return err
}

func (r *reading) parseFDB(body []byte) (state.FDBEntry, bool) {
	if len(body) < sizeofNeighbour || body[0] != unix.AF_BRIDGE {
		return state.FDBEntry{}, false
	}
	index := int(native.Uint32(body[4:]))
	nud := native.Uint16(body[8:])
	e := state.FDBEntry{
		Dev:       r.name(index),
		Learned:   nud&(unix.NUD_PERMANENT|unix.NUD_NOARP) == 0,
		Permanent: nud&unix.NUD_PERMANENT != 0,
	}
	attributes(body[sizeofNeighbour:], func(kind uint16, data []byte) {
		switch kind {
		case unix.NDA_LLADDR:
			e.MAC = hardware(data)
		case unix.NDA_DST:
			e.Dst, _ = netip.AddrFromSlice(data)
		case unix.NDA_VLAN:
			e.VLAN = int(number(data))
		case unix.NDA_MASTER:
			e.Master = r.name(int(number(data)))
		}
	})
	l := r.link(index)
	return e, e.Master != "" || l != nil && l.Kind == "vxlan"
}

// readPortVLANs reads the VLANs of each bridge port, if the kernel supports VLAN filtering.
func (r *reading) readPortVLANs() error {
	const withVLANs = 1 << 1 // RTEXT_FILTER_BRVLAN
	question := make([]byte, unix.SizeofIfInfomsg)
	question[0] = unix.AF_BRIDGE
	question = attribute(question, unix.IFLA_EXT_MASK, native.AppendUint32(nil, withVLANs))
	type ofPort struct {
		index int
		vlans []state.PortVLAN
	}
	ports, err := dump(r.route, unix.RTM_GETLINK, question, func(body []byte) (ofPort, bool) {
		if len(body) < unix.SizeofIfInfomsg {
			return ofPort{}, false
		}
		p := ofPort{index: int(native.Uint32(body[4:]))}
		attributes(body[unix.SizeofIfInfomsg:], func(kind uint16, data []byte) {
			if kind == unix.IFLA_AF_SPEC {
				p.vlans = parsePortVLANs(data)
			}
		})
		return p, true
	})
	if err == unix.EOPNOTSUPP {
		return nil
	}
	for _, p := range ports {
		if l := r.link(p.index); l != nil && l.Port != nil {
			l.Port.VLANs = p.vlans
		}
	}
	return err
}

func parsePortVLANs(data []byte) []state.PortVLAN {
	const vlanInfo, pvid, untagged = 2, 1 << 1, 1 << 2 // IFLA_BRIDGE_VLAN_INFO and flags of struct bridge_vlan_info
	var vlans []state.PortVLAN
	attributes(data, func(kind uint16, data []byte) {
		if kind == vlanInfo && len(data) == 4 {
			flags := native.Uint16(data)
			vlans = append(vlans, state.PortVLAN{ID: int(native.Uint16(data[2:])), PVID: flags&pvid != 0,
				Untagged: flags&untagged != 0})
		}
	})
	return vlans
}
