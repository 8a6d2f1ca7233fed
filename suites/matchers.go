package suites

import (
	"net"
	"net/netip"

	"github.com/onsi/gomega/types"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// The matchers of this file, like Hold, take a *lab.Lab, a *state.State, or anything with a method
// State(context.Context) (*state.State, error). With a lab they read the kernel on each call, so they work with
// Eventually and Consistently:
//
//	Eventually(lab).Should(HaveCarrier("vnix-prodns", In("prodns")))
//
// They are checks of docs/format.md: what a check presupposes has to exist, and a failure says what was found instead.

// Place is the namespace of a matcher.
type Place string

// In names a namespace; the default is the lab's host.
func In(netns string) Place { return Place(netns) }

// HaveNamespace matches if the namespace exists.
func HaveNamespace(name string) types.GomegaMatcher {
	return &claimMatcher{claim: claim.NamespaceExists{Netns: name}}
}

// HaveInterface matches if the namespace has the interface, by its name or an alternative name.
func HaveInterface(name string, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.HasInterface{Iface: iface(name, in)}}
}

// HaveOnlyInterfaces matches if the namespace has exactly these interfaces.
func HaveOnlyInterfaces(in Place, names ...string) types.GomegaMatcher {
	return &claimMatcher{claim: claim.HasOnlyInterfaces{Netns: netns([]Place{in}), Names: names}}
}

// BeUp matches if the interface is administratively up.
func BeUp(name string, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.AdminState{Iface: iface(name, in), Up: true}}
}

// HaveCarrier matches if the interface is up and has carrier.
func HaveCarrier(name string, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.Carrier{Iface: iface(name, in), Has: true}}
}

// HaveKind matches if the interface is of the kind, such as veth or bridge.
func HaveKind(name, kind string, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.LinkKind{Iface: iface(name, in), Kind: kind}}
}

// HavePeer matches if the two interfaces are the ends of one veth pair.
func HavePeer(name string, in Place, peer string, peerIn Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.PeerOf{Iface: iface(name, []Place{in}), Peer: iface(peer, []Place{peerIn})}}
}

// HaveAddress matches if the interface has the address, such as 192.168.2.102/24.
func HaveAddress(name, prefix string, in ...Place) types.GomegaMatcher {
	p, err := netip.ParsePrefix(prefix)
	return &claimMatcher{claim: claim.HasAddress{Iface: iface(name, in), Prefix: p}, err: err}
}

// HaveMTU matches if the interface has the MTU, in bytes.
func HaveMTU(name string, mtu int, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.HasMTU{Iface: iface(name, in), MTU: mtu}}
}

// HaveMAC matches if the interface has the link-layer address.
func HaveMAC(name, mac string, in ...Place) types.GomegaMatcher {
	hw, err := net.ParseMAC(mac)
	return &claimMatcher{claim: claim.HasMAC{Iface: iface(name, in), MAC: hw}, err: err}
}

// BePortOf matches if the interface is a port of the bridge.
func BePortOf(name, bridge string, in ...Place) types.GomegaMatcher {
	return &claimMatcher{claim: claim.PortOf{Iface: iface(name, in), Bridge: bridge}}
}

// HaveRoute matches if the namespace has such a route, written as in `ip route`; attributes that are not given may have
// any value.
func HaveRoute(route string, in ...Place) types.GomegaMatcher {
	words, err := scenario.Words(route)
	var r operation.Route
	if err == nil {
		r, err = operation.ParseRoute(words)
	}
	return &claimMatcher{claim: claim.HasRoute{Netns: netns(in), Text: route, Route: r}, err: err}
}

// Reach matches if the namespace gets an ICMP echo reply from the address. It needs a lab, not a state.
func Reach(address string, from ...Place) types.GomegaMatcher {
	dest, err := netip.ParseAddr(address)
	return &claimMatcher{claim: claim.Reaches{Netns: netns(from), Dest: dest}, err: err}
}

func netns(in []Place) string {
	if len(in) == 0 || in[0] == "" {
		return scenario.HostName
	}
	return string(in[0])
}

func iface(name string, in []Place) claim.Iface {
	return claim.Iface{Name: name, Netns: netns(in)}
}
