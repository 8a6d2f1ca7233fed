package facts

import (
	"net/netip"
	"slices"

	"netnscheck/harness/state"
)

// Forwards reports whether packets that come in by a link are forwarded: IN_DEV_FORWARD, include/linux/inetdevice.h;
// ip6_forward(), net/ipv6/ip6_output.c.
func Forwards(n *state.Namespace, l *state.Link, family int) bool {
	if family == 6 {
		return Sysctl(n, ForwardingKey(6)) == "1" || Sysctl(n, OfLink(6, l.Name, "force_forwarding")) == "1"
	}
	return Sysctl(n, OfLink(4, l.Name, "forwarding")) == "1"
}

func ForwardingKey(family int) string {
	if family == 6 {
		return "net.ipv6.conf.all.forwarding"
	}
	return "net.ipv4.ip_forward"
}

// Settled reports whether duplicate address detection has decided which of two links may use an address.
func Settled(a, b Port, addr netip.Addr) bool { return dadFailed(a, addr) || dadFailed(b, addr) }

func dadFailed(at Port, addr netip.Addr) bool {
	return slices.ContainsFunc(at.L.Addresses, func(a state.Address) bool {
		return a.Prefix.Addr() == addr.WithZone("") && Has(a.Flags, "dadfailed")
	})
}

// NeighbourOf is the entry for an address in the neighbour table of a link, other than a proxy entry; nil without one.
func NeighbourOf(n *state.Namespace, out *state.Link, addr netip.Addr) *state.Neighbour {
	for i := range n.Neighbours {
		e := &n.Neighbours[i]
		if e.Dev == out.Name && e.Addr.WithZone("") == addr.WithZone("") && !e.Proxy {
			return e
		}
	}
	return nil
}

func Ports(n *state.Namespace, br *state.Link) (found []*state.Link) {
	for i := range n.Links {
		if n.Links[i].Master == br.Name {
			found = append(found, &n.Links[i])
		}
	}
	return found
}

// Spanned are the settings of a port's bridge if it runs spanning tree, nil otherwise.
func Spanned(at Port) *state.Bridge {
	bridge := at.N.Link(at.L.Master)
	if bridge == nil || bridge.Bridge == nil || bridge.Bridge.STP == 0 {
		return nil
	}
	return bridge.Bridge
}

// Off6 reports whether IPv6 is off on a link: by disable_ipv6, or by an MTU below IPV6_MIN_MTU (addrconf_notify(),
// net/ipv6/addrconf.c).
func Off6(n *state.Namespace, l *state.Link) bool {
	return l.MTU < 1280 || Sysctl(n, OfLink(6, l.Name, "disable_ipv6")) == "1"
}

func LinkNames(n *state.Namespace) (names []string) {
	for i := range n.Links {
		names = append(names, n.Links[i].Name)
	}
	return names
}

// Ordinary are the links of a namespace other than its loopback and untouched fallback tunnels, which the kernel
// creates with some modules.
func Ordinary(n *state.Namespace) (links []*state.Link) {
	for i := range n.Links {
		l := &n.Links[i]
		if l.Name == "lo" || l.Fallback() {
			continue
		}
		links = append(links, l)
	}
	return links
}
