package diagnose

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// resolve finds the link that answers neighbour requests for an address on the segment of a link, or the cause why none
// does. No port and no cause mean that the owner, if there is one, is outside the state.
func (w *walk) resolve(n *state.Namespace, out *state.Link, to netip.Addr, p packet) (port, *Cause) {
	// The owner of the address on the segment. With two, the first reply wins: a duplicate address.
	arrivals := w.segment(port{n, out}, p)
	var owner *arrival
	for i := range arrivals {
		a := &arrivals[i]
		if !w.answersFor(a.port, to) || a.n == n && a.obstacle != nil {
			continue
		}
		if owner == nil {
			owner = a
			continue
		}
		if owner.obstacle == nil && a.obstacle == nil && a.n != owner.n && a.n != n &&
			!settled(w.holder(a.port, to), w.holder(owner.port, to), to) {
			return port{}, duplicateAddress(w.holder(a.port, to), w.holder(owner.port, to), to)
		}
	}
	// Without an owner that is reached: a permanent entry, or a proxy (arp_process(), net/ipv4/arp.c; ndisc_recv_ns(),
	// net/ipv6/ndisc.c).
	if owner == nil || owner.obstacle != nil {
		if a := w.standIn(port{n, out}, to, arrivals, p); a != nil {
			if c := w.believed(n, out, to, a, arrivals, p); c != nil {
				return port{}, c
			}
			w.doubtBridges(a)
			return a.port, nil
		}
	}
	// No reply: neigh_timer_handler(), net/core/neighbour.c, gives up, and the sender gets EHOSTUNREACH.
	if owner == nil {
		for _, at := range w.beyond {
			if leadsAnywhere(at.l) || len(w.owned(to)) == 0 && !w.unanswered(n, out, to) {
				w.doubt("what is behind %s in %s is outside the state", at.l.Name, at.n.Name)
				return port{}, nil
			}
		}
		if c := blocked(n, arrivals); c != nil {
			return port{}, c
		}
		return port{}, w.nobody(n, out, to, arrivals)
	}
	if owner.obstacle != nil {
		return port{}, owner.obstacle
	}
	owner = w.entrance(port{n, out}, to, owner, arrivals)
	// The owner is reached: does it answer, and does the sender use the right MAC address?
	w.doubtOthers(port{n, out}, owner, to, arrivals, p)
	if c := w.sharedSource(n, out, p, arrivals); c != nil {
		return port{}, c
	}
	if c := w.believed(n, out, to, owner, arrivals, p); c != nil {
		return port{}, c
	}
	w.doubtBridges(owner)
	return owner.port, nil
}

// doubtBridges notes as doubts what was not read of the bridges on the path to a link, and their permanent entries for
// another port.
func (w *walk) doubtBridges(owner *arrival) {
	for _, b := range owner.bridges {
		w.doubtUnread(b.n)
		for _, l := range []*state.Link{b.in, b.out} {
			if l != nil {
				w.doubtQdiscs(b.n, l)
			}
		}
		for _, e := range b.n.FDB {
			if b.out != nil && e.Master == b.l.Name && !e.Learned && e.Dev != b.out.Name &&
				strings.EqualFold(e.MAC, owner.l.MAC) {
				w.doubt("an entry of the bridge %s in %s has %s at %s, but it is behind %s", b.l.Name, b.n.Name, e.MAC,
					e.Dev, b.out.Name)
			}
		}
	}
}

// doubtOthers notes as a doubt another neighbour that answers for the address too, by a route of the type local for a
// whole prefix.
func (w *walk) doubtOthers(me port, owner *arrival, to netip.Addr, arrivals []arrival, p packet) {
	if w.trial || to.Is6() {
		return
	}
	from := w.asker(me, to, p)
	for i := range arrivals {
		a := &arrivals[i]
		if a.obstacle == nil && a.n != me.n && a.n != owner.n && !w.isOwn(a.n, to) && takesIn(a.port, from, to) {
			w.doubt("%s in %s answers for %s as well, which is an address of %s", a.l.Name, a.n.Name, to, owner.n.Name)
		}
	}
}

// standIn is the link that gets the frames for an address whose owner is not reached: that of a permanent entry, or one
// that answers for other addresses.
func (w *walk) standIn(me port, to netip.Addr, arrivals []arrival, p packet) *arrival {
	known, from := w.neighbour(me.n, me.l, to), w.asker(me, to, p)
	for i := range arrivals {
		a := &arrivals[i]
		if a.obstacle != nil || a.n == me.n {
			continue
		}
		if known != nil && known.State == "permanent" {
			if known.MAC != "" && strings.EqualFold(known.MAC, a.l.MAC) {
				return a
			}
		} else if proxies(a.port, to) || to.Is4() && takesIn(a.port, from, to) {
			return a
		}
	}
	return nil
}

