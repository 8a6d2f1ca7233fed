package observe

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const (
	sizeofNeighbour = 12   // struct ndmsg
	ntfSticky       = 0x40 // NTF_STICKY, since 5.0
	ndaNexthopID    = 13   // NDA_NH_ID, since 5.8
)

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
	nud, flags := native.Uint16(body[8:]), body[10]
	e := state.FDBEntry{
		Dev:           r.name(index),
		Learned:       nud&(unix.NUD_PERMANENT|unix.NUD_NOARP) == 0,
		Permanent:     nud&unix.NUD_PERMANENT != 0,
		Sticky:        flags&ntfSticky != 0,
		ExternLearned: flags&unix.NTF_EXT_LEARNED != 0,
		Offloaded:     flags&unix.NTF_OFFLOADED != 0,
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
		case ndaNexthopID:
			e.NexthopID = uint32(number(data))
		}
	})
	l := r.link(index)
	return e, e.Master != "" || l != nil && l.Kind == "vxlan"
}
