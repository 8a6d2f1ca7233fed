// Package review finds what is wrong in a network without a question: it looks at each namespace, link and address. It
// imports state, the faults, the topology and what they import; only the diagnosis imports it. It follows no packet.
package review

import (
	"net/netip"
	"strconv"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Of are the faults and remarks of a network, without a query, in the order of the namespaces and their links.
func Of(m *topology.Map) []finding.Cause {
	r, s := &reviewer{Map: m}, m.State
	for _, name := range s.NotNamespaces {
		r.add(faults.NoNamespace(r.Map, name))
	}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		r.namespace(n)
		for j := range n.Links {
			r.link(n, &n.Links[j])
		}
	}
	r.shared()
	r.overlaps()
	return r.found
}

type reviewer struct {
	*topology.Map
	found []finding.Cause
}

func (r *reviewer) add(c *finding.Cause) {
	if c == nil {
		return
	}
	for i := range r.found {
		if r.found[i].Name == c.Name && r.found[i].Netns == c.Netns && r.found[i].Link == c.Link {
			return
		}
	}
	r.found = append(r.found, *c)
}

func (r *reviewer) namespace(n *state.Namespace) {
	if lo := n.Link("lo"); lo != nil && !lo.Up && len(facts.Ordinary(n)) > 0 {
		r.add(finding.New(causes.LoopbackDown, n, lo,
			"lo in %s is down: the namespace does not reach its own addresses, and network errors are silent",
			n.Name).
			Proof(words.LinkShown(n, lo)).Fix(words.IP(n, "link set lo up")))
	}
	if n.Nameless && len(n.PIDs) > 0 {
		c := finding.New(causes.KeptByProcess, n, nil, "the namespace has no name; processes keep it alive: %s",
			pids(n.PIDs))
		r.add(c.Proof("ls -l /proc/" + strconv.Itoa(n.PIDs[0]) + "/ns/net"))
	}
}

func pids(all []int) string {
	words := make([]string, len(all))
	for i, pid := range all {
		words[i] = strconv.Itoa(pid)
	}
	return strings.Join(words, ", ")
}

// link checks one link: its pair, its bridge, its addresses.
func (r *reviewer) link(n *state.Namespace, l *state.Link) {
	if l.Kind == "veth" {
		r.pair(facts.At(n, l))
	}
	if l.Kind == "bridge" && l.Up && len(facts.Ports(n, l)) == 0 { // without a port it never has carrier
		r.add(finding.New(causes.BridgeWithoutPorts, n, l, "the bridge %s has no port", l.Name).
			Proof(words.LinkShown(n, l)).Advise(words.IP(n, "link set IFACE master %s", l.Name)))
	}
	if master := n.Link(l.Master); l.Master != "" && master != nil {
		r.enslaved(facts.At(n, l), facts.At(n, master))
	}
	for _, a := range l.Addresses {
		r.address(n, l, a)
	}
}

// pair checks one end of a veth pair. Neither end has carrier unless both are up (veth_open() and veth_close(),
// drivers/net/veth.c).
func (r *reviewer) pair(at facts.Port) {
	peer := r.Below(at.L)
	switch {
	case at.L.Peer != nil && at.L.Peer.Hidden:
		r.add(finding.New(causes.PeerOutOfSight, at.N, at.L, "the peer of %s is in a namespace that was not read",
			at.L.Name).Proof(words.LinkShown(at.N, at.L)))
	case peer == nil:
		return
	case at.L.Up && !peer.L.Up:
		r.add(finding.New(causes.HalfUp, peer.N, peer.L, "%s in %s is down, %s in %s is up: the pair is half up",
			peer.L.Name, peer.N.Name, at.L.Name, at.N.Name).
			Proof(words.LinkShown(peer.N, peer.L), words.LinkShown(at.N, at.L)).
			Fix(words.IP(peer.N, "link set %s up", peer.L.Name)))
	case leadsNowhere(at, *peer):
		r.add(finding.New(causes.SameNamespace, at.N, at.L, "both ends of the pair %s and %s are in %s", at.L.Name,
			peer.L.Name, at.N.Name).
			Proof(words.LinkShown(at.N, at.L), words.LinkShown(at.N, peer.L)).
			Advise(words.IP(at.N, "link set %s netns OTHER", peer.L.Name)))
	}
	if peer != nil && at.L.MTU != peer.L.MTU && firstOfPair(at, *peer) {
		r.add(mtuMismatch(at, *peer))
	}
}

