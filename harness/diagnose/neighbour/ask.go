package neighbour

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Asker is the source of a neighbour request: that of the packet, if it is the namespace's own (arp_solicit(),
// net/ipv4/arp.c, and ndisc_solicit(), net/ipv6/ndisc.c).
func Asker(m *topology.Map, from facts.Port, to netip.Addr, p packet.Packet) netip.Addr {
	if m.IsOwn(from.N, p.Src) && (to.Is4() || m.AnswersFor(from, p.Src)) {
		return p.Src
	}
	for _, a := range from.L.Addresses {
		if addr := a.Prefix.Addr(); addr.Is4() && to.Is4() && facts.Covers(a, to) || addr.Is6() && to.Is6() &&
			addr.IsLinkLocalUnicast() {
			return addr
		}
	}
	return netip.Addr{}
}

// SharedSource finds another link of the segment with the packet's source address: the reply may go there.
func SharedSource(m *topology.Map, n *state.Namespace, out *state.Link, p packet.Packet,
	arrivals []topology.Arrival) *finding.Cause {
	if !m.IsOwn(n, p.Src) {
		return nil
	}
	for i := range arrivals {
		a := &arrivals[i]
		if a.Obstacle != nil || a.N == n || !m.AnswersFor(a.Port, p.Src) {
			continue
		}
		if theirs, ours := m.Holder(a.Port, p.Src), m.Holder(facts.At(n, out), p.Src); !facts.Settled(theirs, ours,
			p.Src) {
			return faults.DuplicateAddress(theirs, ours, p.Src)
		}
	}
	return nil
}

// CannotAsk: if the source of an IPv6 packet is not an address of the link, as on a router, the kernel sends neighbour
// solicitations from the link-local address (ndisc_solicit(), net/ipv6/ndisc.c); while that is tentative, it sends
// none.
func CannotAsk(m *topology.Map, at facts.Port, p packet.Packet, known *state.Neighbour) *finding.Cause {
	if _, ok := facts.AddressOf(at.L, p.Src); ok || p.Family() == 4 || known != nil && known.MAC != "" {
		return nil
	}
	var tentative *state.Address
	for i, a := range at.L.Addresses {
		if !a.Prefix.Addr().Is6() || !a.Prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if facts.Usable(a) {
			return nil
		}
		tentative = &at.L.Addresses[i]
	}
	if tentative == nil {
		return nil
	}
	for _, a := range facts.Addresses(at.L, 6) {
		if !facts.Usable(a) { // if it were usable, the packet would have it as source, and the kernel would ask from it
			return faults.UnusableAddress(m, at, a)
		}
	}
	return faults.UnusableAddress(m, at, *tentative)
}

// WrongNeighbour compares an entry with the MAC address of the owner.
func WrongNeighbour(m *topology.Map, n *state.Namespace, out *state.Link, to netip.Addr, known *state.Neighbour,
	owner *topology.Arrival) *finding.Cause {
	if known.MAC == "" || strings.EqualFold(known.MAC, owner.L.MAC) || owner.L.Kind == "bridge" &&
		faults.OfPort(owner.Port, known.MAC) {
		return nil
	}
	switch known.State {
	case "permanent", "stale", "reachable", "delay", "probe":
	default:
		return nil
	}
	return finding.New(causes.NeighbourWrong, n, out,
		"the neighbour entry of %s for %s has the MAC address %s, but %s in %s, which has the address, has %s",
		n.Name, to, known.MAC,
		owner.L.Name, owner.N.Name, owner.L.MAC).
		Proof(words.IP(n, "neigh show dev %s", out.Name)+": "+state.NeighbourText(*known),
			words.LinkShown(owner.N, owner.L)+" link/ether "+owner.L.MAC).
		Fix(words.IP(n, "neigh del %s dev %s", to, out.Name))
}

// Relay is the link on the segment that gets the frames although another one has the address: a permanent entry has its
// MAC address. It is nil unless its namespace forwards; if not, the entry is wrong.
func Relay(me facts.Port, to netip.Addr, owner *topology.Arrival, arrivals []topology.Arrival) *topology.Arrival {
	known := facts.NeighbourOf(me.N, me.L, to)
	if known == nil || known.State != "permanent" || known.MAC == "" || strings.EqualFold(known.MAC, owner.L.MAC) {
		return nil
	}
	for i := range arrivals {
		a := &arrivals[i]
		if a.Obstacle == nil && a.N != me.N && a.N != owner.N && strings.EqualFold(known.MAC, a.L.MAC) &&
			facts.Forwards(a.N, a.L, facts.FamilyOf(to)) {
			return a
		}
	}
	return nil
}

