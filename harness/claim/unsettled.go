package claim

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/state"
)

// Unsettled is what in a state is about to change by itself and could decide a claim. A negative check that holds
// meanwhile proves nothing.
func Unsettled(c Claim, s *state.State) []state.Pending {
	return slices.DeleteFunc(s.Pending(), func(p state.Pending) bool { return !concerns(c, s, p) })
}

// Unanswered are the incomplete neighbours behind which the packets of a probe could wait: the kernel asks for them
// again within a second, which is longer than a probe listens. The probe itself takes care of those in its own
// namespace.
func Unanswered(c Claim, s *state.State) []state.Pending {
	question := c.Needs().Question
	dest, probes := destination(question)
	if !probes {
		return nil
	}
	return slices.DeleteFunc(s.Pending(), func(p state.Pending) bool {
		return p.Kind != state.PendingNeighbour || p.Netns == question.Where() || !ofFamily(ipVersion(dest), s, p)
	})
}

// destination is where a question sends packets to.
func destination(q Question) (dest netip.Addr, probes bool) {
	switch q := q.(type) {
	case Resolve:
		return q.Addr, true
	case Echo:
		return q.Dest, true
	case Connect:
		return q.Dest, true
	case Datagram:
		return q.Dest, true
	}
	return netip.Addr{}, false
}

// concerns reports whether something pending could decide a claim; in doubt it could. A claim about the state has a
// method unsettledBy if only part of what can be pending concerns it.
func concerns(c Claim, s *state.State, p state.Pending) bool {
	if c, ok := c.(interface {
		unsettledBy(*state.State, state.Pending) bool
	}); ok {
		return c.unsettledBy(s, p)
	}
	question := c.Needs().Question
	if dest, probes := destination(question); probes {
		return onTheWay(dest, s, p)
	}
	switch q := question.(type) {
	case Lookup:
		return p.Netns == q.Netns && (p.Kind == state.PendingCarrier || p.Addr == q.Dest && p.Kind == state.PendingDAD)
	case Sysctl: // a duplicate address may switch IPv6 off (accept_dad 2)
		return p.Netns == q.Netns && p.Kind == state.PendingDAD && strings.HasPrefix(q.Key, "net.ipv6.")
	case Offload, ChainRules, SetElement:
		return false
	case Resolution: // its packets go to a server of either family, which is hardly called by a link-local address
		return p.Kind != state.PendingNeighbour && !(p.Kind == state.PendingDAD && p.Addr.IsLinkLocalUnicast())
	case Watch:
		return p.Netns == q.Netns
	case Count:
		return ofFamily(q.family(), s, p) && (p.Kind != state.PendingNeighbour || resolvable(s, p.Addr))
	}
	return true
}

// onTheWay is for packets to a destination. Incomplete neighbours do not count: see Unanswered.
func onTheWay(dest netip.Addr, s *state.State, p state.Pending) bool {
	return p.Kind != state.PendingNeighbour && ofFamily(ipVersion(dest), s, p)
}

func ipVersion(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

// ofFamily reports whether something pending concerns packets of a family, 0 for either. Addresses and neighbours of
// IPv6 concern those of IPv4 only where these travel in tunnels or by next hops of IPv6.
func ofFamily(family int, s *state.State, p state.Pending) bool {
	if family == 0 || !p.Addr.IsValid() {
		return true
	}
	return (family == 6) == p.Addr.Is6() || mixed(s)
}

// resolvable reports whether somebody could answer for an address: nobody will send the packets that wait for it
// otherwise.
func resolvable(s *state.State, addr netip.Addr) bool {
	for _, n := range s.Namespaces {
		if slices.ContainsFunc(n.Neighbours, func(e state.Neighbour) bool { return e.Proxy && e.Addr == addr }) {
			return true
		}
		for _, l := range n.Links {
			if slices.ContainsFunc(l.Addresses, func(a state.Address) bool { return a.Prefix.Addr() == addr }) {
				return true
			}
		}
	}
	return false
}

// mixed reports whether packets of one family may depend on addresses of the other.
func mixed(s *state.State) bool {
	plain := []string{"", "loopback", "veth", "bridge", "dummy", "ifb", "vlan", "macvlan", "ipvlan", "vrf", "gre",
		"gretap",
		"erspan", "ipip", "tunl", "vti"}
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			switch {
			case l.VXLAN != nil:
				if l.VXLAN.Remote.Is6() || l.VXLAN.Local.Is6() {
					return true
				}
			case l.Up && !slices.Contains(plain, l.Kind):
				return true
			}
		}
		for _, r := range n.Routes {
			if slices.ContainsFunc(r.Nexthops, func(h state.Nexthop) bool { return r.Family == 4 && h.Via.Is6() }) {
				return true
			}
		}
	}
	return false
}

// family is the family of a counter's packets by the counter's name, 0 for either.
func (q Count) family() int {
	for _, prefix := range []string{"Ip", "Icmp", "UdpLite", "Udp", "TcpExtIP"} {
		name, ok := strings.CutPrefix(q.Counter, prefix)
		switch {
		case q.Link != "" || !ok || name == "":
		case name[0] == '6':
			return 6
		case name[0] >= 'A' && name[0] <= 'Z':
			return 4
		}
	}
	return 0
}
