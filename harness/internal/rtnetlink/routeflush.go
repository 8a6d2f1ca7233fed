package rtnetlink

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// flushRoutes is `ip route flush`: it deletes the routes that match all words of the filter. A table that does not
// exist, such as main in a new namespace, is a refusal.
func (s *session) flushRoutes(op operation.RouteFlush) error {
	if op.Cache {
		return s.flushRouteCache(op.Filter.Family)
	}
	filter, err := s.routeFilter(op.Filter)
	if err != nil {
		return err
	}
	return flush(func() ([]message, error) {
		dumped, err := s.dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE,
			func() nl.NetlinkRequestData { return &nl.RtMsg{RtMsg: unix.RtMsg{Family: filter.family}} },
			func(m message) {
				if filter.table != 0 {
					m.put(unix.RTA_TABLE, nl.Uint32Attr(filter.table))
				}
			})
		if err != nil {
			return nil, err
		}
		var deletions []message
		for _, msg := range dumped {
			matches, err := filter.matches(msg)
			if err != nil {
				return nil, err
			}
			if matches {
				deletions = append(deletions, s.again(unix.RTM_DELROUTE, msg))
			}
		}
		return deletions, nil
	})
}

// flushRouteCache deletes the kernel's exceptions to routes, such as path MTUs.
func (s *session) flushRouteCache(f operation.Family) error {
	key := "net.ipv4.route.flush"
	if f == operation.FamilyV6 {
		key = "net.ipv6.route.flush"
	}
	return s.enter(func() error { return writeSysctl(key, "1") })
}

// routeFilter is a filter with names resolved to numbers.
type routeFilter struct {
	operation.Route
	family           uint8
	table            uint32 // 0: all
	kind, proto      uint8
	scope            uint8
	dev              uint32
	hasProto, hasDev bool
	hasScope         bool
}

func (s *session) routeFilter(r operation.Route) (routeFilter, error) {
	f := routeFilter{Route: r, table: unix.RT_TABLE_MAIN, hasProto: r.Proto != "", hasDev: r.Dev != "",
		hasScope: r.Scope != ""}
	f.family = uint8(family(r.Family))
	if f.family == unix.AF_UNSPEC && r.Table != "all" {
		f.family = uint8(routeFamily(r))
	}
	var err error
	if r.Table == "all" {
		f.table = 0
	} else if r.Table != "" {
		if f.table, err = s.table(r.Table); err != nil {
			return f, err
		}
	}
	if r.Type != "" {
		kind, ok := operation.RouteTypes.Number(r.Type)
		if !ok {
			return f, wrong("node type value is invalid: %s", r.Type)
		}
		f.kind = uint8(kind)
	}
	if f.hasProto {
		if f.proto, err = s.protocol(r.Proto); err != nil {
			return f, err
		}
	}
	if f.hasScope {
		if f.scope, err = s.scope(r.Scope); err != nil {
			return f, err
		}
	}
	dev, err := s.optionalIndex(r.Dev)
	f.dev = uint32(dev)
	return f, err
}

func (f routeFilter) matches(msg []byte) (bool, error) {
	h := nl.DeserializeRtMsg(msg)
	attrs, err := attributes(msg, h.Len())
	if err != nil {
		return false, err
	}
	table := uint32(h.Table)
	if t, ok := attrs[unix.RTA_TABLE]; ok {
		table = number(t)
	}
	metric := number(attrs[unix.RTA_PRIORITY])
	switch {
	case h.Flags&unix.RTM_F_CLONED != 0,
		// fib6_null_entry, the kernel's own last entry: unreachable default metric 4294967295
		h.Family == unix.AF_INET6 && h.Dst_len == 0 && h.Type == unix.RTN_UNREACHABLE && metric == ^uint32(0),
		f.table != 0 && table != f.table,
		f.Type != "" && h.Type != f.kind,
		f.hasProto && h.Protocol != f.proto,
		f.hasScope && h.Scope != f.scope,
		f.hasDev && number(attrs[unix.RTA_OIF]) != f.dev,
		f.TOS != nil && h.Tos != *f.TOS,
		f.Metric != nil && metric != *f.Metric,
		f.Via.IsValid() && addr(attrs[unix.RTA_GATEWAY]) != f.Via,
		f.Src.IsValid() && addr(attrs[unix.RTA_PREFSRC]) != f.Src,
		f.Default && h.Dst_len != 0,
		!f.Default && f.To.IsValid() && (int(h.Dst_len) != f.To.Bits() || addr(attrs[unix.RTA_DST]) != f.To.Addr()),
		f.From.IsValid() && (int(h.Src_len) != f.From.Bits() || addr(attrs[unix.RTA_SRC]) != f.From.Addr()):
		return false, nil
	}
	return true, nil
}
