package diagnose

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/faults"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/neighbour"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/state"
)

// resolve finds the link that answers neighbour requests for an address on the segment of a link, or the cause why none
// does. No port and no cause mean that the owner, if there is one, is outside the state.
func (w *walk) resolve(n *state.Namespace, out *state.Link, to netip.Addr, p packet.Packet) (facts.Port,
	*finding.Cause) {
	// The owner of the address on the segment. With two, the first reply wins: a duplicate address.
	seg := w.segment(facts.At(n, out), p)
	arrivals := seg.Arrivals
	var owner *topology.Arrival
	for i := range arrivals {
		a := &arrivals[i]
		if !w.AnswersFor(a.Port, to) || a.N == n && a.Obstacle != nil {
			continue
		}
		if owner == nil {
			owner = a
			continue
		}
		if owner.Obstacle == nil && a.Obstacle == nil && a.N != owner.N && a.N != n &&
			!facts.Settled(w.Holder(a.Port, to), w.Holder(owner.Port, to), to) {
			return facts.Port{}, faults.DuplicateAddress(w.Holder(a.Port, to), w.Holder(owner.Port, to), to)
		}
	}
	// Without an owner that is reached: a permanent entry, or a proxy (arp_process(), net/ipv4/arp.c; ndisc_recv_ns(),
	// net/ipv6/ndisc.c).
	if owner == nil || owner.Obstacle != nil {
		if a := neighbour.StandIn(w.Map, facts.At(n, out), to, arrivals, p); a != nil {
			if c := w.believed(n, out, to, a, arrivals, p); c != nil {
				return facts.Port{}, c
			}
			w.doubtBridges(a)
			return a.Port, nil
		}
	}
	// No reply: neigh_timer_handler(), net/core/neighbour.c, gives up, and the sender gets EHOSTUNREACH.
	if owner == nil {
		for _, at := range seg.Beyond {
			if topology.LeadsAnywhere(at.L) || len(w.Owned(to)) == 0 && !neighbour.Unanswered(w.Map, n, out, to) {
				w.doubt("what is behind %s in %s is outside the state", at.L.Name, at.N.Name)
				return facts.Port{}, nil
			}
		}
		if c := neighbour.Blocked(n, arrivals); c != nil {
			return facts.Port{}, c
		}
		if c := neighbour.NobodysMAC(w.Map, facts.At(n, out), to, arrivals, p); c != nil {
			return facts.Port{}, c
		}
		if c := neighbour.ProxyOff(facts.At(n, out), to, arrivals); c != nil {
			return facts.Port{}, c
		}
		return facts.Port{}, faults.Nobody(w.mend(), n, out, to, arrivals, w.stations[len(w.stations)-1].d.Route)
	}
	if owner.Obstacle != nil {
		return facts.Port{}, owner.Obstacle
	}
	if relay := neighbour.Relay(facts.At(n, out), to, owner, arrivals); relay != nil {
		w.doubtBridges(relay)
		return relay.Port, nil
	}
	owner = neighbour.Entrance(w.Map, facts.At(n, out), to, owner, arrivals)
	// The owner is reached: does it answer, and does the sender use the right MAC address?
	w.doubtOthers(facts.At(n, out), owner, to, arrivals, p)
	if c := neighbour.SharedSource(w.Map, n, out, p, arrivals); c != nil {
		return facts.Port{}, c
	}
	if c := w.believed(n, out, to, owner, arrivals, p); c != nil {
		return facts.Port{}, c
	}
	w.doubtBridges(owner)
	return owner.Port, nil
}

// doubtBridges notes as doubts what was not read of the bridges on the path to a link, and their permanent entries for
// another port.
func (w *walk) doubtBridges(owner *topology.Arrival) {
	for _, b := range owner.Bridges {
		w.doubtUnread(b.N)
		for _, l := range []*state.Link{b.In, b.Out} {
			if l != nil {
				w.doubtPrograms(b.N, l)
			}
		}
		for _, e := range b.N.FDB {
			if b.Out != nil && e.Master == b.L.Name && !e.Learned && e.Dev != b.Out.Name &&
				strings.EqualFold(e.MAC, owner.L.MAC) {
				w.doubt("an entry of the bridge %s in %s has %s at %s, but it is behind %s", b.L.Name, b.N.Name, e.MAC,
					e.Dev, b.Out.Name)
			}
		}
	}
}