// NobodysMAC is the cause if a permanent entry has a MAC address that no link of the segment has, for an address that
// nobody has there either: the kernel never asks, so it does not matter who would answer. The repair names the link
// that would answer for the address, or the only other one.
func NobodysMAC(m *topology.Map, me facts.Port, to netip.Addr, arrivals []topology.Arrival,
	p packet.Packet) *finding.Cause {
	known := facts.NeighbourOf(me.N, me.L, to)
	if known == nil || known.State != "permanent" || known.MAC == "" {
		return nil
	}
	var others []facts.Port
	var meant *facts.Port
	for i := range arrivals {
		at := arrivals[i].Port
		switch {
		case at.N == me.N || at.L.MAC == "":
		case strings.EqualFold(known.MAC, at.L.MAC): // an obstacle is before it
			return nil
		case arrivals[i].Obstacle == nil:
			others = append(others, at)
			if meant == nil && (Proxies(at, to) || routing.TakesIn(at, Asker(m, me, to, p), to)) {
				meant = &at
			}
		}
	}
	c := finding.New(causes.NeighbourWrong, me.N, me.L,
		"the permanent neighbour entry of %s for %s has the MAC address %s, which no link on that segment has", me.N.Name, to,
		known.MAC).
		Proof(words.IP(me.N, "neigh show dev %s", me.L.Name) + ": " + state.NeighbourText(*known))
	if meant == nil && len(others) == 1 {
		meant = &others[0]
	}
	const replace = "neigh replace %s lladdr %s dev %s nud permanent"
	if meant == nil {
		return c.Advise(words.IP(me.N, replace, to.WithZone("").String(), "MAC", me.L.Name))
	}
	mac := meant.L.MAC
	return c.Proof(words.LinkShown(meant.N, meant.L) + " link/ether " + mac).
		Fix(words.IP(me.N, replace, to.WithZone("").String(), mac, me.L.Name)).
		Then(func(k *finding.Sketch) {
			own := k.Netns(me.N.Name)
			for i := range own.Neighbours {
				if e := &own.Neighbours[i]; e.Dev == me.L.Name && e.Addr.WithZone("") == to.WithZone("") && !e.Proxy {
					e.MAC = mac
				}
			}
		})
}

// DuplicateMAC finds another link of the segment with the MAC address of the sender or the owner: a bridge sends frames
// to only one of them.
func DuplicateMAC(m *topology.Map, from facts.Port, owner *topology.Arrival,
	arrivals []topology.Arrival) *finding.Cause {
	if owner.L.MAC == "" {
		return nil
	}
	all := []facts.Port{from}
	for i := range arrivals {
		if arrivals[i].Obstacle == nil && !slices.Contains(all, arrivals[i].Port) {
			all = append(all, arrivals[i].Port)
		}
	}
	for _, one := range []facts.Port{owner.Port, from} {
		for _, other := range all {
			if other == one || !strings.EqualFold(other.L.MAC, one.L.MAC) || m.Lowest(other) == m.Lowest(one) ||
				other.N == one.N && len(owner.Bridges) > 0 && one.L.Kind == "bridge" {
				continue
			}
			if (one == owner.Port && other == from || one == from && other == owner.Port) && len(owner.Bridges) == 0 {
				continue // on a single cable there is no bridge to confuse
			}
			return finding.New(causes.DuplicateMAC, other.N, other.L,
				"%s in %s and %s in %s have the same MAC address %s on one segment", one.L.Name, one.N.Name,
				other.L.Name, other.N.Name, one.L.MAC).
				Proof(words.LinkShown(one.N, one.L)+" link/ether "+one.L.MAC, words.LinkShown(other.N,
					other.L)+" link/ether "+
					other.L.MAC).
				Fix(words.IP(other.N, "link set %s address %s", other.L.Name, faults.FreshMAC(one, other)))
		}
	}
	return nil
}
