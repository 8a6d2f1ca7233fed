package state

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Pending is something in a state that the kernel is about to change without another command.
type Pending struct {
	Kind       PendingKind
	Netns, Dev string
	// Addr is the tentative address or the neighbour.
	Addr netip.Addr
	// State is that of the port of a bridge.
	State string
	// Longest is how long the change may take.
	Longest time.Duration
	// Doubtful is set for what changes in a moment or never: a port whose timer does not run has to leave its state, or
	// somebody has set it by hand; an address without a local route is about to get it, or somebody has deleted it.
	Doubtful bool
}

// PendingKind is the kind of a Pending.
type PendingKind int

const (
	// PendingDAD is a tentative address on a link that is ready: duplicate address detection takes up to two seconds
	// with the default settings (addrconf_dad_kick in net/ipv6/addrconf.c). Without carrier it does not begin. What
	// follows it, and an address without it (nodad), is work that the kernel defers for a moment: only its last part,
	// the local route, shows that it is done.
	PendingDAD PendingKind = iota + 1
	// PendingPort is a port that listens or learns, for the forward delay of its bridge each
	// (net/bridge/br_stp_timer.c).
	PendingPort
	// PendingCarrier is a carrier that the operational state does not show yet. Before Linux 6.8 the work behind it may
	// come a second late (net/core/link_watch.c).
	PendingCarrier
	// PendingNeighbour is an incomplete neighbour: the kernel asks three times, once a second, then the entry fails
	// (arp(7), mcast_solicit).
	PendingNeighbour
)

// Pending is all that is about to change by itself, in the order of the state. A blocking port is not: it may block for
// good.
func (s *State) Pending() (all []Pending) {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		for j := range n.Links {
			all = append(all, n.pendingOn(&n.Links[j])...)
		}
		for _, e := range n.Neighbours {
			if e.State == "incomplete" && !e.Proxy {
				all = append(all, Pending{Kind: PendingNeighbour, Netns: n.Name, Dev: e.Dev, Addr: e.Addr,
					Longest: 5 * time.Second})
			}
		}
	}
	return all
}

func (n *Namespace) pendingOn(l *Link) (all []Pending) {
	stopped := l.OperState == "down" || l.OperState == "lowerlayerdown"
	running := l.OperState == "up" || l.OperState == "dormant"
	if l.Up && (l.Carrier && stopped || !l.Carrier && running) {
		all = append(all, Pending{Kind: PendingCarrier, Netns: n.Name, Dev: l.Name, Longest: 5 * time.Second})
	}
	if l.Port != nil && (l.Port.State == "listening" || l.Port.State == "learning") {
		left := l.Port.ForwardTimer
		if bridge := n.Link(l.Master); l.Port.State == "listening" && bridge != nil && bridge.Bridge != nil {
			left += bridge.Bridge.ForwardDelay
		}
		const unit = time.Second / 100 // USER_HZ
		all = append(all, Pending{Kind: PendingPort, Netns: n.Name, Dev: l.Name, State: l.Port.State,
			Longest: time.Duration(left)*unit + 5*time.Second, Doubtful: l.Port.ForwardTimer == 0})
	}
	for _, a := range l.Addresses {
		p := Pending{Kind: PendingDAD, Netns: n.Name, Dev: l.Name, Addr: a.Prefix.Addr(), Longest: 5 * time.Second}
		switch {
		case !l.Up || !l.Carrier || slices.Contains(a.Flags, "dadfailed"):
		case slices.Contains(a.Flags, "tentative"):
			all = append(all, p)
		case p.Addr.Is6() && !n.hasLocalRoute(p.Addr):
			p.Doubtful = true
			all = append(all, p)
		}
	}
	return all
}

// hasLocalRoute reports whether the kernel takes packets to an address for its own.
func (n *Namespace) hasLocalRoute(a netip.Addr) bool {
	return slices.ContainsFunc(n.Routes, func(r Route) bool {
		return r.Type == "local" && r.To == netip.PrefixFrom(a, a.BitLen())
	})
}

// String says what is pending, such as: fd00::1 on eth0 in a is tentative.
func (p Pending) String() string {
	switch p.Kind {
	case PendingDAD:
		if p.Doubtful {
			return fmt.Sprintf("%s on %s in %s has no local route yet", p.Addr, p.Dev, p.Netns)
		}
		return fmt.Sprintf("%s on %s in %s is tentative", p.Addr, p.Dev, p.Netns)
	case PendingPort:
		return fmt.Sprintf("%s in %s is %s", p.Dev, p.Netns, p.State)
	case PendingCarrier:
		return fmt.Sprintf("the carrier of %s in %s is changing", p.Dev, p.Netns)
	}
	return fmt.Sprintf("the neighbour %s on %s in %s is incomplete", p.Addr, p.Dev, p.Netns)
}
