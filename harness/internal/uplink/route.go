package uplink

import (
	"fmt"
	"net"
	"net/netip"

	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// ParseRoute parses a route of the front matter, in the syntax of `ip route add`.
func ParseRoute(r scenario.HostRoute) (operation.Route, error) {
	words, err := scenario.Words(r.Text)
	if err != nil {
		return operation.Route{}, fmt.Errorf("read the host route %q: %w", r.Text, err)
	}
	route, err := operation.ParseRoute(words)
	if err != nil {
		return operation.Route{}, fmt.Errorf("read the host route %q: %w", r.Text, err)
	}
	return route, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
