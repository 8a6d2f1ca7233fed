package scenario

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/scenario/operation"
)

// Parse parses a route of the front matter, in the syntax of `ip route add`.
func (r HostRoute) Parse() (operation.Route, error) {
	words, err := Words(r.Text)
	if err != nil {
		return operation.Route{}, fmt.Errorf("read the host route %q: %w", r.Text, err)
	}
	route, err := operation.ParseRoute(words)
	if err != nil {
		return operation.Route{}, fmt.Errorf("read the host route %q: %w", r.Text, err)
	}
	return route, nil
}

// Gateways are the gateways of the host's routes, by the interface that leads to them, each with the prefix length of
// the host's address whose network contains it, so that it has a route for replies.
func (h Host) Gateways() (map[string][]netip.Prefix, error) {
	gateways := map[string][]netip.Prefix{}
	seen := map[string]bool{}
	for _, r := range h.Routes {
		route, err := r.Parse()
		if err != nil {
			return nil, err
		}
		hops := route.Nexthops
		if route.Via.IsValid() {
			hops = append(hops, operation.Nexthop{Via: route.Via, Dev: route.Dev})
		}
		for _, hop := range hops {
			dev := hop.Dev
			if dev == "" {
				dev = h.covering(hop.Via)
			}
			key := dev + " " + hop.Via.String()
			if hop.Via.IsValid() && dev != "" && !seen[key] {
				seen[key] = true
				gateways[dev] = append(gateways[dev], h.onSegment(dev, hop.Via))
			}
		}
	}
	return gateways, nil
}

// onSegment gives a gateway its prefix length.
func (h Host) onSegment(dev string, gateway netip.Addr) netip.Prefix {
	for _, iface := range h.Interfaces {
		for _, p := range iface.Addresses {
			if iface.Name == dev && p.Contains(gateway) {
				return netip.PrefixFrom(gateway, p.Bits())
			}
		}
	}
	if gateway.IsLinkLocalUnicast() && gateway.Is6() {
		return netip.PrefixFrom(gateway, 64)
	}
	return netip.PrefixFrom(gateway, gateway.BitLen())
}

func (h Host) covering(a netip.Addr) string {
	for _, iface := range h.Interfaces {
		for _, p := range iface.Addresses {
			if p.Contains(a) {
				return iface.Name
			}
		}
	}
	return ""
}
