package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
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
	// a prohibit and a blackhole route (fib_props in net/ipv4/fib_semantics.c).
	Errno syscall.Errno

	operState netlink.LinkOperState // of Dev
}

// Lookup asks the kernel for the route to dest in the namespace, as `ip route get DEST [from FROM]` does; from may be
// the zero Addr.
func Lookup(ctx context.Context, w Place, ns string, dest, from netip.Addr) (LookupResult, error) {
	h, err := w.Netlink(ns)
	if err != nil {
		return LookupResult{}, fmt.Errorf("look up the route to %s in %s: %w", dest, ns, err)
	}
	defer h.Close()
	r, err := lookup(h, dest, from)
	if err != nil {
		return LookupResult{}, fmt.Errorf("look up the route to %s in %s: %w", dest, ns, err)
	}
	return r, nil
}

func lookup(h *netlink.Handle, dest, from netip.Addr) (LookupResult, error) {
	options := &netlink.RouteGetOptions{Oif: dest.Zone()}
	if from.IsValid() {
		options.SrcAddr = from.AsSlice()
	}
	routes, err := h.RouteGetWithOptions(dest.WithZone("").AsSlice(), options)
	var errno syscall.Errno
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(err, &errno):
		return LookupResult{Errno: errno}, nil
	case errors.As(err, &missing): // the zone's interface
		return LookupResult{Errno: unix.ENODEV}, nil
	case err != nil:
		return LookupResult{}, err
	case len(routes) == 0:
		return LookupResult{}, errors.New("the kernel returned no route")
	}
	r := routes[0]
	result := LookupResult{Type: state.RouteTypeName(uint8(r.Type)), Via: address(r.Gw), Src: address(r.Src)}
	if via, ok := r.Via.(*netlink.Via); ok {
		result.Via = address(via.Addr)
	}
	link, err := h.LinkByIndex(r.LinkIndex)
	if err != nil {
		return LookupResult{}, fmt.Errorf("find the link %d: %w", r.LinkIndex, err)
	}
	result.Dev, result.operState = link.Attrs().Name, link.Attrs().OperState
	return result, nil
}

func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a.Unmap()
}

// inWords describes a refusal by the kernel.
func inWords(doing string, errno syscall.Errno) string {
	return fmt.Sprintf("%s: %s (%s)", doing, errno.Error(), unix.ErrnoName(errno))
}
