package claim

import (
	"fmt"

	"netnscheck/harness/state"
)

// PeerOf is `X` in `N` is the peer of `Y` in `M`.
type PeerOf struct{ Iface, Peer Iface }

func init() {
	add(Entry{
		Place: 70,
		Means: "the two ends of one veth pair",
		Forms: []Form{
			says("`X` in `N` is the peer of `Y` in `M`", func(a arguments) Claim {
				return PeerOf{Iface: a.iface(0), Peer: a.iface(2)}
			}),
		},
	})
}

func (c PeerOf) Sentence() string { return c.Iface.in() + " is the peer of " + c.Peer.in() }

func (c PeerOf) Needs() Needs { return stateOnly() }

func (c PeerOf) Judge(known Evidence) Finding {
	return known.ofLink(c.Peer, func(there *state.Namespace, other *state.Link) Finding {
		return known.ofLink(c.Iface, func(_ *state.Namespace, l *state.Link) Finding {
			switch {
			case l.Kind != "veth":
				return finding(false, c.Iface.Name+" is no veth")
			case l.Peer == nil || l.Peer.Hidden:
				return finding(false, "the peer of "+c.Iface.Name+" is unknown")
			}
			in := known.State.Namespace(l.Peer.Netns)
			return finding(l.Peer.Name == other.Name && in != nil && sameNamespace(in, there),
				fmt.Sprintf("the peer of %s is %s in %s", c.Iface.Name, l.Peer.Name, l.Peer.Netns))
		})
	})
}

func (c PeerOf) Mutants() Mutants {
	return Mutants{Own: []Way{
		by(in(c.Iface.Netns, "link del %s", c.Iface.Name), in(c.Iface.Netns, "link add %s type veth", c.Iface.Name),
			"-"+in(c.Peer.Netns, "link add %s type veth", c.Peer.Name)),
		by(
			in(c.Iface.Netns, "link set %s down", c.Iface.Name),
			in(c.Iface.Netns, "link set %s name other", c.Iface.Name),
		),
	}}
}
