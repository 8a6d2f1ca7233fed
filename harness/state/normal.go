package state

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Host is the name of the host namespace of a lab, and of the own namespace of a machine; it comes first in a State.
const Host = "host"

// Normal is the state without what the kernel learns, chooses or settles by itself, sorted: two states with the same
// configuration have the same normal form, whoever made it and however long ago. Left out are
//
//   - inodes, namespace ids, interface indexes, counters, operational state and carrier, the state of a bridge port,
//     and what follows from carrier or hardware: the flags linkdown, dead, offload and trap of next hops, default
//     queueing disciplines;
//   - MAC addresses the kernel chose, IPv6 link-local addresses it made, temporary addresses and those from router
//     advertisements, the progress of duplicate address detection, the rest of a lifetime (a lifetime that ends is
//     kept as 0), promiscuity;
//   - learned neighbours, path MTUs and forwarding entries, the forwarding entries of a port's own address, routes from
//     router advertisements and redirects, the kernel's multicast and link-local routes, and the IPv6 local and anycast
//     routes, which appear when an address is no longer tentative;
//   - fallback tunnels that nobody has touched (Link.Fallback), with their sysctls;
//   - the handles of queueing disciplines that the kernel chose (8000: and above), and the ids of BPF programs;
//   - listening sockets: they belong to programs, and appear when those get to run;
//   - packet filters, sets of ipset and connections, which are read on demand only, stray names, and what could not be read.
//
// The receiver is not changed, and the result shares no mutable value with it.
func (s *State) Normal() *State {
	normal := &State{Namespaces: make([]Namespace, len(s.Namespaces))}
	origins := s.TellsOrigins()
	for i := range s.Namespaces {
		normal.Namespaces[i] = s.Namespaces[i].normal(origins)
	}
	slices.SortFunc(normal.Namespaces, func(a, b Namespace) int { return compareNames(a.Name, b.Name) })
	return normal
}

// compareNames orders namespaces: the host first, then by name.
func compareNames(a, b string) int {
	if (a == Host) != (b == Host) {
		if a == Host {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// TellsOrigins reports whether the kernel of the state tells who made an address. Then it tells so of 127.0.0.1, which
// a loopback gets when it is switched on, and of each link-local address that it made.
func (s *State) TellsOrigins() bool {
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			if slices.ContainsFunc(l.Addresses, func(a Address) bool { return a.Proto != 0 }) {
				return true
			}
		}
	}
	return false
}

func (n *Namespace) normal(origins bool) Namespace {
	normal := Namespace{Name: n.Name}
	for _, l := range n.Links {
		if !l.Fallback() {
			normal.Links = append(normal.Links, n.normalLink(l, origins))
		}
	}
	for _, r := range n.Routes {
		if !kernelRoute(r) {
			normal.Routes = append(normal.Routes, normalRoute(r))
		}
	}
	normal.Rules = append(normal.Rules, n.Rules...)
	for _, e := range n.Neighbours {
		if n.wasSet(e) {
			e.Router = e.Router && !e.Addr.Is4()
			normal.Neighbours = append(normal.Neighbours, e)
		}
	}
	for _, e := range n.FDB {
		if (!e.Learned || e.ExternLearned) && !n.OwnEntry(e) {
			e.Offloaded = false
			normal.FDB = append(normal.FDB, e)
		}
	}
	for _, o := range n.NexthopObjects {
		normal.NexthopObjects = append(normal.NexthopObjects, normalObject(o))
	}
	for _, q := range n.Qdiscs {
		if !q.Default {
			q.Handle, q.Parent = chosenHandle(q.Handle), chosenHandle(q.Parent)
			normal.Qdiscs = append(normal.Qdiscs, q)
		}
	}
	for _, f := range n.TCFilters {
		if f.Program != nil {
			program := *f.Program
			program.ID = 0
			f.Program = &program
		}
		normal.TCFilters = append(normal.TCFilters, f)
	}
	normal.Sysctls = slices.Clone(n.Sysctls)
	if slices.ContainsFunc(n.Links, isFallback) {
		normal.Sysctls = slices.DeleteFunc(normal.Sysctls, n.ofFallback)
	}
	normal.sort()
	return normal
}

// chosenHandle is a handle or parent as it was configured; "" for a number that the kernel chose (qdisc_alloc_handle in
// net/sched/sch_api.c counts from 8001: for the whole machine).
func chosenHandle(h string) string {
	major, _, _ := strings.Cut(h, ":")
	if n, err := strconv.ParseUint(major, 16, 32); err == nil && n >= 0x8000 {
		return ""
	}
	return h
}

// sort puts everything into a fixed order. Rules of the same priority keep theirs, in which the kernel evaluates them.
func (n *Namespace) sort() {
	slices.SortFunc(n.Links, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Table, b.Table), a.To.Addr().Compare(b.To.Addr()),
			cmp.Compare(a.To.Bits(), b.To.Bits()), cmp.Compare(a.Metric, b.Metric),
			strings.Compare(RouteText(a), RouteText(b)))
	})
	slices.SortStableFunc(n.Rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Priority, b.Priority))
	})
	slices.SortFunc(n.Neighbours, func(a, b Neighbour) int {
		return cmp.Or(strings.Compare(a.Dev, b.Dev), a.Addr.Compare(b.Addr),
			strings.Compare(NeighbourText(a), NeighbourText(b)))
	})
	slices.SortFunc(n.FDB, func(a, b FDBEntry) int {
		return cmp.Or(strings.Compare(a.Dev, b.Dev), strings.Compare(FDBText(a), FDBText(b)))
	})
	slices.SortFunc(n.NexthopObjects, func(a, b NexthopObject) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(n.Qdiscs, func(a, b Qdisc) int { return strings.Compare(QdiscText(a), QdiscText(b)) })
	slices.SortStableFunc(n.TCFilters, func(a, b TCFilter) int {
		return cmp.Or(strings.Compare(a.Dev, b.Dev), strings.Compare(a.Hook, b.Hook), cmp.Compare(a.Chain, b.Chain),
			cmp.Compare(a.Priority, b.Priority))
	})
	slices.SortFunc(n.Sysctls, func(a, b Sysctl) int { return strings.Compare(a.Key, b.Key) })
}

