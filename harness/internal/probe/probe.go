// Package probe asks the kernel and the network whether a packet gets through: route lookup, ICMP echo, TCP, UDP,
// neighbour resolution. It may be imported by lab and by the command line; it never uses the driver under test, and
// never sends a packet from any but the given namespace.
package probe

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Place gives access to namespaces by name: a *netns.World to those of a lab, a netns.Machine to those of the machine.
type Place interface {
	// Do runs f in a namespace; f must not block.
	Do(name string, f func() error) error
	// Go runs f, which may block, on a thread of its own in a namespace.
	Go(name string, f func() error) error
	// Netlink opens an rtnetlink handle in a namespace.
	Netlink(name string) (*netlink.Handle, error)
}

// How long a probe waits for an answer. Between namespaces that takes microseconds: the kernel usually delivers the
// answer before the request's sendto(2) returns.
const (
	// Brief is for probes that expect silence.
	Brief = 30 * time.Millisecond
	// Window is for probes that expect an answer and are repeated without one.
	Window = 100 * time.Millisecond
	// Long is for probes that expect an answer and are not repeated.
	Long = 400 * time.Millisecond
)

// usualBytes is the default payload of ping(8).
const usualBytes = 56

// EchoRequest is one ICMP echo request. The zone of Dest, if any, is an interface name.
type EchoRequest struct {
	Dest  netip.Addr
	From  netip.Addr // source address, or the zero Addr
	Bytes int        // payload in bytes, with DF set; 0 for 56 bytes, DF by default of the kernel
	ID    uint16     // the identifier in the message; 0 for one by chance
}

// EchoResult is the outcome of an echo request. Found describes it: `reply in 50µs`, `no reply within 100ms; neighbour
// 10.0.0.1 dev eth0 INCOMPLETE`, `look up the route: network is unreachable (ENETUNREACH)`.
type EchoResult struct {
	Reached bool
	Found   string
	Errno   syscall.Errno
	Unsent  bool // nothing was sent, since the outgoing link has no carrier
}

// Echo sends an echo request from the namespace and waits for the reply for at most the time of listen, and not at all
// if the state of the kernel rules a reply out. The request is sent on a raw socket of this program; without a reply
// the library sends another one, so that a single lost packet is not silence. The error is for a probe that could not
// be run.
func Echo(ctx context.Context, w Place, ns string, r EchoRequest, listen time.Duration) (EchoResult, error) {
	route, dead, err := sight(w, ns, RouteRequest{Dest: r.Dest, From: r.From, Protocol: echoProtocol(r.Dest)})
	if err != nil {
		return EchoResult{}, fmt.Errorf("send an echo request from %s to %s: %w", ns, r.Dest, err)
	}
	if dead != "" {
		return EchoResult{Found: dead, Errno: route.Errno, Unsent: route.Errno == 0}, nil
	}
	type way func(context.Context, Place, string, EchoRequest, time.Duration) (EchoResult, error)
	ways := []way{rawEcho, plainEcho}
	if r.Bytes > 0 || r.Dest.Zone() != "" {
		ways[1] = rawEcho // the library can neither set DF nor use a zone of another namespace
	}
	var result EchoResult
	for i, send := range ways {
		if i > 0 {
			askAfresh(w, ns, route, r.Dest)
		}
		result, err = send(ctx, w, ns, r, listen/time.Duration(len(ways)))
		if err != nil {
			return EchoResult{}, fmt.Errorf("send an echo request from %s to %s: %w", ns, r.Dest, err)
		}
		if result.Found != "" {
			return result, nil
		}
	}
	result.Found = fmt.Sprintf("no reply within %v%s", listen, neighbourWords(w, ns, route, r.Dest))
	return result, nil
}

// pinger is a library that sends an ordinary ping from the namespace of the calling thread and waits for the reply.
// Without a reply, Found is "".
type pinger interface {
	ping(ctx context.Context, r EchoRequest, window time.Duration) (EchoResult, error)
}

var library pinger = goPing{}

// plainEcho is a ping by the library, on a thread in the namespace, since the library opens its socket and waits in a
// single call.
func plainEcho(ctx context.Context, w Place, ns string, r EchoRequest, window time.Duration) (result EchoResult,
	err error) {
	err = w.Go(ns, func() error {
		result, err = library.ping(ctx, r, window)
		return err
	})
	return result, err
}

// refusal reports whether an errno is the kernel's answer to the request, not a fault of the probe itself.
func refusal(errno syscall.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL, unix.EMSGSIZE, unix.EPERM, unix.ENETDOWN,
		unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO, unix.ENOBUFS, unix.EHOSTDOWN, unix.ECONNREFUSED:
		return true
	}
	return false
}

func echoProtocol(dest netip.Addr) uint8 {
	if dest.Is6() {
		return unix.IPPROTO_ICMPV6
	}
	return unix.IPPROTO_ICMP
}

// sight looks up the route before anything is sent; dead is the reason why no reply can arrive, "" for none. The
// request has the protocol and the port of the packet, since rules may ask for them.
func sight(w Place, ns string, r RouteRequest) (route LookupResult, dead string, err error) {
	h, err := w.Netlink(ns)
	if err != nil {
		return route, "", err
	}
	defer h.Close()
	if route, err = lookup(w, ns, h, r); err != nil {
		return route, "", err
	}
	if route.Errno != 0 {
		return route, inWords("look up the route", route.Errno), nil
	}
	// Reading the link has also run the pending link-watch work (net/core/link_watch.c), so that the first packet is
	// not lost.
	if route.Type == "unicast" && route.operState == netlink.OperDown {
		return route, fmt.Sprintf("%s, the outgoing link, has no carrier", route.Dev), nil
	}
	return route, "", nil
}

// askAfresh is AskAfresh for the next hop of a route.
func askAfresh(w Place, ns string, route LookupResult, dest netip.Addr) {
	AskAfresh(w, ns, route.Dev, nextHop(route, dest))
}

// AskAfresh makes the kernel solicit a neighbour's link-layer address again with the next packet, by deleting an
// incomplete entry. The kernel solicits once a second: an entry from an earlier probe would otherwise delay the
// resolution of an address that has appeared since.
func AskAfresh(w Place, ns, dev string, addr netip.Addr) {
	h, err := w.Netlink(ns)
	if err != nil {
		return // the following probe reports it
	}
	defer h.Close()
	if entry, ok := neighbour(h, dev, addr); ok && entry.State == netlink.NUD_INCOMPLETE {
		h.NeighDel(&entry) // it may be gone already
	}
}

func nextHop(route LookupResult, dest netip.Addr) netip.Addr {
	if route.Via.IsValid() {
		return route.Via
	}
	return dest.WithZone("")
}

// neighbourWords describes the neighbour entry of the next hop; "" if there is none.
func neighbourWords(w Place, ns string, route LookupResult, dest netip.Addr) string {
	hop := nextHop(route, dest)
	h, err := w.Netlink(ns)
	if err != nil {
		return ""
	}
	defer h.Close()
	entry, ok := neighbour(h, route.Dev, hop)
	if !ok {
		return ""
	}
	return fmt.Sprintf("; neighbour %s dev %s %s", hop, route.Dev, state.NeighbourStateName(uint16(entry.State)))
}
