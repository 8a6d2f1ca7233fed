package diagnose

import (
	"net/netip"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// Survey is the result of a review.
type Survey struct {
	// Causes are in the order of the namespaces and their links; empty, never nil.
	Causes []Cause `json:"causes"`
	// Unread are the parts of the state that could not be read, each with its namespace; empty, never nil.
	Unread []string `json:"unread"`
}

// Review lists faults in a state, without a query. In a healthy network it finds nothing but remarks.
func Review(s *state.State) Survey {
	return Survey{Causes: append([]Cause{}, review(s)...), Unread: unread(s)}
}

func review(s *state.State) []Cause {
	r := &reviewer{walk: &walk{state: s}}
	for _, name := range s.NotNamespaces {
		r.add(r.noNamespace(name))
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
	*walk
	found []Cause
}

func (r *reviewer) add(c *Cause) {
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
	if lo := n.Link("lo"); lo != nil && !lo.Up && len(ordinary(n)) > 0 {
		r.add(cause(causes.LoopbackDown, n, lo,
			"lo in %s is down: the namespace does not reach its own addresses, and network errors are silent",
			n.Name).
			proof(linkShown(n, lo)).fix(ip(n, "link set lo up")))
	}
	if n.Nameless && len(n.PIDs) > 0 {
		c := cause(causes.KeptByProcess, n, nil, "the namespace has no name; processes keep it alive: %s", pids(n.PIDs))
		r.add(c.proof("ls -l /proc/" + itoa(n.PIDs[0]) + "/ns/net"))
	}
}

func pids(all []int) string {
	words := make([]string, len(all))
	for i, pid := range all {
		words[i] = itoa(pid)
	}
	return strings.Join(words, ", ")
}

// link checks one link: its veth peer, its MTU, its bridge, its addresses.
func (r *reviewer) link(n *state.Namespace, l *state.Link) {
	// The veth pair: neither end has carrier unless both are up (veth_open() and veth_close(), drivers/net/veth.c).
	peer := r.below(l)
	switch {
	case l.Kind == "veth" && l.Peer != nil && l.Peer.Hidden:
		r.add(cause(causes.PeerOutOfSight, n, l, "the peer of %s is in a namespace that was not read",
			l.Name).proof(linkShown(n, l)))
	case l.Kind == "veth" && peer != nil && l.Up && !peer.l.Up:
		r.add(cause(causes.HalfUp, peer.n, peer.l, "%s in %s is down, %s in %s is up: the pair is half up", peer.l.Name,
			peer.n.Name, l.Name, n.Name).
			proof(linkShown(peer.n, peer.l), linkShown(n, l)).fix(ip(peer.n, "link set %s up", peer.l.Name)))
	case l.Kind == "veth" && peer != nil && peer.n == n && l.Master == "" && peer.l.Master == "" &&
		l.Index < peer.l.Index && (l.Up || peer.l.Up):
		r.add(cause(causes.SameNamespace, n, l, "both ends of the pair %s and %s are in %s", l.Name, peer.l.Name,
			n.Name).
			proof(linkShown(n, l), linkShown(n, peer.l)).advise(ip(n, "link set %s netns OTHER", peer.l.Name)))
	}
	// The MTU: veth_xmit() drops a frame that is larger than the peer's MTU and a VLAN tag (is_skb_forwardable(),
	// net/core/dev.c), without an error for the sender.
	if l.Kind == "veth" && peer != nil && l.MTU != peer.l.MTU && firstOfPair(port{n, l}, *peer) {
		small, large := port{n, l}, *peer
		if small.l.MTU > large.l.MTU {
			small, large = large, small
		}
		r.add(cause(causes.MTUMismatch, small.n, small.l,
			"%s has an MTU of %d and its other end %s in %s one of %d: large packets from there are dropped",
			small.l.Name, small.l.MTU, large.l.Name, large.n.Name, large.l.MTU).
			proof(linkShown(small.n, small.l), linkShown(large.n, large.l)).fix(ip(small.n, "link set %s mtu %d",
			small.l.Name, large.l.MTU)))
	}
	// The bridge: without a port it never has carrier.
	if l.Kind == "bridge" && l.Up {
		if len(ports(n, l)) == 0 {
			r.add(cause(causes.BridgeWithoutPorts, n, l, "the bridge %s has no port",
				l.Name).proof(linkShown(n, l)).advise(ip(n, "link set IFACE master %s", l.Name)))
		}
	}
	// The port of a bridge: its state, and addresses that receive nothing, since br_handle_frame(),
	// net/bridge/br_input.c, takes each frame before IP does (RX_HANDLER_CONSUMED).
	if l.Master != "" {
		if b := n.Link(l.Master); b != nil && b.Up && !wantedByTree(port{n, l}) {
			r.add(r.portTrouble(port{n, l}))
		}
		for _, a := range l.Addresses {
			if b := n.Link(l.Master); b != nil && b.Kind == "bridge" &&
				!(a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()) {
				r.add(addressOnPort(port{n, l}, port{n, b}, a.Prefix.Addr()))
			}
		}
	}
	for _, a := range l.Addresses {
		r.address(n, l, a)
	}
}

// firstOfPair is true for one end of a pair only, so that a fault of both is reported once.
func firstOfPair(a, b port) bool {
	if a.n != b.n {
		return a.n.Name < b.n.Name
	}
	return a.l.Index < b.l.Index
}

// address finds addresses that no host may have, and prefixes that do not match those of the other end.
func (r *reviewer) address(n *state.Namespace, l *state.Link, a state.Address) {
	addr, what := a.Prefix.Addr(), ""
	if addr.Is4() && l.Kind != "loopback" && !a.Peer.IsValid() {
		bits := a.Prefix.Bits()
		network, last := a.Prefix.Masked().Addr(), lastAddress(a.Prefix)
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
		r.add(cause(causes.OddAddress, n, l, "%s on %s is %s", a.Prefix, l.Name,
			what).proof(addressShown(n, l, a)).fix(ip(n, "addr del %s dev %s", a.Prefix, l.Name)))
	}
	if has(a.Flags, "dadfailed") {
		r.add(r.unusableAddress(port{n, l}, a))
	}
	peer := r.below(l)
	if peer == nil || l.Kind != "veth" || peer.l.Master != "" || a.Prefix.IsSingleIP() && addr.Is6() {
		return
	}
	for _, b := range peer.l.Addresses {
		if familyOf(b.Prefix.Addr()) == familyOf(addr) && !addr.IsLinkLocalUnicast() &&
			a.Prefix.Bits() > b.Prefix.Bits() && covers(b, addr) && !covers(a, b.Prefix.Addr()) &&
			!a.Peer.IsValid() && !b.Peer.IsValid() && !r.reachesOtherwise(n, b.Prefix.Addr()) {
			r.add(cause(causes.PrefixMismatch, n, l, "%s on %s does not cover %s at its other end, which covers it",
				a.Prefix, l.Name, b.Prefix).
				proof(addressShown(n, l, a), addressShown(peer.n, peer.l, b)).
				fix(ip(n, "addr del %s dev %s", a.Prefix, l.Name),
					ip(n, "addr add %s dev %s", netip.PrefixFrom(addr, b.Prefix.Bits()), l.Name)))
		}
	}
}

// reachesOtherwise reports whether a namespace has any route to an address.
func (r *reviewer) reachesOtherwise(n *state.Namespace, addr netip.Addr) bool {
	return lookup(n, flow{dst: addr}).found()
}

// lastAddress is the broadcast address of an IPv4 network.
func lastAddress(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

// shared finds addresses and MAC addresses that two links of one segment have.
func (r *reviewer) shared() {
	type place struct {
		segment port
		what    string
	}
	first := map[place]port{}
	// meet returns the link that had the same address on the same segment before, and whether there was one.
	meet := func(at port, what string) (port, bool) {
		p := place{r.segmentOf(at), what}
		other, met := first[p]
		if !met {
			first[p] = at
		}
		return other, met
	}
	macs := map[string]int{}
	r.eachLink(func(at port) {
		if ethernet(at.l) {
			macs[at.l.MAC]++
		}
	})
	r.eachLink(func(at port) {
		for _, a := range at.l.Addresses {
			addr := a.Prefix.Addr()
			if len(r.owned(addr)) < 2 || addr.IsLoopback() || !usable(a) {
				continue
			}
			if other, met := meet(at, addr.String()); met && other.n != at.n {
				r.add(duplicateAddress(at, other, addr))
			}
		}
		if macs[at.l.MAC] < 2 || !ethernet(at.l) {
			return
		}
		if other, met := meet(at, at.l.MAC); met && r.lowest(other) != r.lowest(at) {
			r.add(cause(causes.DuplicateMAC, at.n, at.l,
				"%s in %s and %s in %s have the same MAC address %s on one segment", other.l.Name, other.n.Name,
				at.l.Name, at.n.Name, at.l.MAC).
				proof(linkShown(at.n, at.l) + " link/ether " + at.l.MAC).fix(ip(at.n, "link set %s address %s",
				at.l.Name, freshMAC(other, at))))
		}
	})
}

// ethernet reports whether a link has a MAC address of its own; a bridge may have that of a port, and a VLAN that of
// the link below it.
func ethernet(l *state.Link) bool {
	return l.MAC != "" && l.MAC != "00:00:00:00:00:00" && l.Kind != "loopback" && l.Kind != "bridge" &&
		l.Kind != "vlan" && l.IPvlan == ""
}

func (r *reviewer) eachLink(f func(port)) {
	for i := range r.state.Namespaces {
		n := &r.state.Namespaces[i]
		for j := range n.Links {
			f(port{n, &n.Links[j]})
		}
	}
}

// overlaps finds networks of a namespace that the host has on another segment.
func (r *reviewer) overlaps() {
	host := r.state.Namespace(state.Host)
	if host == nil {
		return
	}
	for i := range host.Links {
		theirs := &host.Links[i]
		for _, a := range addresses(theirs, 4) {
			if a.Prefix.Addr().IsLoopback() || a.Prefix.IsSingleIP() {
				continue
			}
			for j := range r.state.Namespaces {
				n := &r.state.Namespaces[j]
				if n == host {
					continue
				}
				for k := range n.Links {
					l := &n.Links[k]
					if peer := r.below(l); peer != nil && peer.n == host {
						continue // its cable ends at the host: it is the same network
					}
					if outOfSight(l) {
						continue // its own card may well be in that network
					}
					for _, b := range addresses(l, 4) {
						if !b.Prefix.Addr().IsLoopback() && !b.Prefix.IsSingleIP() && covered(a).Overlaps(covered(b)) &&
							!r.sameSegment(port{host, theirs}, port{n, l}) {
							r.add(cause(causes.SubnetOverlap, n, l,
								"%s on %s overlaps a network that the host has elsewhere (%s on %s): neither reaches "+
									"the other", b.Prefix, l.Name, a.Prefix, theirs.Name).
								proof(addressShown(n, l, b), addressShown(host, theirs, a)))
						}
					}
				}
			}
		}
	}
}