func (n *Namespace) normalLink(l Link, origins bool) Link {
	addresses := l.Addresses
	l.Addresses = nil
	for _, a := range addresses {
		if !madeAlone(a, l) && (origins || !ofFormerMAC(a, l)) {
			l.Addresses = append(l.Addresses, normalAddress(a))
		}
	}
	slices.SortFunc(l.Addresses, func(a, b Address) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()),
			strings.Compare(AddressText(a), AddressText(b)))
	})
	l.Index, l.Carrier, l.OperState, l.Promiscuity, l.Counters = 0, false, "", 0, nil
	if l.MACRandom {
		l.MAC = ""
	}
	if !slices.ContainsFunc(n.Qdiscs, func(q Qdisc) bool {
		return q.Dev == l.Name && q.Parent == "root" && !q.Default
	}) {
		l.Qdisc = ""
	}
	l.AltNames = slices.Sorted(slices.Values(l.AltNames))
	l.XDP = slices.Clone(l.XDP)
	for i := range l.XDP {
		l.XDP[i].ID = 0
	}
	if l.Peer != nil {
		peer := *l.Peer
		peer.Index = 0
		l.Peer = &peer
	}
	if l.Port != nil {
		port := *l.Port
		port.State, port.ForwardTimer = "", 0
		port.VLANs = sortedVLANs(port.VLANs)
		l.Port = &port
	}
	if l.Bridge != nil {
		bridge := *l.Bridge
		bridge.VLANs = sortedVLANs(bridge.VLANs)
		l.Bridge = &bridge
	}
	return l
}

func sortedVLANs(table []PortVLAN) []PortVLAN {
	table = slices.Clone(table)
	slices.SortFunc(table, func(a, b PortVLAN) int { return cmp.Compare(a.ID, b.ID) })
	return table
}