// proxies reports whether a namespace answers by a link for an address that is not its own (arp_process(),
// net/ipv4/arp.c, and ndisc_recv_ns(), net/ipv6/ndisc.c): it forwards, the route to the address leads out of another
// link, and proxy_arp is on or there is a proxy entry for the address.
func proxies(at port, addr netip.Addr) bool {
	family := familyOf(addr)
	d := lookup(at.n, flow{dst: addr, iif: at.l.Name})
	if !forwards(at.n, at.l, family) || !d.found() || d.local() || d.hop == nil || d.hop.Dev == at.l.Name {
		return false
	}
	entry := slices.ContainsFunc(at.n.Neighbours, func(e state.Neighbour) bool {
		return e.Proxy && e.Dev == at.l.Name && e.Addr.WithZone("") == addr.WithZone("")
	})
	if family == 4 {
		return entry || strongest(at.n, at.l, "proxy_arp") > 0
	}
	off := func(link string) bool { return sysctl(at.n, ofLink(6, link, "proxy_ndp")) == "0" }
	return entry && !(off("all") && off(at.l.Name)) // if the setting was not read, the entry counts
}

// unanswered reports whether the kernel has sent neighbour requests without a reply.
func (w *walk) unanswered(n *state.Namespace, out *state.Link, to netip.Addr) bool {
	e := w.neighbour(n, out, to)
	return e != nil && (e.State == "failed" || e.State == "incomplete")
}

// settled reports whether duplicate address detection has decided which of two links may use an address.
func settled(a, b port, addr netip.Addr) bool { return dadFailed(a, addr) || dadFailed(b, addr) }

func dadFailed(at port, addr netip.Addr) bool {
	return slices.ContainsFunc(at.l.Addresses, func(a state.Address) bool {
		return a.Prefix.Addr() == addr.WithZone("") && has(a.Flags, "dadfailed")
	})
}

// blocked is the obstacle if no frame of a namespace reaches any other one on the segment: then it does not matter who
// is there.
func blocked(n *state.Namespace, arrivals []arrival) *Cause {
	if len(arrivals) == 0 || slices.ContainsFunc(arrivals, func(a arrival) bool {
		return a.obstacle == nil && a.n != n
	}) {
		return nil
	}
	for _, a := range arrivals {
		if a.obstacle != nil {
			return a.obstacle
		}
	}
	return nil
}

// answersFor reports whether a namespace has an address that it would answer for by a link: for IPv4 that is each of
// its addresses (arp_ignore 0), for IPv6 only those of the link.
func (w *walk) answersFor(at port, addr netip.Addr) bool {
	if addr.Is4() {
		return w.isOwn(at.n, addr)
	}
	for _, a := range at.l.Addresses {
		if a.Prefix.Addr() == addr.WithZone("") {
			return true
		}
	}
	return false
}

// holder is the link with an address in the namespace of at; at itself if there is none.
func (w *walk) holder(at port, addr netip.Addr) port {
	for _, o := range w.owned(addr) {
		if o.n == at.n {
			return o
		}
	}
	return at
}

// sharedSource finds another link of the segment with the packet's source address: the reply may go there.
func (w *walk) sharedSource(n *state.Namespace, out *state.Link, p packet, arrivals []arrival) *Cause {
	if !w.isOwn(n, p.src) {
		return nil
	}
	for i := range arrivals {
		a := &arrivals[i]
		if a.obstacle != nil || a.n == n || !w.answersFor(a.port, p.src) {
			continue
		}
		if theirs, ours := w.holder(a.port, p.src), w.holder(port{n, out}, p.src); !settled(theirs, ours, p.src) {
			return duplicateAddress(theirs, ours, p.src)
		}
	}
	return nil
}

// entrance is the link of the owner's namespace that gets the frames: with several on one segment any of them answers
// for the address (arp_process(), net/ipv4/arp.c), and the sender uses the MAC address of one.
func (w *walk) entrance(me port, to netip.Addr, owner *arrival, arrivals []arrival) *arrival {
	known := w.neighbour(me.n, me.l, to)
	if known == nil || known.MAC == "" || strings.EqualFold(known.MAC, owner.l.MAC) {
		return owner
	}
	for i := range arrivals {
		if a := &arrivals[i]; a.n == owner.n && a.obstacle == nil && strings.EqualFold(known.MAC, a.l.MAC) {
			return a
		}
	}
	return owner
}

