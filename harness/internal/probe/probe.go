// Package probe asks the kernel and the network whether a packet gets through: route look-up, ICMP echo, TCP connect,
// neighbour resolution. It may be imported by lab and by the command line; it never goes through the driver under test
// and never sends a packet outside the namespaces it is given.
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

// Place has the namespaces from which probes are sent, by their names: a *netns.World those of a lab, a netns.Machine
// those of the machine.
type Place interface {
	// Do runs f inside a namespace; f does not block.
	Do(name string, f func() error) error
	// Go runs f, which may block, on a thread of its own inside a namespace.
	Go(name string, f func() error) error
	// Netlink opens an rtnetlink handle in a namespace.
	Netlink(name string) (*netlink.Handle, error)
}

// How long a probe listens. Between namespaces an answer is there in microseconds: the kernel mostly delivers it before
// the request's sendto(2) returns, unless it is busy.
const (
	// Brief is for where silence is expected.
	Brief = 30 * time.Millisecond
	// Window is for where an answer is expected, and asked for again if it does not come.
	Window = 100 * time.Millisecond
	// Long is for where an answer is expected, and asked for once.
	Long = 400 * time.Millisecond
)

// usualBytes is the payload of a ping of which nothing else is said.
const usualBytes = 56

// EchoRequest is one ICMP echo. Dest may have a zone that is an interface name.
type EchoRequest struct {
	Dest  netip.Addr
	From  netip.Addr // source address, or not valid
	Bytes int        // payload in bytes, with DF set; 0: the usual 56, DF as the kernel likes
}

// EchoResult is what came back. Found says it in words: `reply in 50µs`, `no reply within 100ms; neighbour 10.0.0.1 dev
// eth0 INCOMPLETE`, `look up the route: network is unreachable (ENETUNREACH)`.
type EchoResult struct {
	Reached bool
	Found   string
	Errno   syscall.Errno
}

// Echo sends an echo request from the namespace and listens for the reply so long, and not at all where the kernel's
// state shows that none can come. The request goes out on a socket of our own; before silence is believed the library
// asks as well, so that one lost packet is no silence. The error is for what kept the probe itself from being carried
// out.
func Echo(ctx context.Context, w Place, ns string, r EchoRequest, listen time.Duration) (EchoResult, error) {
	route, dead, err := sight(w, ns, r)
	if err != nil {
		return EchoResult{}, fmt.Errorf("send an echo request from %s to %s: %w", ns, r.Dest, err)
	}
	if dead != "" {
		return EchoResult{Found: dead, Errno: route.Errno}, nil
	}
	type way func(context.Context, Place, string, EchoRequest, time.Duration) (EchoResult, error)
	ways := []way{rawEcho, plainEcho}
	if r.Bytes > 0 || r.Dest.Zone() != "" {
		ways[1] = rawEcho // the library knows neither DF nor zones that differ between namespaces
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

// pinger is a library that sends an ordinary ping from the namespace of the calling thread, and waits for the reply.
// Silence is a result without words.
type pinger interface {
	ping(ctx context.Context, r EchoRequest, window time.Duration) (EchoResult, error)
}

var library pinger = goPing{}

// plainEcho is a ping by the library, on a thread in the namespace, since a library opens its socket and waits in one
// go.
func plainEcho(ctx context.Context, w Place, ns string, r EchoRequest, window time.Duration) (result EchoResult,
	err error) {
	err = w.Go(ns, func() error {
		result, err = library.ping(ctx, r, window)
		return err
	})
	return result, err
}

// refusal tells the kernel's answers to what was asked from faults of the probe itself.
func refusal(errno syscall.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL, unix.EMSGSIZE, unix.EPERM, unix.ENETDOWN,
		unix.EADDRNOTAVAIL, unix.ENODEV, unix.ENXIO, unix.ENOBUFS, unix.EHOSTDOWN, unix.ECONNREFUSED:
		return true
	}
	return false
}

// sight looks at the way before anything is sent; dead says why nothing can come back.
func sight(w Place, ns string, r EchoRequest) (route LookupResult, dead string, err error) {
	h, err := w.Netlink(ns)
	if err != nil {
		return route, "", err
	}
	defer h.Close()
	if route, err = lookup(h, r.Dest, r.From); err != nil {
		return route, "", err
	}
	if route.Errno != 0 {
		return route, inWords("look up the route", route.Errno), nil
	}
	// The look-up has read the link, which also runs what the kernel postponed after it came up: the first packet is
	// not lost.
	if route.Type == "unicast" && route.operState == netlink.OperDown {
		return route, fmt.Sprintf("%s, the way out, has no carrier", route.Dev), nil
	}
	return route, "", nil
}

// askAfresh makes the kernel ask at once for the next hop's link-layer address again, by forgetting an entry for which
// it still waits. It asks once a second, so that an entry from an earlier probe would hide for as long that somebody
// has the address by now.
func askAfresh(w Place, ns string, route LookupResult, dest netip.Addr) {
	h, err := w.Netlink(ns)
	if err != nil {
		return // the probe that follows will say so
	}
	defer h.Close()
	if entry, ok := neighbour(h, route.Dev, nextHop(route, dest)); ok && entry.State == netlink.NUD_INCOMPLETE {
		h.NeighDel(&entry) // it may have gone by itself
	}
}

func nextHop(route LookupResult, dest netip.Addr) netip.Addr {
	if route.Via.IsValid() {
		return route.Via
	}
	return dest.WithZone("")
}

// neighbourWords tells what the kernel knows of the next hop; "" where that is nothing.
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