// madeAlone reports whether the kernel made this address by itself: link-local, temporary or from a router
// advertisement.
func madeAlone(a Address, l Link) bool {
	const protoRA, protoLinkLocal = 2, 3
	if !a.Prefix.Addr().Is6() {
		return false
	}
	return a.Proto == protoRA || a.Proto == protoLinkLocal || slices.Contains(a.Flags, "temporary") ||
		a.Prefix.Addr() == LinkLocal(l.MAC)
}

// ofFormerMAC reports whether the address is probably a link-local one that the kernel made from an earlier MAC address
// of a bridge: a bridge takes the lowest MAC address of its ports, and keeps the link-local address from before. Since
// Linux 5.18 IFA_PROTO tells for certain; without it an address of that form that was added by hand looks the same.
func ofFormerMAC(a Address, l Link) bool {
	bytes := a.Prefix.Addr().As16()
	return l.Kind == "bridge" && a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && a.Prefix.Bits() == 64 &&
		bytes[11] == 0xff && bytes[12] == 0xfe
}

// LinkLocal is the IPv6 link-local address that the kernel derives from a MAC address (EUI-64); the zero Addr for
// anything but six bytes.
func LinkLocal(mac string) netip.Addr {
	m, err := net.ParseMAC(mac)
	if err != nil || len(m) != 6 {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3],
		14: m[4], 15: m[5]})
}

func normalAddress(a Address) Address {
	for _, lifetime := range []*uint32{&a.ValidLft, &a.PreferredLft} {
		if *lifetime != Forever {
			*lifetime = 0
		}
	}
	a.Flags = slices.DeleteFunc(slices.Clone(a.Flags), func(f string) bool {
		return f == "tentative" || f == "dadfailed" || f == "optimistic"
	})
	return a
}

// kernelRoute reports whether a route is one that the kernel adds and removes by itself, at a time of its choosing.
func kernelRoute(r Route) bool {
	to := r.To.Addr()
	switch {
	case r.Proto == "ra" || r.Proto == "redirect":
		return true
	case r.Proto != "kernel":
		return false
	case r.Family == 6 && (r.Type == "local" || r.Type == "anycast"):
		return true
	}
	return r.Family == 6 && (to.IsLinkLocalUnicast() || to.IsMulticast()) || r.Type == "multicast"
}

func normalRoute(r Route) Route {
	hops := make([]Nexthop, 0, len(r.Nexthops))
	for _, h := range r.Nexthops {
		hops = append(hops, normalHop(h))
	}
	slices.SortStableFunc(hops, func(a, b Nexthop) int {
		return cmp.Or(a.Via.Compare(b.Via), strings.Compare(a.Dev, b.Dev), cmp.Compare(a.Weight, b.Weight))
	})
	r.Nexthops = hops
	return r
}

func normalHop(h Nexthop) Nexthop {
	h.Flags = slices.DeleteFunc(slices.Clone(h.Flags), setByKernel)
	return h
}

func normalObject(o NexthopObject) NexthopObject {
	o.Nexthop = normalHop(o.Nexthop)
	o.Group = slices.Clone(o.Group)
	return o
}

// setByKernel reports whether a flag of a next hop follows carrier or the hardware.
func setByKernel(flag string) bool {
	return slices.Contains([]string{"linkdown", "dead", "unresolved", "offload", "trap"}, flag)
}

// wasSet reports whether this neighbour was configured. The kernel makes noarp entries by itself for multicast, on
// loopback and on links that do not resolve addresses.
func (n *Namespace) wasSet(e Neighbour) bool {
	if e.Proxy || e.State == "permanent" {
		return true
	}
	link := n.Link(e.Dev)
	return e.State == "noarp" && !e.Addr.IsMulticast() && e.MAC != "" && link != nil && link.Kind != "loopback" &&
		!link.NoARP && e.MAC != link.Broadcast
}

// OwnEntry reports whether a forwarding entry is for the address of the port or the bridge itself.
func (n *Namespace) OwnEntry(e FDBEntry) bool {
	if !e.Permanent || e.Master == "" {
		return false
	}
	for _, name := range []string{e.Dev, e.Master} {
		if l := n.Link(name); l != nil && l.MAC == e.MAC {
			return true
		}
	}
	return false
}