// believed checks that the owner answers, and that the sender uses its MAC address.
func (w *walk) believed(n *state.Namespace, out *state.Link, to netip.Addr, owner *arrival, arrivals []arrival,
	p packet) *Cause {
	// The owner's link: a port of a bridge and a link without ARP do not answer, nor does an address that is tentative.
	holder := w.holder(owner.port, to)
	if holder.l.Master == owner.l.Name && owner.l.Kind == "bridge" {
		return addressOnPort(holder, owner.port, to)
	}
	if owner.l.NoARP && owner.l.Kind == "veth" {
		return arpOff(owner.n, owner.l)
	}
	for _, a := range holder.l.Addresses {
		if a.Prefix.Addr() == to.WithZone("") && !usable(a) {
			return w.unusableAddress(holder, a)
		}
	}
	// The sender's neighbour entry: neigh_resolve_output(), net/core/neighbour.c, sends a request unless a MAC address
	// is known, and a permanent entry is never asked for.
	known := w.neighbour(n, out, to)
	if c := w.cannotAsk(port{n, out}, p, known); c != nil {
		return c
	}
	if known != nil && known.State == "permanent" {
		return w.wrongNeighbour(n, out, to, known, owner)
	}
	// The ARP reply: arp_process(), net/ipv4/arp.c.
	if to.Is4() {
		unknown := known == nil || known.MAC == "" || known.State == "failed" || known.State == "incomplete"
		if unknown && !slices.Contains(w.asked, question{owner.port, port{n, out}}) {
			if c := w.silent(owner.port, to, p); c != nil {
				return c
			}
		}
		if c := w.arpIgnored(owner.port, holder, to); c != nil && unknown {
			return c
		}
	}
	// The packet filters that the request and the reply pass.
	if me := (port{n, out}); !slices.Contains(w.asked, question{owner.port, me}) {
		if c := w.filteredQuestion(me, to, owner, p); c != nil {
			return c
		}
		w.asked = append(w.asked, question{me, owner.port})
	}
	if known != nil {
		if c := w.wrongNeighbour(n, out, to, known, owner); c != nil {
			return c
		}
	}
	return w.duplicateMAC(port{n, out}, owner, arrivals)
}

// silent is the cause why a namespace does not answer ARP requests for an address of its own: arp_process(),
// net/ipv4/arp.c, answers if the lookup finds a route of the type local.
func (w *walk) silent(owner port, to netip.Addr, p packet) *Cause {
	if !w.looksUpLocal(owner.n, 4) {
		return w.localRuleMissing(owner.n, 4)
	}
	asked := packet{src: p.src, dst: to}
	d := lookup(owner.n, flowOf(asked, owner.l))
	if d.local() || d.unknown || d.refused != "" || !w.usesItself(owner.n, to) {
		return nil
	}
	return w.undelivered(owner.n, asked, d)
}

func addressOnPort(holder, bridge port, addr netip.Addr) *Cause {
	c := cause(causes.AddressOnPort, holder.n, holder.l,
		"%s is on %s in %s, which is a port of %s: the bridge, not its port, delivers packets to IP", addr,
		holder.l.Name, holder.n.Name, bridge.l.Name).
		proof(linkShown(holder.n, holder.l))
	if a, ok := addressOf(holder.l, addr); ok {
		c.proof(addressShown(holder.n, holder.l, a)).deleteAddress(holder, a.Prefix).addAddress(bridge, a.Prefix)
	}
	return c
}

// cannotAsk: if the source of an IPv6 packet is not an address of the link, as on a router, the kernel sends neighbour
// solicitations from the link-local address (ndisc_solicit(), net/ipv6/ndisc.c); while that is tentative, it sends
// none.
func (w *walk) cannotAsk(at port, p packet, known *state.Neighbour) *Cause {
	if _, ok := addressOf(at.l, p.src); ok || p.family() == 4 || known != nil && known.MAC != "" {
		return nil
	}
	var tentative *state.Address
	for i, a := range at.l.Addresses {
		if !a.Prefix.Addr().Is6() || !a.Prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if usable(a) {
			return nil
		}
		tentative = &at.l.Addresses[i]
	}
	if tentative == nil {
		return nil
	}
	for _, a := range addresses(at.l, 6) {
		if !usable(a) { // if it were usable, the packet would have it as source, and the kernel would ask from it
			return w.unusableAddress(at, a)
		}
	}
	return w.unusableAddress(at, *tentative)
}

