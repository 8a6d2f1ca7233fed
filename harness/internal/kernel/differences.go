package kernel

import (
	"errors"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// differences are features by which kernels differ without lacking a kind of link or a protocol. They are for blocks
// with= and without=: distributions backport, so a trial decides and not the number of the kernel.
var differences = map[string]trial{
	"links-in-place": {"links for another namespace, of which name and index are looked up in that namespace alone " +
		"(since Linux 6.15), not in the caller's", linksInPlace},
	"first-rule-deleted": {"look-ups that heed `ip rule del pref 0` even if it is the first change of rules in its " +
		"namespace (until Linux 7.1)", in(firstRuleDeleted)},
	"address-protocol": {"addresses that tell who made them (`IFA_PROTO`, since Linux 5.18)", addressProtocol},
	"userns-overlay": {"overlay file systems that the root of a user namespace mounts (since Linux 5.11)",
		usernsOverlay},
}

func init() {
	for word, t := range differences {
		trials[word] = t
	}
}

// linksInPlace makes a link in another namespace under a name that the caller's own has too. Before ec061546c6cf (Linux
// 6.15, net/core/rtnetlink.c) the kernel looked for a link of that name in the caller's namespace: EEXIST.
func linksInPlace(s *scratch) error {
	from, err := s.namespace()
	if err != nil {
		return err
	}
	to, err := s.namespace()
	if err != nil {
		return err
	}
	handle, err := s.world.NetlinkIn(from)
	if err != nil {
		return findingError(unknown("%v", err))
	}
	defer handle.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = linkName
	if err := handle.LinkAdd(&netlink.GenericLink{LinkAttrs: attrs, LinkType: "veth"}); err != nil {
		return findingError(unknown("add a veth link: %s", describe(err)))
	}
	attrs.Namespace = netlink.NsFd(to.FD())
	err = handle.LinkAdd(&netlink.GenericLink{LinkAttrs: attrs, LinkType: "veth"})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EEXIST):
		return findingError(absent("the kernel looks up the name of a link for another namespace in the caller's (%s)",
			describe(err)))
	}
	return findingError(unknown("add a veth link in another namespace: %s", describe(err)))
}

// firstRuleDeleted deletes the rule `from all lookup local` and asks for the route to an address of the namespace
// itself. Since Linux 7.2 the look-up takes no notice of the rules until one has been added.
func firstRuleDeleted(nl *netlink.Handle) error {
	lo, err := nl.LinkByName("lo")
	if err == nil {
		err = nl.LinkSetUp(lo)
	}
	if err == nil {
		err = nl.AddrAdd(lo, &netlink.Addr{IPNet: &net.IPNet{IP: near, Mask: net.CIDRMask(32, 32)}})
	}
	if err == nil {
		rule := netlink.NewRule()
		rule.Family, rule.Priority, rule.Table = unix.AF_INET, 0, unix.RT_TABLE_LOCAL
		err = nl.RuleDel(rule)
	}
	if err != nil {
		return findingError(unknown("delete the rule that looks up the table local: %s", describe(err)))
	}
	routes, err := nl.RouteGet(near)
	switch {
	case errors.Is(err, unix.ENETUNREACH):
		return nil
	case err != nil:
		return findingError(unknown("look up an address of the namespace: %s", describe(err)))
	case len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL:
		return findingError(absent("the kernel looks up the table local although its rule was deleted, since no other " +
			"rule was ever changed"))
	}
	return findingError(unknown("look up an address of the namespace: %v", routes))
}

// addressProtocol adds an address with IFA_PROTO and reads it back: a kernel without it ignores the attribute.
func addressProtocol(s *scratch) error {
	h, err := s.namespace()
	if err != nil {
		return err
	}
	return s.world.DoIn(h, func() error {
		const lo, protocol, byHand = 1, 11, 77 // IFA_PROTO in linux/if_addr.h; a value that means nothing to the kernel
		add := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
		header := nl.NewIfAddrmsg(unix.AF_INET)
		header.Prefixlen, header.Index = 32, lo
		add.AddData(header)
		add.AddData(nl.NewRtAttr(unix.IFA_LOCAL, near.To4()))
		add.AddData(nl.NewRtAttr(protocol, []byte{byHand}))
		if _, err := add.Execute(unix.NETLINK_ROUTE, 0); err != nil {
			return findingError(unknown("add an address: %s", describe(err)))
		}
		get := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
		get.AddData(nl.NewIfAddrmsg(unix.AF_INET))
		answers, err := get.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
		if err != nil || len(answers) != 1 {
			return findingError(unknown("read the address back: %d answers, %v", len(answers), err))
		}
		attrs, err := nl.ParseRouteAttr(answers[0][unix.SizeofIfAddrmsg:])
		if err != nil {
			return findingError(unknown("read the address back: %v", err))
		}
		for _, a := range attrs {
			if a.Attr.Type == protocol && len(a.Value) == 1 && a.Value[0] == byHand {
				return nil
			}
		}
		return findingError(absent("the kernel lacks IFA_PROTO (it ignores the attribute)"))
	})
}

// usernsOverlay mounts an overlay where the programs of a lab are, in a mount namespace of its own.
func usernsOverlay(s *scratch) error {
	if _, err := s.namespace(); err != nil {
		return err
	}
	return s.world.InMounts(func() error {
		for _, do := range []func() error{
			func() error { return unix.Unshare(unix.CLONE_NEWNS) }, // nothing is mounted if this fails
			func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
			func() error { return unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=64k") },
			func() error { return unix.Mkdir("/tmp/lower", 0o755) },
			func() error { return unix.Mkdir("/tmp/upper", 0o755) },
		} {
			if err := do(); err != nil {
				return findingError(unknown("make folders for an overlay: %s", describe(err)))
			}
		}
		err := unix.Mount("overlay", "/tmp/lower", "overlay", unix.MS_RDONLY, "lowerdir=/tmp/upper:/tmp/lower,userxattr")
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EPERM), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENODEV):
			return findingError(absent("no overlay can be mounted in a user namespace (%s)", describe(err)))
		}
		return findingError(unknown("mount an overlay: %s", describe(err)))
	})
}