// doubtOthers notes as a doubt another neighbour that answers for the address too, by a route of the type local for a
// whole prefix.
func (w *walk) doubtOthers(me facts.Port, owner *topology.Arrival, to netip.Addr, arrivals []topology.Arrival,
	p packet.Packet) {
	if to.Is6() {
		return
	}
	from := neighbour.Asker(w.Map, me, to, p)
	for i := range arrivals {
		a := &arrivals[i]
		if a.Obstacle == nil && a.N != me.N && a.N != owner.N && !w.IsOwn(a.N, to) && routing.TakesIn(a.Port, from,
			to) {
			w.doubt("%s in %s answers for %s as well, which is an address of %s", a.L.Name, a.N.Name, to, owner.N.Name)
		}
	}
}

// believed checks that the owner answers, and that the sender uses its MAC address.
func (w *walk) believed(n *state.Namespace, out *state.Link, to netip.Addr, owner *topology.Arrival,
	arrivals []topology.Arrival,
	p packet.Packet) *finding.Cause {
	// The owner's link: a port of a bridge and a link without ARP do not answer, nor does an address that is tentative.
	holder := w.Holder(owner.Port, to)
	if holder.L.Master == owner.L.Name && owner.L.Kind == "bridge" {
		return faults.AddressOnPort(holder, owner.Port, to)
	}
	if owner.L.NoARP && owner.L.Kind == "veth" {
		return faults.ARPOff(owner.N, owner.L)
	}
	for _, a := range holder.L.Addresses {
		if a.Prefix.Addr() == to.WithZone("") && !facts.Usable(a) {
			return faults.UnusableAddress(w.Map, holder, a)
		}
	}
	// The sender's neighbour entry: neigh_resolve_output(), net/core/neighbour.c, sends a request unless a MAC address
	// is known, and a permanent entry is never asked for.
	known := facts.NeighbourOf(n, out, to)
	if c := neighbour.CannotAsk(w.Map, facts.At(n, out), p, known); c != nil {
		return c
	}
	if known != nil && known.State == "permanent" {
		return neighbour.WrongNeighbour(w.Map, n, out, to, known, owner)
	}
	// The ARP reply: arp_process(), net/ipv4/arp.c.
	if to.Is4() {
		unknown := known == nil || known.MAC == "" || known.State == "failed" || known.State == "incomplete"
		if unknown && !slices.Contains(w.asked, question{owner.Port, facts.At(n, out)}) {
			if c := w.silent(owner.Port, to, p); c != nil {
				return c
			}
		}
		if c := neighbour.ArpIgnored(w.Map, owner.Port, holder, to); c != nil && unknown {
			return c
		}
	}
	// The packet filters that the request and the reply pass.
	if me := (facts.At(n, out)); !slices.Contains(w.asked, question{owner.Port, me}) {
		if c := w.filteredQuestion(me, to, owner, p); c != nil {
			return c
		}
		w.asked = append(w.asked, question{me, owner.Port})
	}
	if known != nil {
		if c := neighbour.WrongNeighbour(w.Map, n, out, to, known, owner); c != nil {
			return c
		}
	}
	return neighbour.DuplicateMAC(w.Map, facts.At(n, out), owner, arrivals)
}

// silent is the cause why a namespace does not answer ARP requests for an address of its own: arp_process(),
// net/ipv4/arp.c, answers if the lookup finds a route of the type local.
func (w *walk) silent(owner facts.Port, to netip.Addr, p packet.Packet) *finding.Cause {
	if !routing.HasLocalRule(owner.N, 4) {
		return w.localRuleMissing(owner.N, 4)
	}
	asked := packet.Packet{Src: p.Src, Dst: to}
	d := routing.Lookup(owner.N, routing.FlowOf(asked, owner.L))
	if d.Local() || d.Unknown || d.Refused != "" || !w.UsesItself(owner.N, to) {
		return nil
	}
	return w.undelivered(owner.N, asked, d)
}
