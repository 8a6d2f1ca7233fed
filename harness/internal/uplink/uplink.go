// Package uplink gives a lab's host namespace the interfaces that a scenario describes: each is one end of a veth pair
// whose far end lies in a namespace without a name, which owns the gateways of the host's routes. It may be imported by
// lab alone, and it never lets the far side answer for anything but those gateways.
package uplink

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// firstIndex keeps the interface indexes of the far side apart from those of the host: with the same index on both ends
// of a pair the loss of carrier reaches the peer a second late (link_watch takes ifindex == iflink as not urgent,
// net/core/link_watch.c).
const firstIndex = 1001

// Build makes the interfaces of the host, up and with carrier. The host's routes are the caller's to add, afterwards.
func Build(w *netns.World, host scenario.Host) error {
	if len(host.Interfaces) == 0 {
		return nil
	}
	far, err := w.AddNameless()
	if err != nil {
		return fmt.Errorf("make the namespace behind the host: %w", err)
	}
	if err := w.DoIn(far, silence); err != nil {
		return fmt.Errorf("prepare the namespace behind the host: %w", err)
	}
	farLinks, err := w.NetlinkIn(far)
	if err != nil {
		return fmt.Errorf("open netlink behind the host: %w", err)
	}
	defer farLinks.Close()
	hostLinks, err := w.Netlink(netns.Host)
	if err != nil {
		return fmt.Errorf("open netlink in the host: %w", err)
	}
	defer hostLinks.Close()
	hostNS, err := w.Open(netns.Host)
	if err != nil {
		return fmt.Errorf("open the host namespace: %w", err)
	}
	defer hostNS.Close()

	gateways, err := gatewaysOf(host)
	if err != nil {
		return err
	}
	for i, iface := range host.Interfaces {
		if err := addPair(farLinks, hostLinks, hostNS, firstIndex+i, iface, gateways[iface.Name]); err != nil {
			return fmt.Errorf("make the host interface %s: %w", iface.Name, err)
		}
	}
	if err := w.DoIn(far, observe.SettleHere); err != nil {
		return fmt.Errorf("settle the links behind the host: %w", err)
	}
	return nil
}

// silence keeps the namespace it runs in from speaking for itself: no link-local addresses, no answers to multicast,
// and ARP only for the addresses of the interface that was asked (Documentation/networking/ip-sysctl.rst).
func silence() error {
	for _, s := range []struct{ path, value string }{
		{"/proc/sys/net/ipv4/conf/all/arp_ignore", "1"},
		{"/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1"},
		{"/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
		{"/proc/sys/net/ipv6/icmp/echo_ignore_multicast", "1"},
	} {
		err := os.WriteFile(s.path, []byte(s.value), 0)
		if err != nil && !os.IsNotExist(err) { // a kernel without IPv6 has nothing to silence
			return err
		}
	}
	return nil
}

// addPair makes the far end, which brings the host's end with it, and sets both up.
func addPair(far, host *netlink.Handle, hostNS netns.Handle, index int, iface scenario.HostInterface,
	gateways []netip.Addr) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Index = fmt.Sprintf("far%d", index-firstIndex), index
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace = iface.Name, netlink.NsFd(hostNS.FD())
	if err := far.LinkAdd(veth); err != nil {
		return fmt.Errorf("add the veth pair: %w", err)
	}
	near, err := host.LinkByName(iface.Name)
	if err != nil {
		return err
	}
	for _, prefix := range iface.Addresses {
		if err := host.AddrAdd(near, address(prefix)); err != nil {
			return fmt.Errorf("add the address %s: %w", prefix, err)
		}
	}
	farLink, err := far.LinkByName(attrs.Name)
	if err != nil {
		return err
	}
	if err := far.LinkSetUp(farLink); err != nil {
		return err
	}
	if err := host.LinkSetUp(near); err != nil {
		return err
	}
	for _, gateway := range gateways {
		if err := far.AddrAdd(farLink, address(onSegment(gateway, iface.Addresses))); err != nil {
			return fmt.Errorf("add the gateway %s: %w", gateway, err)
		}
	}
	return nil
}

// address is a prefix as an address that is usable at once and, as iproute2 leaves it, without a broadcast address.
func address(p netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: ipNet(p), Broadcast: net.IPv4zero} // IPv4zero: none
	if p.Addr().Is6() {
		a.Broadcast = nil
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// onSegment gives the gateway the prefix length of the host's address that covers it, so that it has a way back.
func onSegment(gateway netip.Addr, addresses []netip.Prefix) netip.Prefix {
	for _, p := range addresses {
		if p.Contains(gateway) {
			return netip.PrefixFrom(gateway, p.Bits())
		}
	}
	if gateway.IsLinkLocalUnicast() && gateway.Is6() {
		return netip.PrefixFrom(gateway, 64)
	}
	return netip.PrefixFrom(gateway, gateway.BitLen())
}

// gatewaysOf finds for each interface the gateways that the host's routes reach through it.
func gatewaysOf(host scenario.Host) (map[string][]netip.Addr, error) {
	gateways := map[string][]netip.Addr{}
	seen := map[string]bool{}
	for _, r := range host.Routes {
		route, err := ParseRoute(r)
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
				dev = covering(host, hop.Via)
			}
			key := dev + " " + hop.Via.String()
			if hop.Via.IsValid() && dev != "" && !seen[key] {
				seen[key] = true
				gateways[dev] = append(gateways[dev], hop.Via)
			}
		}
	}
	return gateways, nil
}

func covering(host scenario.Host, a netip.Addr) string {
	for _, iface := range host.Interfaces {
		for _, p := range iface.Addresses {
			if p.Contains(a) {
				return iface.Name
			}
		}
	}
	return ""
}
