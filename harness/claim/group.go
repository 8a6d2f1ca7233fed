package claim

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// InGroup is `X` in `N` has joined the group `G`. Group is an IPv4 or IPv6 multicast address, or a MAC address of a
// group, as text in its usual form.
type InGroup struct {
	Iface
	Group string
	Not   bool
}

func init() {
	add(Entry{
		Place: 135,
		Means: "multicast memberships, as `ip maddr` shows them: IPv4, IPv6, or MAC addresses",
		Forms: []Form{
			says("`X` in `N` has joined the group `ff02::1`", func(a arguments) Claim {
				return InGroup{Iface: a.iface(0), Group: a.text(2)}
			}),
			denies("`X` in `N` has not joined the group `ff02::1`", func(a arguments) Claim {
				return InGroup{Iface: a.iface(0), Group: a.text(2), Not: true}
			}),
		},
		Slots: map[string]Slot{"ff02::1": {whatGroup, readGroup}},
	})
}

const whatGroup = "a multicast address such as ff02::1, 224.0.0.1 or 33:33:00:00:00:01"

func readGroup(text string) (any, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if !addr.IsMulticast() || addr.Zone() != "" {
			return nil, expected(text, whatGroup)
		}
		return addr.String(), nil
	}
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 || mac[0]&1 == 0 {
		return nil, expected(text, whatGroup)
	}
	return mac.String(), nil
}

func (c InGroup) Sentence() string {
	return c.in() + either(c.Not, " has not joined", " has joined") + say(" the group %s", c.Group)
}

func (c InGroup) Needs() Needs { return Needs{Class: ByKernel, Question: Groups{c.Iface}} }

func (c InGroup) Judge(known Evidence) Finding {
	return known.ofLink(c.Iface, func(*state.Namespace, *state.Link) Finding {
		kind, groups := "MAC", known.Groups.MAC
		if addr, err := netip.ParseAddr(c.Group); err == nil {
			kind, groups = "IPv6", known.Groups.IPv6
			if addr.Is4() {
				kind, groups = "IPv4", known.Groups.IPv4
			}
		}
		return finding(slices.Contains(groups, c.Group) != c.Not,
			fmt.Sprintf("its %s groups: %s", kind, orNone(strings.Join(groups, ", "))))
	})
}

// unsettledBy: an address joins the group at which neighbours ask for it when duplicate address detection begins
// (addrconf_dad_begin, net/ipv6/addrconf.c), and no other.
func (c InGroup) unsettledBy(_ *state.State, p state.Pending) bool {
	return p.Netns == c.Netns && p.Dev == c.Name && (p.Kind == state.PendingCarrier ||
		p.Kind == state.PendingDAD && slices.Contains(groupsOf(p.Addr), c.Group))
}

// groupsOf are the groups at which neighbours ask for an IPv6 address (RFC 4291 section 2.7.1, RFC 2464 section 7).
func groupsOf(addr netip.Addr) []string {
	a := addr.As16()
	group := netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]})
	return []string{group.String(), net.HardwareAddr{0x33, 0x33, 0xff, a[13], a[14], a[15]}.String()}
}

// Mutants make the kernel leave or join: it belongs to the groups of all nodes of IPv6 as long as the MTU allows IPv6,
// to those of IPv4 and of its own addresses while the link is up, and to others by addresses with `autojoin`.
func (c InGroup) Mutants() Mutants {
	ip := func(format string, args ...any) string { return in(c.Netns, format, args...) }
	if !c.Not {
		return Mutants{Own: []Way{
			by(ip("addr flush dev %s", c.Name)),
			by(ip("maddr del %s dev %s", c.Group, c.Name)),
			by(ip("link set %s down", c.Name)),
			by(ip("link set %s mtu 1000", c.Name)),
			by(ip("link set %s mtu 1000", c.Name), ip("link set %s down", c.Name)),
		}, Gone: without(c.Iface)}
	}
	up := ip("link set %s up", c.Name)
	if addr, err := netip.ParseAddr(c.Group); err == nil {
		ways := []Way{by(up, ip("addr add %s/%d dev %s autojoin", addr, addr.BitLen(), c.Name)), by(up)}
		if addr.Is6() { // the group of a neighbour's address
			low := addr.As16()
			ways = append(ways, by("-"+ip("link set %s mtu 1500", c.Name), up,
				ip("addr add fd77::%x:%x/64 dev %s nodad", low[13], int(low[14])<<8|int(low[15]), c.Name)))
		}
		return Mutants{Own: ways, Gone: without(c.Iface)}
	}
	return Mutants{
		Own: []Way{by(ip("maddr add %s dev %s", c.Group, c.Name)),
			by(up, ip("addr add %s dev %s", c.joining(), c.Name))},
		Gone: without(c.Iface),
	}
}

// joining is an address, with its prefix length and flag, whose group has this MAC address.
func (c InGroup) joining() string {
	mac, err := net.ParseMAC(c.Group)
	if err != nil {
		return ""
	}
	if mac[0] == 0x33 {
		return fmt.Sprintf("ff05::%x:%x/128 autojoin", int(mac[2])<<8|int(mac[3]), int(mac[4])<<8|int(mac[5]))
	}
	return fmt.Sprintf("224.%d.%d.%d/32 autojoin", mac[3]&0x7f, mac[4], mac[5])
}
