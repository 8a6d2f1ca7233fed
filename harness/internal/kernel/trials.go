package kernel

import (
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// trial tests for a feature.
type trial struct {
	means string // what is required, for the reference of the language
	// try uses the feature: nil if that works.
	try func(*scratch) error
}

var trials = map[string]trial{
	"veth":      {"veth pairs", kind("veth")},
	"bridge":    {"bridges", kind("bridge")},
	"dummy":     {"dummy links", kind("dummy")},
	"ifb":       {"ifb links", kind("ifb")},
	"wireguard": {"WireGuard links", kind("wireguard")},
	"netkit":    {"netkit pairs", kind("netkit")},
	"nlmon":     {"nlmon links", kind("nlmon")},
	"team":      {"team links", kind("team")},
	"bonding":   {"bond links", kind("bond")},
	"bond":      {"bond links (the same as `bonding`)", kind("bond")},
	"macvlan":   {"macvlan links", kindAbove("macvlan")},
	"macvtap":   {"macvtap links", kindAbove("macvtap")},
	"ipvlan":    {"ipvlan links", kindAbove("ipvlan")},
	"ipvtap":    {"ipvtap links", kindAbove("ipvtap")},
	"vlan": {"VLAN links", above(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vlan{LinkAttrs: a, VlanId: 5}
	})},
	"vxlan": {"VXLAN links", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vxlan{LinkAttrs: a, VxlanId: 5, Port: 4789}
	})},
	"geneve": {"Geneve links", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Geneve{LinkAttrs: a, ID: 5, Remote: near}
	})},
	"vrf": {"VRF links", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vrf{LinkAttrs: a, Table: 100}
	})},
	"ipip": {"IPv4-in-IPv4 tunnels", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Iptun{LinkAttrs: a, Local: far, Remote: near}
	})},
	"sit": {"IPv6-in-IPv4 tunnels", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Sittun{LinkAttrs: a, Local: far, Remote: near}
	})},
	"gre": {"GRE tunnels", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Gretun{LinkAttrs: a, Local: far, Remote: near}
	})},
	"gretap": {"GRE tunnels that carry Ethernet frames", link(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Gretap{LinkAttrs: a, Local: far, Remote: near}
	})},

	"tun": {"`/dev/net/tun`, and leave to make tun links", tun},
	"netem": {"the queueing discipline netem (delay, loss)", qdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
		return netlink.NewNetem(a, netlink.NetemQdiscAttrs{Latency: 1000})
	})},
	"tbf": {"the queueing discipline tbf (a token bucket)", qdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
		return &netlink.Tbf{QdiscAttrs: a, Rate: 125000, Limit: 16384, Buffer: 65536}
	})},
	"nftables":   {"nftables tables", nft(unix.NFPROTO_INET, nil)},
	"nft-ct":     {"nftables rules on the state of a connection", nft(unix.NFPROTO_INET, nfCt)},
	"nft-reject": {"nftables rules that reject", nft(unix.NFPROTO_INET, nfReject)},
	"nft-nat": {"nftables rules that masquerade and translate the destination",
		both(nft(unix.NFPROTO_IPV4, nfMasquerade), nft(unix.NFPROTO_IPV4, nfDNAT))},
	"ipv6":     {"IPv6, switched on", ipv6},
	"lwtunnel": {"routes that wrap their packets (`encap ip`)", in(lightweightTunnel)},
	"bridge-vlan-filtering": {"bridges that filter by VLAN",
		bridgeOption("bridge-vlan-filtering", func(br *netlink.Bridge) **bool { return &br.VlanFiltering })},
	"bridge-igmp-snooping": {"bridges that follow who joins multicast groups",
		bridgeOption("bridge-igmp-snooping", func(br *netlink.Bridge) **bool { return &br.MulticastSnooping })},
	"br-netfilter": {"the sysctls `net.bridge.*`: frames of a bridge are shown to the packet filters of IP",
		brNetfilter},
	"uids":          {"more than one user id in the sandbox", uids},
	"nested-userns": {"user namespaces that a command may make", nestedUserns},
	"etc-netns":     {"an `/etc/netns` of the lab's own", lacking(netns.ErrNoEtc)},
	"sysfs":         {"a `/sys` that shows the lab's own devices", lacking(netns.ErrNoSys)},
}

// near and far are the ends of tunnels, through which nothing is sent.
var near, far = net.IPv4(192, 0, 2, 1), net.IPv4(192, 0, 2, 2)

const linkName = "trial0"

// in runs a trial with a netlink handle in a fresh namespace.
func in(try func(nl *netlink.Handle) error) func(*scratch) error {
	return func(s *scratch) error {
		h, err := s.namespace()
		if err != nil {
			return err
		}
		nl, err := s.world.NetlinkIn(h)
		if err != nil {
			return findingError(unknown("%v", err))
		}
		defer nl.Close()
		return try(nl)
	}
}

// link tries to make a link.
func link(make func(netlink.LinkAttrs) netlink.Link) func(*scratch) error {
	return in(func(nl *netlink.Handle) error { return addLink(nl, make, 0) })
}

// above tries to make a link on top of another one.
func above(make func(netlink.LinkAttrs) netlink.Link) func(*scratch) error {
	return in(func(nl *netlink.Handle) error {
		parent, err := addVeth(nl)
		if err != nil {
			return err
		}
		return addLink(nl, make, parent)
	})
}

