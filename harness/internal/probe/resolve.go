package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Resolve makes the kernel resolve the link-layer address of addr (NTF_USE, rtnetlink(7)) and waits for the result, at
// most for the time of listen. It returns the state of the neighbour entry in lower case (reachable, failed,
// incomplete, …; "" if there is no entry) and the link. A permanent or noarp entry is a result by itself; resolving
// would replace it (__neigh_update in net/core/neighbour.c, since 5.16).
func Resolve(ctx context.Context, w Place, ns string, addr netip.Addr, listen time.Duration) (entry, dev string,
	err error) {
	h, err := w.Netlink(ns)
	if err != nil {
		return "", "", fmt.Errorf("resolve %s in %s: %w", addr, ns, err)
	}
	defer h.Close()
	route, err := lookup(w, ns, h, RouteRequest{Dest: addr})
	if err != nil || route.Errno != 0 {
		if err != nil {
			err = fmt.Errorf("resolve %s in %s: %w", addr, ns, err)
		}
		return "", "", err // without a route there is no link to resolve on, and no entry
	}
	if set, ok := neighbour(h, route.Dev, addr); ok && set.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
		return state.NeighbourStateName(uint16(set.State)), route.Dev, nil
	}
	askAfresh(w, ns, LookupResult{Dev: route.Dev}, addr)
	link, err := h.LinkByName(route.Dev)
	if err != nil {
		return "", "", fmt.Errorf("resolve %s in %s: find the link %s: %w", addr, ns, route.Dev, err)
	}
	ask := &netlink.Neigh{LinkIndex: link.Attrs().Index, IP: addr.WithZone("").AsSlice(), State: netlink.NUD_NONE,
		Flags:  netlink.NTF_USE,
		Family: family(addr)}
	if err := h.NeighSet(ask); err != nil {
		return "", route.Dev, fmt.Errorf("resolve %s in %s: ask for it on %s: %w", addr, ns, route.Dev, err)
	}
	deadline := time.NewTimer(listen)
	defer deadline.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		found, ok := neighbour(h, route.Dev, addr)
		if ok {
			entry = state.NeighbourStateName(uint16(found.State))
			if found.State&^(netlink.NUD_INCOMPLETE|netlink.NUD_NONE) != 0 {
				return entry, route.Dev, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", route.Dev, context.Cause(ctx)
		case <-deadline.C:
			return entry, route.Dev, nil
		case <-time.After(pause):
		}
	}
}

// neighbour finds the entry of an address on a link.
func neighbour(h *netlink.Handle, dev string, addr netip.Addr) (netlink.Neigh, bool) {
	link, err := h.LinkByName(dev)
	if err != nil {
		return netlink.Neigh{}, false
	}
	entries, err := h.NeighList(link.Attrs().Index, family(addr))
	if err != nil {
		return netlink.Neigh{}, false
	}
	for _, e := range entries {
		if address(e.IP) == addr.WithZone("") {
			return e, true
		}
	}
	return netlink.Neigh{}, false
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
