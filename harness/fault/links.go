package fault

import (
	"fmt"
	"slices"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// links are links that are down, no port of their bridge, or in the wrong namespace.
func (s *site) links() {
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		for j := range n.Links {
			if l := &n.Links[j]; l.Kind == "loopback" && l.Up {
				s.maybe(1, n, place{n, l}.String()+" is down", func(b *bench) { b.setDown(n.Name, l.Name) },
					causes.LoopbackDown)
			}
		}
	}
	for _, p := range s.places {
		netns, name := p.n.Name, p.l.Name
		if p.l.Up && !s.carries(p, "vlan") {
			s.maybe(1, p.n, p.String()+" is down", func(b *bench) { b.setDown(netns, name) }, causes.LinkDown,
				causes.PeerDown, causes.PortDown, causes.BridgeDown, causes.NoAddress)
		}
		if p.l.Port != nil {
			s.maybe(2, p.n, fmt.Sprintf("%s is no port of `%s`", p, p.l.Master),
				func(b *bench) { b.setMaster(netns, name, "") },
				causes.NotAPort, causes.NoCarrier, causes.BridgeWithoutPorts)
		}
		if netns == state.Host || p.l.Kind != "veth" || p.l.Peer == nil || p.l.Peer.Hidden || s.carries(p) {
			continue // what leaves the host cannot be called back by a name
		}
		for _, to := range s.Namespaces {
			if to.Name == state.Host || to.Name == netns || to.Nameless || to.Link(name) != nil {
				continue
			}
			s.maybe(2, p.n, fmt.Sprintf("`%s` is in `%s`, not in `%s`", name, to.Name, netns),
				func(b *bench) { b.move(netns, name, to.Name) }, causes.SameNamespace, causes.NoInterface,
				causes.AddressNowhere, causes.NoAddress, causes.NoRoute, causes.PeerDown, causes.GatewayNowhere)
		}
	}
}

// carries reports whether a link lies on another one, which would go down or away with it: one of these kinds, or any
// but a veth.
func (s *site) carries(p place, kinds ...string) bool {
	return slices.ContainsFunc(s.places, func(q place) bool {
		on := q.l.Peer != nil && q.l.Peer.Netns == p.n.Name && q.l.Peer.Name == p.l.Name ||
			q.l.VXLAN != nil && q.n == p.n && q.l.VXLAN.Dev == p.l.Name
		return on && q.l.Kind != "veth" && (len(kinds) == 0 || slices.Contains(kinds, q.l.Kind))
	})
}