// leadsNowhere reports whether both ends of a pair, of which one is up, are in one namespace, and no ports there; of
// one end of a pair only.
func leadsNowhere(at, peer facts.Port) bool {
	return peer.N == at.N && at.L.Master == "" && peer.L.Master == "" && at.L.Index < peer.L.Index &&
		(at.L.Up || peer.L.Up)
}

// mtuMismatch: veth_xmit() drops a frame that is larger than the peer's MTU and a VLAN tag (is_skb_forwardable(),
// net/core/dev.c), without an error for the sender.
func mtuMismatch(small, large facts.Port) *finding.Cause {
	if small.L.MTU > large.L.MTU {
		small, large = large, small
	}
	return finding.New(causes.MTUMismatch, small.N, small.L,
		"%s has an MTU of %d and its other end %s in %s one of %d: large packets from there are dropped",
		small.L.Name, small.L.MTU, large.L.Name, large.N.Name, large.L.MTU).
		Proof(words.LinkShown(small.N, small.L), words.LinkShown(large.N, large.L)).
		Fix(words.IP(small.N, "link set %s mtu %d", small.L.Name, large.L.MTU))
}

// enslaved checks a link with a master: its state as a port, and addresses that receive nothing, since
// br_handle_frame(), net/bridge/br_input.c, takes each frame before IP does (RX_HANDLER_CONSUMED).
func (r *reviewer) enslaved(at, master facts.Port) {
	if master.L.Up && !topology.WantedByTree(at) {
		r.add(r.PortTrouble(at))
	}
	if master.L.Kind != "bridge" {
		return
	}
	for _, a := range at.L.Addresses {
		if !(a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()) {
			r.add(faults.AddressOnPort(at, master, a.Prefix.Addr()))
		}
	}
}

// firstOfPair is true for one end of a pair only, so that a fault of both is reported once.
func firstOfPair(a, b facts.Port) bool {
	if a.N != b.N {
		return a.N.Name < b.N.Name
	}
	return a.L.Index < b.L.Index
}

// address finds addresses that no host may have, and prefixes that do not match those of the other end.
func (r *reviewer) address(n *state.Namespace, l *state.Link, a state.Address) {
	addr, what := a.Prefix.Addr(), ""
	if addr.Is4() && l.Kind != "loopback" && !a.Peer.IsValid() {
		bits := a.Prefix.Bits()
		network, last := a.Prefix.Masked().Addr(), facts.LastAddress(a.Prefix)
		switch {
		case bits < 31 && addr == network:
			what = "the address of the network itself"
		case bits < 31 && addr == last:
			what = "the broadcast address of its network"
		}
	}
	if addr.IsMulticast() {
		what = "a multicast address"
	}
	if what != "" {
		r.add(finding.New(causes.OddAddress, n, l, "%s on %s is %s", a.Prefix, l.Name,
			what).Proof(words.AddressShown(n, l, a)).Fix(words.IP(n, "addr del %s dev %s", a.Prefix, l.Name)))
	}
	if facts.Has(a.Flags, "dadfailed") {
		r.add(faults.UnusableAddress(r.Map, facts.At(n, l), a))
	}
	peer := r.Below(l)
	if peer == nil || l.Kind != "veth" || peer.L.Master != "" || a.Prefix.IsSingleIP() && addr.Is6() {
		return
	}
	for _, b := range peer.L.Addresses {
		if facts.FamilyOf(b.Prefix.Addr()) == facts.FamilyOf(addr) && !addr.IsLinkLocalUnicast() &&
			a.Prefix.Bits() > b.Prefix.Bits() && facts.Covers(b, addr) && !facts.Covers(a, b.Prefix.Addr()) &&
			!a.Peer.IsValid() && !b.Peer.IsValid() && !r.reachesOtherwise(n, b.Prefix.Addr()) {
			r.add(finding.New(causes.PrefixMismatch, n, l,
				"%s on %s does not cover %s at its other end, which covers it",
				a.Prefix, l.Name, b.Prefix).
				Proof(words.AddressShown(n, l, a), words.AddressShown(peer.N, peer.L, b)).
				Fix(words.IP(n, "addr del %s dev %s", a.Prefix, l.Name),
					words.IP(n, "addr add %s dev %s", netip.PrefixFrom(addr, b.Prefix.Bits()), l.Name)))
		}
	}
}

