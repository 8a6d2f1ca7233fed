package rtnetlink

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// changeRoute is `ip route add|change|replace|append|prepend|del`.
func (s *session) changeRoute(op operation.RouteChange) error {
	kind, flags := unix.RTM_NEWROUTE, 0
	switch op.Verb {
	case operation.Add:
		flags = unix.NLM_F_CREATE | unix.NLM_F_EXCL
	case operation.Change:
		flags = unix.NLM_F_REPLACE
	case operation.Replace:
		flags = unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	case operation.Append:
		flags = unix.NLM_F_CREATE | unix.NLM_F_APPEND
	case operation.Prepend:
		flags = unix.NLM_F_CREATE
	case operation.Delete:
		kind = unix.RTM_DELROUTE
	}
	header, err := s.routeHeader(op)
	if err != nil {
		return err
	}
	m := s.request(kind, flags, header)
	if err := s.putRoute(m, header, op.Route); err != nil {
		return err
	}
	return m.send()
}

// routeHeader is the fixed part of a route, with iproute2's defaults: a deletion matches any type, any protocol and, in
// IPv4, any scope that was not given.
func (s *session) routeHeader(op operation.RouteChange) (*nl.RtMsg, error) {
	r := op.Route
	header := &nl.RtMsg{}
	header.Family = uint8(routeFamily(r))
	header.Protocol, header.Type = unix.RTPROT_BOOT, unix.RTN_UNICAST
	if op.Verb == operation.Delete {
		header.Protocol, header.Type = unix.RTPROT_UNSPEC, unix.RTN_UNSPEC
	}
	var err error
	if r.Type != "" {
		kind, ok := operation.RouteTypes.Number(r.Type)
		if !ok {
			return nil, wrong("argument %q is wrong: invalid type", r.Type)
		}
		header.Type = uint8(kind)
	}
	if r.Proto != "" {
		if header.Protocol, err = s.protocol(r.Proto); err != nil {
			return nil, err
		}
	}
	if r.Scope != "" {
		if header.Scope, err = s.scope(r.Scope); err != nil {
			return nil, err
		}
	} else {
		header.Scope = defaultScope(header, op)
	}
	if r.TOS != nil {
		header.Tos = *r.TOS
	}
	if r.OnLink {
		header.Flags |= unix.RTNH_F_ONLINK
	}
	return header, nil
}

// routeFamily is the family given in the command or implied by its addresses; the default is IPv4.
func routeFamily(r operation.Route) int {
	if f := family(r.Family); f != unix.AF_UNSPEC {
		return f
	}
	for _, a := range []netip.Addr{r.To.Addr(), r.Via, r.Src, r.From.Addr()} {
		if f := familyOf(a); f != unix.AF_UNSPEC {
			return f
		}
	}
	for _, hop := range r.Nexthops {
		if f := familyOf(hop.Via); f != unix.AF_UNSPEC {
			return f
		}
	}
	return unix.AF_INET
}

// defaultScope is the scope that iproute2 gives to a route without one.
func defaultScope(header *nl.RtMsg, op operation.RouteChange) uint8 {
	if header.Family == unix.AF_INET6 {
		return unix.RT_SCOPE_UNIVERSE
	}
	switch header.Type {
	case unix.RTN_LOCAL, unix.RTN_NAT:
		return unix.RT_SCOPE_HOST
	case unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
		return unix.RT_SCOPE_LINK
	case unix.RTN_UNICAST, unix.RTN_UNSPEC:
		if op.Verb == operation.Delete {
			return unix.RT_SCOPE_NOWHERE
		}
		if !op.Route.Via.IsValid() && len(op.Route.Nexthops) == 0 && op.Route.NexthopID == nil {
			return unix.RT_SCOPE_LINK
		}
	}
	if op.Verb == operation.Delete {
		return unix.RT_SCOPE_NOWHERE
	}
	return unix.RT_SCOPE_UNIVERSE
}

func (s *session) putRoute(m message, header *nl.RtMsg, r operation.Route) error {
	if r.To.IsValid() && !r.Default {
		header.Dst_len = uint8(r.To.Bits())
		m.put(unix.RTA_DST, r.To.Addr().AsSlice())
	}
	if r.From.IsValid() {
		header.Src_len = uint8(r.From.Bits())
		m.put(unix.RTA_SRC, r.From.Addr().AsSlice())
	}
	table, err := s.routeTable(r)
	if err != nil {
		return err
	}
	putTable(m, header, table)
	putGateway(m.put, int(header.Family), r.Via)
	if r.Dev != "" {
		dev, err := s.index(r.Dev)
		if err != nil {
			return err
		}
		m.put(unix.RTA_OIF, nl.Uint32Attr(uint32(dev)))
	}
	if r.Src.IsValid() {
		m.put(unix.RTA_PREFSRC, r.Src.AsSlice())
	}
	if r.Metric != nil {
		m.put(unix.RTA_PRIORITY, nl.Uint32Attr(*r.Metric))
	}
	if r.Pref != "" {
		prefs := map[string]uint8{"medium": 0, "high": 1, "low": 3} // RFC 4191, 2.1
		pref, ok := prefs[r.Pref]
		if !ok {
			return wrong("argument %q is wrong: \"pref\" value is invalid", r.Pref)
		}
		m.put(unix.RTA_PREF, nl.Uint8Attr(pref))
	}
	if r.NexthopID != nil {
		m.put(rtaNexthopID, nl.Uint32Attr(*r.NexthopID))
	}
	if r.Expires != nil {
		m.put(unix.RTA_EXPIRES, nl.Uint32Attr(*r.Expires))
	}
	if err := s.putEncap(m.put, unix.RTA_ENCAP, unix.RTA_ENCAP_TYPE, r.Encap); err != nil {
		return err
	}
	putMetrics(m, r)
	return s.putNexthops(m, int(header.Family), r.Nexthops)
}