func kind(name string) func(*scratch) error { return link(generic(name)) }

func kindAbove(name string) func(*scratch) error { return above(generic(name)) }

// generic is a link with a kind and no options.
func generic(kind string) func(netlink.LinkAttrs) netlink.Link {
	return func(a netlink.LinkAttrs) netlink.Link { return &netlink.GenericLink{LinkAttrs: a, LinkType: kind} }
}

func addLink(nl *netlink.Handle, make func(netlink.LinkAttrs) netlink.Link, parent int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = linkName, parent
	l := make(attrs)
	if err := nl.LinkAdd(l); err != nil {
		return fmt.Errorf("add a %s link: %w", l.Type(), err)
	}
	return nil
}

// addVeth makes a veth pair as a lower link for others, and returns the index of one end.
func addVeth(nl *netlink.Handle) (index int, err error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "below0"
	if err := nl.LinkAdd(&netlink.GenericLink{LinkAttrs: attrs, LinkType: "veth"}); err != nil {
		return 0, findingError(unknown("add a lower veth link: %s", describe(err)))
	}
	l, err := nl.LinkByName(attrs.Name)
	if err != nil {
		return 0, findingError(unknown("find the lower veth link: %s", describe(err)))
	}
	return l.Attrs().Index, nil
}

// bridgeOption sets an option of a bridge and reads it back: a kernel without it ignores the setting.
func bridgeOption(feature string, option func(*netlink.Bridge) **bool) func(*scratch) error {
	return in(func(nl *netlink.Handle) error {
		on := true
		if err := addLink(nl, func(a netlink.LinkAttrs) netlink.Link {
			br := &netlink.Bridge{LinkAttrs: a}
			*option(br) = &on
			return br
		}, 0); err != nil {
			return err
		}
		l, err := nl.LinkByName(linkName)
		if err != nil {
			return findingError(unknown("find the bridge: %s", describe(err)))
		}
		if br, ok := l.(*netlink.Bridge); !ok || *option(br) == nil || !**option(br) {
			return findingError(absent("the kernel lacks %s (it ignores the setting)", feature))
		}
		return nil
	})
}

// brNetfilter reads the sysctl by which bridges pass frames to the packet filters of IP. A module adds it, to each
// namespace since Linux 5.3.
func brNetfilter(s *scratch) error {
	h, err := s.namespace()
	if err != nil {
		return err
	}
	return s.world.DoIn(h, func() error {
		_, err := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-iptables")
		return err
	})
}

// qdisc tries to give a link a queueing discipline.
func qdisc(make func(netlink.QdiscAttrs) netlink.Qdisc) func(*scratch) error {
	return in(func(nl *netlink.Handle) error {
		index, err := addVeth(nl)
		if err != nil {
			return err
		}
		q := make(netlink.QdiscAttrs{LinkIndex: index, Parent: netlink.HANDLE_ROOT})
		if err := nl.QdiscAdd(q); err != nil {
			return fmt.Errorf("add a %s queueing discipline: %w", q.Type(), err)
		}
		return nil
	})
}

// both tries one thing and then another.
func both(one, other func(*scratch) error) func(*scratch) error {
	return func(s *scratch) error {
		if err := one(s); err != nil {
			return err
		}
		return other(s)
	}
}

var ipv6 = in(func(nl *netlink.Handle) error {
	lo, err := nl.LinkByName("lo")
	if err != nil {
		return findingError(unknown("find lo: %s", describe(err)))
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP("fd00::1"), Mask: net.CIDRMask(128, 128)},
		Flags: unix.IFA_F_NODAD}
	switch err := nl.AddrAdd(lo, addr); err {
	case nil:
		return nil
	case unix.EACCES, unix.EPERM:
		return findingError(absent("ipv6 is switched off (sysctl net.ipv6.conf.*.disable_ipv6; %s)", describe(err)))
	default:
		return fmt.Errorf("add an IPv6 address: %w", err)
	}
})

// tun opens /dev/net/tun, a file of the machine that may be missing, and makes a tun link.
func tun(s *scratch) error {
	h, err := s.namespace()
	if err != nil {
		return err
	}
	return s.world.DoIn(h, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err == unix.EACCES || err == unix.EPERM {
			return findingError(absent("/dev/net/tun may not be opened (%s)", describe(err)))
		}
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		defer unix.Close(fd)
		request, err := unix.NewIfreq(linkName)
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
			return fmt.Errorf("make a tun link: %w", err)
		}
		return nil
	})
}

// lightweightTunnel tries to add a route that wraps its packets in IPv6. The types ip and ip6 come together.
func lightweightTunnel(nl *netlink.Handle) error {
	lo, err := nl.LinkByName("lo")
	if err == nil {
		err = nl.LinkSetUp(lo)
	}
	if err != nil {
		return findingError(unknown("%v", err))
	}
	err = nl.RouteAdd(&netlink.Route{
		LinkIndex: lo.Attrs().Index,
		Dst:       &net.IPNet{IP: near, Mask: net.CIDRMask(32, 32)},
		Encap:     &netlink.IP6tnlEncap{Dst: net.IPv6loopback},
	})
	if err != nil {
		return fmt.Errorf("add a route that wraps its packets: %w", err)
	}
	return nil
}