// reachesOtherwise reports whether a namespace has any route to an address.
func (r *reviewer) reachesOtherwise(n *state.Namespace, addr netip.Addr) bool {
	return routing.Lookup(n, routing.Flow{Dst: addr}).Found()
}

// shared finds addresses and MAC addresses that two links of one segment have.
func (r *reviewer) shared() {
	type place struct {
		segment facts.Port
		what    string
	}
	first := map[place]facts.Port{}
	// meet returns the link that had the same address on the same segment before, and whether there was one.
	meet := func(at facts.Port, what string) (facts.Port, bool) {
		p := place{r.SegmentOf(at), what}
		other, met := first[p]
		if !met {
			first[p] = at
		}
		return other, met
	}
	macs := map[string]int{}
	r.eachLink(func(at facts.Port) {
		if ethernet(at.L) {
			macs[at.L.MAC]++
		}
	})
	r.eachLink(func(at facts.Port) {
		for _, a := range at.L.Addresses {
			addr := a.Prefix.Addr()
			if len(r.Owned(addr)) < 2 || addr.IsLoopback() || !facts.Usable(a) {
				continue
			}
			if other, met := meet(at, addr.String()); met && other.N != at.N {
				r.add(faults.DuplicateAddress(at, other, addr))
			}
		}
		if macs[at.L.MAC] < 2 || !ethernet(at.L) {
			return
		}
		if other, met := meet(at, at.L.MAC); met && r.Lowest(other) != r.Lowest(at) {
			r.add(finding.New(causes.DuplicateMAC, at.N, at.L,
				"%s in %s and %s in %s have the same MAC address %s on one segment", other.L.Name, other.N.Name,
				at.L.Name, at.N.Name, at.L.MAC).
				Proof(words.LinkShown(at.N, at.L) + " link/ether " + at.L.MAC).Fix(words.IP(at.N,
				"link set %s address %s",
				at.L.Name, faults.FreshMAC(other, at))))
		}
	})
}

// ethernet reports whether a link has a MAC address of its own; a bridge may have that of a port, and a VLAN that of
// the link below it.
func ethernet(l *state.Link) bool {
	return l.MAC != "" && l.MAC != "00:00:00:00:00:00" && l.Kind != "loopback" && l.Kind != "bridge" &&
		l.Kind != "vlan" && l.IPvlan == ""
}

func (r *reviewer) eachLink(f func(facts.Port)) {
	for i := range r.State.Namespaces {
		n := &r.State.Namespaces[i]
		for j := range n.Links {
			f(facts.At(n, &n.Links[j]))
		}
	}
}

// overlaps finds networks of a namespace that the host has on another segment.
func (r *reviewer) overlaps() {
	host := r.State.Namespace(state.Host)
	if host == nil {
		return
	}
	for i := range host.Links {
		theirs := &host.Links[i]
		for _, a := range facts.Addresses(theirs, 4) {
			if a.Prefix.Addr().IsLoopback() || a.Prefix.IsSingleIP() {
				continue
			}
			for j := range r.State.Namespaces {
				n := &r.State.Namespaces[j]
				if n == host {
					continue
				}
				for k := range n.Links {
					l := &n.Links[k]
					if peer := r.Below(l); peer != nil && peer.N == host {
						continue // its cable ends at the host: it is the same network
					}
					if topology.OutOfSight(l) {
						continue // its own card may well be in that network
					}
					for _, b := range facts.Addresses(l, 4) {
						if !b.Prefix.Addr().IsLoopback() && !b.Prefix.IsSingleIP() &&
							facts.Covered(a).Overlaps(facts.Covered(b)) &&
							!r.SameSegment(facts.At(host, theirs), facts.At(n, l)) {
							r.add(finding.New(causes.SubnetOverlap, n, l,
								"%s on %s overlaps a network that the host has elsewhere (%s on %s): neither reaches "+
									"the other", b.Prefix, l.Name, a.Prefix, theirs.Name).
								Proof(words.AddressShown(n, l, b), words.AddressShown(host, theirs, a)))
						}
					}
				}
			}
		}
	}
}
