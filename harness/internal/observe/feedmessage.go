package observe

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// read turns a message of the kernel into an event and updates the existing objects; not ok for messages that no check
// can ask for.
func (r *Recorder) read(kind, flags uint16, body []byte) (Event, bool) {
	switch kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return r.readLink(kind == unix.RTM_DELLINK, body)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		return r.readAddress(kind == unix.RTM_DELADDR, body)
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		return r.readRoute(kind == unix.RTM_DELROUTE, flags&unix.NLM_F_REPLACE != 0, body)
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
		return r.readNeighbour(kind == unix.RTM_DELNEIGH, body)
	}
	return Event{}, false
}

func verb(deleted, there bool) string {
	switch {
	case deleted:
		return "del"
	case there:
		return "change"
	}
	return "add"
}

func (r *Recorder) readLink(deleted bool, body []byte) (Event, bool) {
	if len(body) < unix.SizeofIfInfomsg {
		return Event{}, false
	}
	index := int(int32(native.Uint32(body[4:])))
	_, there := r.names[index]
	name := ""
	attributes(body[unix.SizeofIfInfomsg:], func(kind uint16, data []byte) {
		if kind == unix.IFLA_IFNAME {
			name = text(data)
		}
	})
	if body[0] == unix.AF_BRIDGE && deleted { // a port left its bridge; the link is still there
		return Event{Object: "link", Verb: "change", Words: []string{name}}, true
	}
	if deleted {
		delete(r.names, index)
	} else {
		r.names[index] = name
	}
	return Event{Object: "link", Verb: verb(deleted, there), Words: []string{name}}, true
}

func (r *Recorder) readAddress(deleted bool, body []byte) (Event, bool) {
	if len(body) < unix.SizeofIfAddrmsg {
		return Event{}, false
	}
	var local, address netip.Addr
	attributes(body[unix.SizeofIfAddrmsg:], func(kind uint16, data []byte) {
		switch kind {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(data)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(data)
		}
	})
	if !local.IsValid() {
		local = address
	}
	prefix := netip.PrefixFrom(local, int(body[1])).String()
	dev := r.names[int(native.Uint32(body[4:]))]
	return Event{Object: "addr", Verb: r.count("addr "+prefix+" "+dev, deleted), Words: []string{prefix, "dev", dev}},
		true
}

func (r *Recorder) readNeighbour(deleted bool, body []byte) (Event, bool) {
	if len(body) < sizeofNeighbour || body[0] == unix.AF_BRIDGE {
		return Event{}, false
	}
	var address netip.Addr
	attributes(body[sizeofNeighbour:], func(kind uint16, data []byte) {
		if kind == unix.NDA_DST {
			address, _ = netip.AddrFromSlice(data)
		}
	})
	dev := r.names[int(native.Uint32(body[4:]))]
	return Event{Object: "neigh", Verb: r.count("neigh "+address.String()+" "+dev, deleted),
		Words: []string{address.String(), "dev", dev}}, true
}

// count updates the existing objects and returns the verb of the event.
func (r *Recorder) count(what string, deleted bool) string {
	v := verb(deleted, r.known[what])
	r.known[what] = !deleted
	return v
}

func (r *Recorder) readRoute(deleted, replaced bool, body []byte) (Event, bool) {
	if len(body) < unix.SizeofRtMsg || native.Uint32(body[8:])&unix.RTM_F_CLONED != 0 {
		return Event{}, false // a cached copy of a route
	}
	family, length, table := body[0], int(body[1]), uint64(body[4])
	var dest netip.Addr
	var pairs []string
	attributes(body[unix.SizeofRtMsg:], func(kind uint16, data []byte) {
		switch kind {
		case unix.RTA_DST:
			dest, _ = netip.AddrFromSlice(data)
		case unix.RTA_GATEWAY:
			via, _ := netip.AddrFromSlice(data)
			pairs = append(pairs, "via", via.String())
		case unix.RTA_OIF:
			pairs = append(pairs, "dev", r.names[int(number(data))])
		case unix.RTA_TABLE:
			table = number(data)
		}
	})
	pairs = append(pairs, "table", state.TableName(uint32(table)))
	to := "default"
	if dest.IsValid() {
		to = fmt.Sprintf("%s/%d", dest, length)
		if length == dest.BitLen() {
			to = dest.String()
		}
	} else if family != unix.AF_INET && family != unix.AF_INET6 {
		return Event{}, false
	}
	e := Event{Object: "route", Verb: verb(deleted, replaced), Words: append([]string{to}, pairs...)}
	if body[7] != unix.RTN_UNICAST {
		e.Type = state.RouteTypeName(body[7])
	}
	return e, true
}