const rtaNexthopID = 30 // RTA_NH_ID, linux/rtnetlink.h

// putTable sets the routing table. If table is nil, it is main, but local for local, broadcast, anycast and nat routes.
func putTable(m message, header *nl.RtMsg, table *uint32) {
	if table == nil {
		header.Table = unix.RT_TABLE_MAIN
		switch header.Type {
		case unix.RTN_LOCAL, unix.RTN_BROADCAST, unix.RTN_NAT, unix.RTN_ANYCAST:
			header.Table = unix.RT_TABLE_LOCAL
		}
		return
	}
	if *table < 256 {
		header.Table = uint8(*table)
		return
	}
	header.Table = unix.RT_TABLE_UNSPEC
	m.put(unix.RTA_TABLE, nl.Uint32Attr(*table))
}

// routeTable is the table of a route, which may be that of a VRF link; nil if none is written.
func (s *session) routeTable(r operation.Route) (*uint32, error) {
	switch {
	case r.VRF != "":
		table, err := s.vrfTable(r.VRF)
		return &table, err
	case r.Table == "":
		return nil, nil
	}
	table, err := s.table(r.Table)
	return &table, err
}

// putGateway adds the address of the next hop, as a struct rtvia if its family is not that of the route.
func putGateway(put func(int, []byte), family int, via netip.Addr) {
	switch {
	case !via.IsValid():
	case familyOf(via) == family:
		put(unix.RTA_GATEWAY, via.AsSlice())
	default:
		put(unix.RTA_VIA, append(nl.Uint16Attr(uint16(familyOf(via))), via.AsSlice()...))
	}
}

// putMetrics adds the metrics of a route, such as its MTU (RTA_METRICS).
func putMetrics(m message, r operation.Route) {
	metrics := nl.NewRtAttr(unix.RTA_METRICS, nil)
	locks := putMoreMetrics(metrics, r.Metrics)
	if r.MTULock {
		locks |= 1 << unix.RTAX_MTU
	}
	if locks != 0 {
		metrics.AddRtAttr(unix.RTAX_LOCK, nl.Uint32Attr(locks))
	}
	for _, v := range []struct {
		attribute int
		value     *int
	}{{unix.RTAX_MTU, r.MTU}, {unix.RTAX_WINDOW, r.Window}, {unix.RTAX_ADVMSS, r.AdvMSS}} {
		if v.value != nil {
			metrics.AddRtAttr(v.attribute, nl.Uint32Attr(uint32(*v.value)))
		}
	}
	if metrics.Len() > unix.SizeofRtAttr {
		m.AddData(metrics)
	}
}

func (s *session) putNexthops(m message, family int, hops []operation.Nexthop) error {
	if len(hops) == 0 {
		return nil
	}
	var list []byte
	for _, hop := range hops {
		dev, err := s.optionalIndex(hop.Dev)
		if err != nil {
			return err
		}
		h := nl.RtNexthop{RtNexthop: unix.RtNexthop{Ifindex: int32(dev), Hops: uint8(max(hop.Weight, 1) - 1)}}
		if hop.OnLink {
			h.Flags |= unix.RTNH_F_ONLINK
		}
		putGateway(func(attribute int, value []byte) {
			h.Children = append(h.Children, nl.NewRtAttr(attribute, value))
		}, family, hop.Via)
		err = s.putEncap(func(attribute int, value []byte) {
			h.Children = append(h.Children, nl.NewRtAttr(attribute, value))
		}, unix.RTA_ENCAP, unix.RTA_ENCAP_TYPE, hop.Encap)
		if err != nil {
			return err
		}
		list = append(list, h.Serialize()...)
	}
	m.put(unix.RTA_MULTIPATH, list)
	return nil
}

// vrfTable is the table of a VRF link (IFLA_VRF_TABLE).
func (s *session) vrfTable(name string) (uint32, error) {
	invalid := wrong("argument %q is wrong: Invalid VRF", name)
	m := s.request(unix.RTM_GETLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC))
	m.Flags &^= unix.NLM_F_ACK
	m.put(unix.IFLA_IFNAME, nl.ZeroTerminated(name))
	msgs, err := m.ask(unix.RTM_NEWLINK)
	if err != nil || len(msgs) != 1 {
		return 0, invalid
	}
	link, err := attributes(msgs[0], unix.SizeofIfInfomsg)
	if err != nil {
		return 0, err
	}
	info, err := attributes(link[unix.IFLA_LINKINFO], 0)
	if err != nil || unix.ByteSliceToString(info[nl.IFLA_INFO_KIND]) != "vrf" {
		return 0, invalid
	}
	data, err := attributes(info[nl.IFLA_INFO_DATA], 0)
	return number(data[nl.IFLA_VRF_TABLE]), err
}
