package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// LookupResult is the result of a route lookup by the kernel (RTM_GETROUTE).
type LookupResult struct {
	Type string // unicast, local, …
	Via  netip.Addr
	Dev  string
	Src  netip.Addr
	// Errno is 0 if there is a route, ENETUNREACH if there is none, EHOSTUNREACH, EACCES and EINVAL for an unreachable,
	// a prohibit and a blackhole route (fib_props in net/ipv4/fib_semantics.c). See also Refusal.
	Errno syscall.Errno

	operState netlink.LinkOperState // of Dev
}

// RouteRequest is a route lookup: a destination, whose zone, if any, is the outgoing link, and what else is known of
// the packet; zero is unknown.
type RouteRequest struct {
	Dest, From netip.Addr
	Mark       uint32
	// Iif is the index of the link on which the packet arrives; 0 for a packet that is sent here.
	Iif int
	// Protocol is IPPROTO_TCP or IPPROTO_UDP, with the destination port, or IPPROTO_ICMP or IPPROTO_ICMPV6: those that
	// the kernel takes (rtm_getroute_parse_ip_proto in net/ipv4/fib_frontend.c).
	Protocol uint8
	Port     uint16
}

// Lookup asks the kernel for a route in the namespace, as `ip route get DEST [from FROM] [iif LINK] [mark MARK]
// [ipproto PROTOCOL dport PORT]` does (inet_rtm_getroute in net/ipv4/route.c, inet6_rtm_getroute in net/ipv6/route.c).
func Lookup(ctx context.Context, w Place, ns string, r RouteRequest) (LookupResult, error) {
	h, err := w.Netlink(ns)
	if err != nil {
		return LookupResult{}, fmt.Errorf("look up the route to %s in %s: %w", r.Dest, ns, err)
	}
	defer h.Close()
	result, err := lookup(w, ns, h, r)
	if err != nil {
		return LookupResult{}, fmt.Errorf("look up the route to %s in %s: %w", r.Dest, ns, err)
	}
	return result, nil
}

// lookup is Lookup with a handle for the links of the namespace. The request goes through a socket of its own, since
// the library's has no protocol and no port.
func lookup(w Place, ns string, h *netlink.Handle, r RouteRequest) (LookupResult, error) {
	oif := 0
	if zone := r.Dest.Zone(); zone != "" {
		link, err := h.LinkByName(zone)
		var missing netlink.LinkNotFoundError
		switch {
		case errors.As(err, &missing):
			return LookupResult{Errno: unix.ENODEV}, nil
		case err != nil:
			return LookupResult{}, err
		}
		oif = link.Attrs().Index
	}
	socket, err := openRoute(w, ns)
	if err != nil {
		return LookupResult{}, err
	}
	defer socket.Close()
	answer, err := askForRoute(socket, r, oif)
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return LookupResult{Errno: errno}, nil
	case err != nil:
		return LookupResult{}, err
	}
	result, index, err := readRoute(answer)
	if err != nil {
		return LookupResult{}, err
	}
	link, err := h.LinkByIndex(index)
	if err != nil {
		return LookupResult{}, fmt.Errorf("find the link %d: %w", index, err)
	}
	result.Dev, result.operState = link.Attrs().Name, link.Attrs().OperState
	return result, nil
}

