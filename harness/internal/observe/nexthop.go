package observe

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const (
	sizeofNexthop = 8 // struct nhmsg, include/uapi/linux/nexthop.h
	sizeofMember  = 8 // struct nexthop_grp
	// Attributes that golang.org/x/sys/unix lacks.
	nhaFDB, nhaResilient = 11, 12
)

// readNexthopObjects reads the nexthop objects. A kernel before 5.3 has none, and does not know the question.
func (r *reading) readNexthopObjects() (err error) {
	r.NexthopObjects, err = dump(r.route, unix.RTM_GETNEXTHOP, make([]byte, sizeofNexthop), r.parseNexthopObject)
	if err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}

func (r *reading) parseNexthopObject(body []byte) (state.NexthopObject, bool) {
	if len(body) < sizeofNexthop {
		return state.NexthopObject{}, false
	}
	o := state.NexthopObject{
		Family: familyOf(body[0]),
		Scope:  state.ScopeName(body[1]),
		Proto:  state.ProtocolName(body[2]),
	}
	o.Flags = hopFlags(native.Uint32(body[4:]))
	var tunnel encap
	attributes(body[sizeofNexthop:], func(kind uint16, data []byte) {
		switch kind {
		case unix.NHA_ID:
			o.ID = uint32(number(data))
		case unix.NHA_GROUP:
			o.Group = parseMembers(data)
		case nhaResilient:
			o.Resilient = parseResilient(data)
		case unix.NHA_BLACKHOLE:
			o.Blackhole = true
		case nhaFDB:
			o.FDB = true
		case unix.NHA_OIF:
			o.Dev = r.name(int(number(data)))
		case unix.NHA_GATEWAY:
			o.Via, _ = netip.AddrFromSlice(data)
		case unix.NHA_ENCAP:
			tunnel.data = data
		case unix.NHA_ENCAP_TYPE:
			tunnel.kind = number(data)
		}
	})
	o.Encap = tunnel.text()
	return o, o.ID != 0
}

// parseMembers reads the members of a group: an id, then the weight less one, whose upper byte is used since Linux
// 6.12.
func parseMembers(data []byte) (members []state.NexthopMember) {
	for ; len(data) >= sizeofMember; data = data[sizeofMember:] {
		weight := int(data[4]) | int(data[5])<<8
		members = append(members, state.NexthopMember{ID: native.Uint32(data), Weight: weight + 1})
	}
	return members
}

// parseResilient reads NHA_RES_GROUP_*. Times are in ticks of 1/100 s.
func parseResilient(data []byte) *state.Resilient {
	const buckets, idleTimer, unbalancedTimer, ticks = 1, 2, 3, 100
	var r state.Resilient
	attributes(data, func(kind uint16, data []byte) {
		switch n := int(number(data)); kind {
		case buckets:
			r.Buckets = n
		case idleTimer:
			r.IdleTimer = n / ticks
		case unbalancedTimer:
			r.UnbalancedTimer = n / ticks
		}
	})
	return &r
}

// followObjects gives the routes with a nexthop object the next hops that the kernel did not report with them (sysctl
// net.ipv4.nexthop_compat_mode 0).
func (r *reading) followObjects() {
	objects := map[uint32]*state.NexthopObject{}
	for i := range r.NexthopObjects {
		objects[r.NexthopObjects[i].ID] = &r.NexthopObjects[i]
	}
	for i := range r.Routes {
		route := &r.Routes[i]
		o := objects[route.NexthopID]
		if o == nil || len(route.Nexthops) > 0 {
			continue
		}
		if o.Blackhole {
			route.Type = "blackhole"
		}
		if len(o.Group) == 0 {
			route.Nexthops = []state.Nexthop{o.Nexthop}
			continue
		}
		for _, m := range o.Group {
			if member := objects[m.ID]; member != nil {
				hop := member.Nexthop
				hop.Weight = m.Weight
				route.Nexthops = append(route.Nexthops, hop)
			}
		}
	}
}
