// Package neighbour says who answers a neighbour request on a segment, and what the sender believes: proxies, entries
// of the neighbour table, MAC addresses. It imports state, the topology, the faults and what they import; only the
// diagnosis imports it. It runs no packet filter: that is the walk's.
package neighbour

import (
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/diagnose/routing"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// StandIn is the link that gets the frames for an address whose owner is not reached: that of a permanent entry, or one
// that answers for other addresses.
func StandIn(m *topology.Map, me facts.Port, to netip.Addr, arrivals []topology.Arrival,
	p packet.Packet) *topology.Arrival {
	known, from := facts.NeighbourOf(me.N, me.L, to), Asker(m, me, to, p)
	for i := range arrivals {
		a := &arrivals[i]
		if a.Obstacle != nil || a.N == me.N {
			continue
		}
		if known != nil && known.State == "permanent" {
			if known.MAC != "" && strings.EqualFold(known.MAC, a.L.MAC) {
				return a
			}
		} else if Proxies(a.Port, to) || to.Is4() && routing.TakesIn(a.Port, from, to) {
			return a
		}
	}
	return nil
}

// Proxies reports whether a namespace answers by a link for an address that is not its own (arp_process(),
// net/ipv4/arp.c, and ndisc_recv_ns(), net/ipv6/ndisc.c): it forwards, the route to the address leads out of another
// link, and it is told to, for IPv4 by proxy_arp or a proxy entry for the address, for IPv6 by proxy_ndp and an entry.
func Proxies(at facts.Port, addr netip.Addr) bool {
	p := proxyAt(at, addr)
	return p.answers()
}

// proxy is what it takes to answer for the address of somebody else.
type proxy struct {
	family              int
	leadsOn, byDefault  bool // a route leads out of another link; it is the default route
	forwards, entry, on bool // forwarding, a proxy entry, proxy_arp or proxy_ndp
	unread              bool // proxy_ndp was not read, and counts as on
}

// meant reports whether somebody evidently wants the namespace to answer.
func (p proxy) meant() bool { return p.leadsOn && (p.entry || p.on && !p.unread && !p.byDefault) }

func (p proxy) answers() bool {
	told := p.entry && p.on
	if p.family == 4 {
		told = p.entry || p.on
	}
	return p.leadsOn && p.forwards && told
}

func proxyAt(at facts.Port, addr netip.Addr) proxy {
	p := proxy{family: facts.FamilyOf(addr)}
	d := routing.Lookup(at.N, routing.Flow{Dst: addr, Iif: at.L.Name})
	p.leadsOn = d.Found() && !d.Local() && d.Hop != nil && d.Hop.Dev != at.L.Name
	p.byDefault = p.leadsOn && d.Route.To.Bits() == 0
	p.forwards = facts.Forwards(at.N, at.L, p.family)
	p.entry = slices.ContainsFunc(at.N.Neighbours, func(e state.Neighbour) bool {
		return e.Proxy && e.Dev == at.L.Name && e.Addr.WithZone("") == addr.WithZone("")
	})
	if p.family == 4 {
		p.on = facts.Strongest(at.N, at.L, "proxy_arp") > 0
		return p
	}
	all := facts.Sysctl(at.N, facts.OfLink(6, "all", "proxy_ndp"))
	link := facts.Sysctl(at.N, facts.OfLink(6, at.L.Name, "proxy_ndp"))
	p.unread = all == "" || link == ""
	p.on = p.unread || all != "0" || link != "0"
	return p
}

// ProxyOff is the cause why a namespace on the segment does not answer for an address, although it is evidently meant
// to: it has a proxy entry for the address, or answers for others by the link, and a route of its own leads on.
func ProxyOff(me facts.Port, to netip.Addr, arrivals []topology.Arrival) *finding.Cause {
	for i := range arrivals {
		at := arrivals[i].Port
		p := proxyAt(at, to)
		if arrivals[i].Obstacle == nil && at.N != me.N && p.meant() && !p.answers() {
			return p.cause(at, to)
		}
	}
	return nil
}

// cause tells what a proxy lacks, all of it.
func (p proxy) cause(at facts.Port, to netip.Addr) *finding.Cause {
	n, setting := at.N, facts.OfLink(6, at.L.Name, "proxy_ndp")
	c := finding.New(causes.ProxyOff, n, at.L, "%s has a route to %s and is meant to answer for it by %s, but ", n.Name,
		to, at.L.Name)
	var lacks []string
	if p.family == 6 && !p.entry {
		lacks = append(lacks, "it has no proxy entry for the address")
		c.Proof(words.IP(n, "-6 neigh show proxy dev %s", at.L.Name) + ": no " + to.String()).
			Fix(words.IP(n, "-6 neigh add proxy %s dev %s", to.WithZone("").String(), at.L.Name)).
			Then(func(k *finding.Sketch) {
				own := k.Netns(n.Name)
				own.Neighbours = append(own.Neighbours, state.Neighbour{Addr: to.WithZone(""), Dev: at.L.Name, Proxy: true})
			})
	}
	if p.family == 6 && !p.on {
		lacks = append(lacks, "proxy_ndp is off")
		c.Proof(words.IP(n, "-6 neigh show proxy dev %s", at.L.Name)+": "+to.String(),
			words.SysctlShown(n, setting)).SetSysctl(n, setting, "1")
	}
	if !p.forwards {
		key := facts.ForwardingKey(p.family)
		if p.family == 4 && facts.Sysctl(n, key) != "0" {
			key = facts.OfLink(4, at.L.Name, "forwarding")
		}
		lacks = append(lacks, "it does not forward")
		c.Proof(words.SysctlShown(n, key)).SetSysctl(n, key, "1")
	}
	c.Says += strings.Join(lacks, ", and ")
	return c
}

// Unanswered reports whether the kernel has sent neighbour requests without a reply.
func Unanswered(m *topology.Map, n *state.Namespace, out *state.Link, to netip.Addr) bool {
	e := facts.NeighbourOf(n, out, to)
	return e != nil && (e.State == "failed" || e.State == "incomplete")
}

// Blocked is the obstacle if no frame of a namespace reaches any other one on the segment: then it does not matter who
// is there.
func Blocked(n *state.Namespace, arrivals []topology.Arrival) *finding.Cause {
	if len(arrivals) == 0 || slices.ContainsFunc(arrivals, func(a topology.Arrival) bool {
		return a.Obstacle == nil && a.N != n
	}) {
		return nil
	}
	for _, a := range arrivals {
		if a.Obstacle != nil {
			return a.Obstacle
		}
	}
	return nil
}

// Entrance is the link of the owner's namespace that gets the frames: with several on one segment any of them answers
// for the address (arp_process(), net/ipv4/arp.c), and the sender uses the MAC address of one.
func Entrance(m *topology.Map, me facts.Port, to netip.Addr, owner *topology.Arrival,
	arrivals []topology.Arrival) *topology.Arrival {
	known := facts.NeighbourOf(me.N, me.L, to)
	if known == nil || known.MAC == "" || strings.EqualFold(known.MAC, owner.L.MAC) {
		return owner
	}
	for i := range arrivals {
		if a := &arrivals[i]; a.N == owner.N && a.Obstacle == nil && strings.EqualFold(known.MAC, a.L.MAC) {
			return a
		}
	}
	return owner
}

// ArpIgnored applies arp_ignore (ip-sysctl.rst; arp_ignore(), net/ipv4/arp.c): 1 answers only for addresses of the
// link, 8 for none.
func ArpIgnored(m *topology.Map, at, holder facts.Port, addr netip.Addr) *finding.Cause {
	mode := facts.Strongest(at.N, at.L, "arp_ignore")
	if mode == 0 || (mode == 1 || mode == 2) && holder.L == at.L || mode == 3 {
		return nil
	}
	key := facts.OfLink(4, at.L.Name, "arp_ignore")
	if facts.Number(at.N, key) < mode {
		key = facts.OfLink(4, "all", "arp_ignore")
	}
	return finding.New(causes.ARPIgnored, at.N, at.L,
		"%s does not answer ARP requests for %s that come in by %s (arp_ignore %d)", at.N.Name, addr, at.L.Name, mode).
		Proof(words.In(at.N, "sysctl %s", key) + ": " + facts.Sysctl(at.N, key)).Fix(words.In(at.N, "sysctl -w %s=0",
		key))
}