// openRoute opens an rtnetlink socket in the namespace.
func openRoute(w Place, ns string) (socket *nl.NetlinkSocket, err error) {
	err = w.Do(ns, func() (err error) {
		socket, err = nl.Subscribe(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		if socket != nil {
			socket.Close() // it was opened, but the thread could not return
		}
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	return socket, nil
}

// askForRoute sends the request (RTM_GETROUTE, rtnetlink(7)) and returns the message with the answer. A refusal is a
// syscall.Errno.
func askForRoute(socket *nl.NetlinkSocket, r RouteRequest, oif int) ([]byte, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, 0)
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: socket}}
	put := func(attribute int, value []byte) { request.AddData(nl.NewRtAttr(attribute, value)) }
	header := &nl.RtMsg{}
	header.Family, header.Dst_len = uint8(family(r.Dest)), uint8(r.Dest.BitLen())
	request.AddData(header)
	put(unix.RTA_DST, r.Dest.WithZone("").AsSlice())
	if r.From.IsValid() {
		header.Src_len = uint8(r.From.BitLen())
		put(unix.RTA_SRC, r.From.WithZone("").AsSlice())
	}
	if r.Iif != 0 {
		put(unix.RTA_IIF, nl.Uint32Attr(uint32(r.Iif)))
	}
	if oif != 0 {
		put(unix.RTA_OIF, nl.Uint32Attr(uint32(oif)))
	}
	if r.Mark != 0 {
		put(unix.RTA_MARK, nl.Uint32Attr(r.Mark))
	}
	if r.Protocol != 0 { // since Linux 4.18
		put(unix.RTA_IP_PROTO, nl.Uint8Attr(r.Protocol))
	}
	if r.Port != 0 {
		put(unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, r.Port))
	}
	answers, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
	if err == nil && len(answers) != 1 {
		err = fmt.Errorf("the kernel returned %d routes", len(answers))
	}
	if err != nil {
		return nil, err
	}
	return answers[0], nil
}

// readRoute reads the kernel's answer: the route, and the index of its link.
func readRoute(answer []byte) (r LookupResult, dev int, err error) {
	header := nl.DeserializeRtMsg(answer)
	r.Type = state.RouteTypeName(header.Type)
	attributes, err := nl.ParseRouteAttr(answer[header.Len():])
	if err != nil {
		return r, 0, fmt.Errorf("read the kernel's answer: %w", err)
	}
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.RTA_GATEWAY:
			r.Via = address(a.Value)
		case unix.RTA_VIA: // a gateway of the other family, after its family (struct rtvia)
			if len(a.Value) > 2 {
				r.Via = address(a.Value[2:])
			}
		case unix.RTA_PREFSRC:
			r.Src = address(a.Value)
		case unix.RTA_OIF:
			dev = int(nl.NativeEndian().Uint32(a.Value))
		}
	}
	return r, dev, nil
}

func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}

// Refusal describes the kernel's refusal of a lookup, and what it means (fib_props in net/ipv4/fib_semantics.c,
// fib4_rule_action in net/ipv4/fib_rules.c, ip_route_input_slow in net/ipv4/route.c); "" if there is a route.
func (r LookupResult) Refusal(asked RouteRequest) string {
	means := ""
	switch {
	case r.Errno == 0:
		return ""
	case r.Errno == unix.ENETUNREACH:
		means = "no route, or a rule or a route that answers as if there were none"
	case r.Errno == unix.EACCES:
		means = "a prohibit route or rule"
	case r.Errno == unix.EHOSTUNREACH && asked.Iif != 0:
		means = "an unreachable route, or an interface that does not forward"
	case r.Errno == unix.EHOSTUNREACH:
		means = "an unreachable route"
	case r.Errno == unix.EXDEV:
		means = "the reverse path filter: the reply would leave by another interface"
	case r.Errno == unix.EINVAL && asked.Iif != 0 && !asked.From.IsValid():
		means = "a packet that arrives needs a source, and nothing on the interface tells one: write from"
	case r.Errno == unix.EINVAL && asked.Iif != 0: // newer kernels answer so in place of EXDEV too
		means = "a blackhole route or rule, or a source that the interface does not take: one of the namespace " +
			"itself, or refused by the reverse path filter"
	case r.Errno == unix.EINVAL:
		means = "a blackhole route or rule"
	}
	text := fmt.Sprintf("%s (%s)", r.Errno.Error(), unix.ErrnoName(r.Errno))
	if means != "" {
		text += ": " + means
	}
	return text
}

// inWords describes a refusal by the kernel.
func inWords(doing string, errno syscall.Errno) string {
	return fmt.Sprintf("%s: %s (%s)", doing, errno.Error(), Name(errno))
}

// Name is the name of an errno, such as ENETUNREACH; "" for none.
func Name(errno syscall.Errno) string {
	if errno == 0 {
		return ""
	}
	return unix.ErrnoName(errno)
}
