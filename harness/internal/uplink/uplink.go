// Package uplink makes the interfaces of a lab's host namespace that a scenario describes: each is one end of a veth
// pair whose other end is in a namespace without a name, which has the addresses of the gateways of the host's routes.
// It may be imported by lab only, and the other side never answers for any address but those gateways.
package uplink

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/scenario"
)

// firstIndex keeps the interface indexes of the far side different from those of the host: with the same index on both
// ends of a pair, the peer loses carrier up to a second late (linkwatch_urgent_event in net/core/link_watch.c is not
// urgent if ifindex == iflink).
const firstIndex = 1001

// Build makes the interfaces of the host, up and with carrier. The caller then adds the host's routes.
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

	gateways, err := host.Gateways()
	if err != nil {
		return err
	}
	for i, iface := range host.Interfaces {
		if err := addPair(farLinks, hostLinks, hostNS, firstIndex+i, iface, gateways[iface.Name]); err != nil {
			return fmt.Errorf("make the host interface %s: %w", iface.Name, err)
		}
	}
	if err := w.DoIn(far, func() error { return observe.SettleHere(time.Second) }); err != nil {
		return fmt.Errorf("settle the links behind the host: %w", err)
	}
	return nil
}

// silence configures the namespace of the calling thread to send nothing by itself: no link-local addresses, no replies
// to multicast, and ARP replies only for addresses of the receiving interface (Documentation/networking/ip-sysctl.rst).
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

// addPair makes the veth pair, adds the addresses and sets both ends up.
func addPair(far, host *netlink.Handle, hostNS netns.Handle, index int, iface scenario.HostInterface,
	gateways []netip.Prefix) error {
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
		if err := far.AddrAdd(farLink, address(gateway)); err != nil {
			return fmt.Errorf("add the gateway %s: %w", gateway, err)
		}
	}
	return nil
}

// address is an address without duplicate address detection and, as iproute2 adds it, without a broadcast address.
func address(p netip.Prefix) *netlink.Addr {
	a := &netlink.Addr{IPNet: ipNet(p), Broadcast: net.IPv4zero} // IPv4zero: none
	if p.Addr().Is6() {
		a.Broadcast = nil
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
