package observe

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const rtaNexthopID = 30 // RTA_NH_ID, since 5.3

// readRoutes reads the routes of all tables of both families, and the path MTUs, which are cached routes to single
// destinations.
func (r *reading) readRoutes() error {
	type answer struct {
		state.Route
		noted bool
	}
	all, err := dump(r.route, unix.RTM_GETROUTE, make([]byte, unix.SizeofRtMsg), func(body []byte) (answer, bool) {
		route, ok := r.parseRoute(body)
		return answer{route, ok && native.Uint32(body[8:])&unix.RTM_F_CLONED != 0}, ok
	})
	r.Routes, r.PathMTUs = nil, nil
	for _, a := range all {
		switch {
		case !a.noted:
			r.Routes = append(r.Routes, a.Route)
		case a.MTU > 0: // not a redirect
			r.PathMTUs = append(r.PathMTUs, a.Route)
		}
	}
	return err
}

func (r *reading) parseRoute(body []byte) (state.Route, bool) {
	if len(body) < unix.SizeofRtMsg {
		return state.Route{}, false
	}
	flags := native.Uint32(body[8:])
	family := familyOf(body[0])
	if family == 0 {
		return state.Route{}, false
	}
	route := state.Route{
		Family: family,
		Type:   state.RouteTypeName(body[7]),
		To:     netip.PrefixFrom(anyAddr(family), 0),
		TOS:    body[3],
		Table:  uint32(body[4]),
		Proto:  state.ProtocolName(body[5]),
		Scope:  state.ScopeName(body[6]),
	}
	var hop hop
	attributes(body[unix.SizeofRtMsg:], func(kind uint16, data []byte) {
		switch kind {
		case unix.RTA_DST:
			route.To = prefix(data, int(body[1]))
		case unix.RTA_SRC:
			route.From = prefix(data, int(body[2]))
		case unix.RTA_TABLE:
			route.Table = uint32(number(data))
		case unix.RTA_PREFSRC:
			route.Src, _ = netip.AddrFromSlice(data)
		case unix.RTA_PRIORITY:
			route.Metric = uint32(number(data))
		case unix.RTA_METRICS:
			routeMetrics(&route, data)
		case unix.RTA_PREF:
			route.Pref = map[uint64]string{0: "medium", 1: "high", 3: "low"}[number(data)]
		case rtaNexthopID:
			route.NexthopID = uint32(number(data))
		case unix.RTA_MULTIPATH:
			route.Nexthops = r.parseNexthops(data)
		default:
			r.nexthopAttribute(&hop, kind, data)
		}
	})
	if len(route.Nexthops) == 0 && (hop.Dev != "" || hop.Via.IsValid()) {
		hop.Flags = hopFlags(flags)
		route.Nexthops = []state.Nexthop{hop.read()}
	}
	return route, true
}

// hop is a next hop of which the attributes are being read.
type hop struct {
	state.Nexthop
	tunnel encap
}

// read is the next hop when all its attributes were read.
func (h hop) read() state.Nexthop {
	h.Encap = h.tunnel.text()
	return h.Nexthop
}

// nexthopAttribute reads an attribute that a route or each of its next hops can have.
func (r *reading) nexthopAttribute(hop *hop, kind uint16, data []byte) {
	switch kind {
	case unix.RTA_OIF:
		hop.Dev = r.name(int(number(data)))
	case unix.RTA_GATEWAY:
		hop.Via, _ = netip.AddrFromSlice(data)
	case unix.RTA_VIA:
		if len(data) > 2 { // a family before the address
			hop.Via, _ = netip.AddrFromSlice(data[2:])
		}
	case unix.RTA_ENCAP:
		hop.tunnel.data = data
	case unix.RTA_ENCAP_TYPE:
		hop.tunnel.kind = number(data)
	}
}

// parseNexthops reads the next hops of a multipath route, each a struct rtnexthop with attributes.
func (r *reading) parseNexthops(data []byte) []state.Nexthop {
	var hops []state.Nexthop
	for len(data) >= unix.SizeofRtNexthop {
		length := int(native.Uint16(data))
		if length < unix.SizeofRtNexthop || length > len(data) {
			break
		}
		hop := hop{Nexthop: state.Nexthop{
			Dev:    r.name(int(native.Uint32(data[4:]))),
			Weight: int(data[3]) + 1,
			Flags:  hopFlags(uint32(data[2])),
		}}
		attributes(data[unix.SizeofRtNexthop:length], func(kind uint16, data []byte) {
			r.nexthopAttribute(&hop, kind, data)
		})
		hops = append(hops, hop.read())
		data = data[min(align(length), len(data)):]
	}
	return hops
}

func hopFlags(flags uint32) []string {
	var names []string
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.RTNH_F_DEAD, "dead"}, {unix.RTNH_F_ONLINK, "onlink"}, {unix.RTNH_F_PERVASIVE, "pervasive"},
		{unix.RTNH_F_LINKDOWN, "linkdown"}, {unix.RTNH_F_UNRESOLVED, "unresolved"}, {unix.RTNH_F_OFFLOAD, "offload"},
		{unix.RTNH_F_TRAP, "trap"},
	} {
		if flags&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// familyOf is 4, 6, or 0 for another family.
func familyOf(family uint8) int {
	switch family {
	case unix.AF_INET:
		return 4
	case unix.AF_INET6:
		return 6
	}
	return 0
}

func anyAddr(family int) netip.Addr {
	if family == 4 {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func prefix(data []byte, bits int) netip.Prefix {
	a, _ := netip.AddrFromSlice(data)
	return netip.PrefixFrom(a, bits)
}