// arpIgnored applies arp_ignore (ip-sysctl.rst; arp_ignore(), net/ipv4/arp.c): 1 answers only for addresses of the
// link, 8 for none.
func (w *walk) arpIgnored(at, holder port, addr netip.Addr) *Cause {
	mode := strongest(at.n, at.l, "arp_ignore")
	if mode == 0 || (mode == 1 || mode == 2) && holder.l == at.l || mode == 3 {
		return nil
	}
	key := ofLink(4, at.l.Name, "arp_ignore")
	if number(at.n, key) < mode {
		key = ofLink(4, "all", "arp_ignore")
	}
	return cause(causes.ARPIgnored, at.n, at.l,
		"%s does not answer ARP requests for %s that come in by %s (arp_ignore %d)", at.n.Name, addr, at.l.Name, mode).
		proof(in(at.n, "sysctl %s", key) + ": " + sysctl(at.n, key)).fix(in(at.n, "sysctl -w %s=0", key))
}

// neighbour is the entry for an address in the neighbour table of a link, other than a proxy entry; nil without one.
func (w *walk) neighbour(n *state.Namespace, out *state.Link, addr netip.Addr) *state.Neighbour {
	for i := range n.Neighbours {
		e := &n.Neighbours[i]
		if e.Dev == out.Name && e.Addr.WithZone("") == addr.WithZone("") && !e.Proxy {
			return e
		}
	}
	return nil
}

// wrongNeighbour compares an entry with the MAC address of the owner.
func (w *walk) wrongNeighbour(n *state.Namespace, out *state.Link, to netip.Addr, known *state.Neighbour,
	owner *arrival) *Cause {
	if known.MAC == "" || strings.EqualFold(known.MAC, owner.l.MAC) || owner.l.Kind == "bridge" &&
		ofPort(owner.port, known.MAC) {
		return nil
	}
	switch known.State {
	case "permanent", "stale", "reachable", "delay", "probe":
	default:
		return nil
	}
	return cause(causes.NeighbourWrong, n, out,
		"the neighbour entry of %s for %s has the MAC address %s, but %s in %s, which has the address, has %s",
		n.Name, to, known.MAC,
		owner.l.Name, owner.n.Name, owner.l.MAC).
		proof(ip(n, "neigh show dev %s", out.Name)+": "+state.NeighbourText(*known),
			linkShown(owner.n, owner.l)+" link/ether "+owner.l.MAC).
		fix(ip(n, "neigh del %s dev %s", to, out.Name))
}

// ofPort reports whether a port of a bridge has a MAC address: the bridge receives frames for it too.
func ofPort(bridge port, mac string) bool {
	return slices.ContainsFunc(ports(bridge.n, bridge.l), func(q *state.Link) bool {
		return strings.EqualFold(q.MAC, mac)
	})
}

// duplicateMAC finds another link of the segment with the MAC address of the sender or the owner: a bridge sends frames
// to only one of them.
func (w *walk) duplicateMAC(from port, owner *arrival, arrivals []arrival) *Cause {
	if owner.l.MAC == "" {
		return nil
	}
	all := []port{from}
	for i := range arrivals {
		if arrivals[i].obstacle == nil && !slices.Contains(all, arrivals[i].port) {
			all = append(all, arrivals[i].port)
		}
	}
	for _, one := range []port{owner.port, from} {
		for _, other := range all {
			if other == one || !strings.EqualFold(other.l.MAC, one.l.MAC) || w.lowest(other) == w.lowest(one) ||
				other.n == one.n && len(owner.bridges) > 0 && one.l.Kind == "bridge" {
				continue
			}
			if (one == owner.port && other == from || one == from && other == owner.port) && len(owner.bridges) == 0 {
				continue // on a single cable there is no bridge to confuse
			}
			return cause(causes.DuplicateMAC, other.n, other.l,
				"%s in %s and %s in %s have the same MAC address %s on one segment", one.l.Name, one.n.Name,
				other.l.Name, other.n.Name, one.l.MAC).
				proof(linkShown(one.n, one.l)+" link/ether "+one.l.MAC, linkShown(other.n, other.l)+" link/ether "+
					other.l.MAC).
				fix(ip(other.n, "link set %s address %s", other.l.Name, freshMAC(one, other)))
		}
	}
	return nil
}

// freshMAC is a locally administered address made of the indexes of the two links.
func freshMAC(a, b port) string {
	const hex = "0123456789abcdef"
	digits := func(n int) string { return string([]byte{hex[n>>4&15], hex[n&15]}) }
	return "02:00:5e:" + digits(int(b.n.Inode)>>8) + ":" + digits(int(b.n.Inode)) + ":" + digits(b.l.Index+a.l.Index)
}
