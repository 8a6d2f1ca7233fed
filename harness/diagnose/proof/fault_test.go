package proof_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
)

// fault is one fault made on the kernel, and the diagnosis expected of it.
type fault struct {
	cause causes.Cause
	does  []string
	// places are the accepted places of the cause: several where two interfaces are equally at fault.
	places []string
	// names are other causes that are right here too.
	names []causes.Cause
	// at is how far the packet gets, which puts two faults in order.
	at int
	// alone is set if it cannot be distinguished from a second fault on the path.
	alone bool
	// passes is set if the packet may get through nevertheless.
	passes bool
	// byHand is the reason why no command fixes it; "" if one does.
	byHand string
	// from, to, bytes and port replace those of the path in the query.
	from  string
	to    netip.Addr
	bytes int
	port  uint16
	// await is a claim that holds once the fault is complete.
	await string
}

// faulty makes a fault on a path; nil if it cannot be made there.
type faulty func(*topology, path) *fault

// faults are the faults for each cause, one or more.
var faults = []maker{
	{causes.NoNamespace, noNamespace}, {causes.NotANamespace, notANamespace}, {causes.NoInterface, noInterface},
	{causes.LoopbackDown, loopbackDown},
	{causes.LocalRuleMissing, localRuleMissing}, {causes.LocalRuleMissing, localRuleMissingThere},
	{causes.IPv6Disabled, ipv6Disabled}, {causes.IPv6Disabled, ipv6TooSmall},
	{causes.AddressTentative, addressTentative}, {causes.AddressDuplicate, addressDuplicate},
	{causes.ScopeMissing, scopeMissing},
	{causes.LinkDown, linkDown}, {causes.NoAddress, noAddress}, {causes.PrefixMismatch, prefixMismatch},
	{causes.ConnectedRouteMissing, connectedRouteMissing},
	{causes.ConnectedRouteMissing, localRouteMissing}, {causes.RuleDiverts, localRuleTooLate},
	{causes.NoRoute, noRoute}, {causes.RouteUnreachable, routeOf("unreachable")},
	{causes.RouteProhibit, routeOf("prohibit")},
	{causes.RouteBlackhole, routeOf("blackhole")}, {causes.RouteThrow, routeOf("throw")},
	{causes.RuleDiverts, ruleDiverts}, {causes.RuleDiverts, ruleToWrongTable}, {causes.RuleDiverts, ruleToBystander},
	{causes.GatewayNowhere, gatewayNowhere}, {causes.GatewayWrong, gatewayWrong},
	{causes.RouteOutOfWrongLink, wrongLink}, {causes.RoutingLoop, routingLoop},
	{causes.PeerDown, peerDown}, {causes.PeerDown, ownPortDown}, {causes.NoCarrier, noCarrier},
	{causes.SameNamespace, sameNamespace}, {causes.ARPOff, arpOff}, {causes.QueueDrops, queueDrops},
	{causes.MTUExceeded, mtuExceeded}, {causes.MTUMismatch, mtuMismatch}, {causes.MTUBlackHole, mtuBlackHole},
	{causes.NeighbourWrong, neighbourWrong}, {causes.AddressNowhere, addressNowhere},
	{causes.AddressOffSegment, otherBridge}, {causes.AddressOffSegment, wrongNamespace},
	{causes.ARPIgnored, arpIgnored}, {causes.BridgeDown, bridgeDown}, {causes.NotAPort, notAPort},
	{causes.PortDown, portDown}, {causes.PortBlocked, portWaits}, {causes.PortBlocked, portBlocked},
	{causes.PortIsolated, portIsolated}, {causes.AddressOnPort, addressOnPort},
	{causes.VNIMismatch, vniMismatch}, {causes.TunnelPortMismatch, tunnelPortMismatch},
	{causes.TunnelRemoteMissing, tunnelRemoteMissing},
	{causes.MacvlanParent, macvlanPrivate}, {causes.MacvlanParent, macvlanParent}, {causes.DuplicateMAC, duplicateMAC},
	{causes.DuplicateAddress, duplicateAddress},
	{causes.ForwardingOff, forwardingOff}, {causes.ForwardingOff, forwardingOffOnLink},
	{causes.ReversePathFilter, reversePathFilter},
	{causes.FilterOutput, filterAt("output")}, {causes.FilterForward, filterAt("forward")},
	{causes.FilterInput, filterAt("input")}, {causes.FilterBridge, filterBridge},
	{causes.FilterIngress, filterIngress}, {causes.FilterARP, filterARP}, {causes.EchoIgnored, echoIgnored},
	{causes.TranslationMissing, translationMissing},
	{causes.NotListening, notListening},
	{causes.FilterOutput, policyAt("output")}, {causes.FilterForward, policyAt("forward")},
	{causes.FilterInput, policyAt("input")}, {causes.FilterBridge, bridgePolicy},
	{causes.FilterInput, discoveryForgotten}, {causes.FilterBridge, arpForgotten},
}

type maker struct {
	cause causes.Cause
	make  faulty
}

// places on the path, in the order in which the packet meets them.
const (
	atSource = iota
	atRoute
	atForward
	atLink
	atSegment
	atNext
	perHop
)

func onLink(i *iface) string { return i.name + " in " + i.node.name }

// six is the -6 option, which some commands need for IPv6.
func six(family int) string {
	if family == 6 {
		return "-6 "
	}
	return ""
}

// pick picks one of several; ok is false if there is none.
func pick[T any](t *topology, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[t.rng.IntN(len(all))], true
}

// hop picks one of the hops that fit.
func (t *topology) hop(p path, fits func(k int, h hop) bool) (int, hop, bool) {
	var ks []int
	for k, h := range p.hops {
		if fits == nil || fits(k, h) {
			ks = append(ks, k)
		}
	}
	k, ok := pick(t, ks)
	if !ok {
		return 0, hop{}, false
	}
	return k, p.hops[k], true
}

// sender is the node that sends on a hop: the first one is the source, the others are routers.
func (h hop) sender() *node { return h.out.node }

// bridges are the bridge ports of a hop's two ends, if both have one.
func portsOf(_ int, h hop) bool { return h.out.port != nil && h.in.port != nil }

// --- The source ---

func noNamespace(_ *topology, p path) *fault {
	return &fault{from: p.from.name + "x", places: []string{p.from.name + "x"},
		byHand: "the name is not the one that was meant"}
}

func notANamespace(_ *topology, p path) *fault {
	return &fault{does: []string{"touch /run/netns/stale"}, from: "stale", places: []string{"stale"},
		byHand: "what was in it is gone"}
}

func noInterface(t *topology, p path) *fault {
	if linksOf(p.from) > 1 || t.kind == "bridged tunnel" && strings.HasPrefix(p.from.name, "vtep") ||
		p.from.name == "host" || p.from.ifaces[0].name == "br0" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "link del %s", p.from.ifaces[0].name)}, places: []string{p.from.name},
		byHand: "the interface is gone"}
}

func loopbackDown(_ *topology, p path) *fault {
	if p.from.name == "host" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "link set lo down")}, to: p.from.ifaces[0].addr(p.family),
		places: []string{"lo in " + p.from.name}}
}

func localRuleMissing(_ *topology, p path) *fault { return withoutLocalRule(p.from, p.family) }

func localRuleMissingThere(_ *topology, p path) *fault { return withoutLocalRule(p.to.node, p.family) }

func withoutLocalRule(at *node, family int) *fault {
	n, v := at.name, six(family)
	return &fault{does: []string{ip(n, "%srule add priority 500 lookup 500", v), ip(n, "%srule del priority 0", v)},
		places: []string{n}}
}

func ipv6Disabled(_ *topology, p path) *fault {
	out := p.hops[0].out
	if p.family != 6 {
		return nil
	}
	return &fault{does: []string{in(p.from.name, "sysctl -qw net.ipv6.conf.%s.disable_ipv6=1", out.name)},
		places: []string{onLink(out)}}
}

func ipv6TooSmall(_ *topology, p path) *fault {
	out := p.hops[0].out
	if p.family != 6 || out.on.kind != "cable" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "link set %s mtu 1200", out.name)}, places: []string{onLink(out)}}
}

func addressTentative(t *topology, p path) *fault {
	i := []*iface{p.hops[0].out, p.to}[t.rng.IntN(2)]
	if p.family != 6 || i == p.to && !p.direct() || i != p.to && len(p.hops) == 1 || i.node.router {
		return nil
	}
	n := i.node.name
	return &fault{does: []string{in(n, "sysctl -qw net.ipv6.conf.%s.dad_transmits=60", i.name),
		ip(n, "addr del %s dev %s", i.v6, i.name), ip(n, "addr add %s dev %s", i.v6, i.name)},
		places: []string{onLink(i)}}
}

func addressDuplicate(t *topology, p path) *fault {
	i := p.hops[0].out
	others := slices.DeleteFunc(slices.Clone(i.on.members), func(m *iface) bool { return m == i })
	other, ok := pick(t, others)
	// on its own link, the link-local address takes its place
	if p.family != 6 || !ok || i.node.router || len(p.hops) == 1 {
		return nil
	}
	n := i.node.name
	return &fault{does: []string{ip(n, "addr del %s dev %s", i.v6, i.name),
		ip(n, "addr add %s/64 dev %s", other.v6.Addr(), i.name)},
		places: []string{onLink(i)}, await: fmt.Sprintf("`%s/64` on `%s` in `%s` is `dadfailed`", other.v6.Addr(),
			i.name, n)}
}

func scopeMissing(_ *topology, p path) *fault {
	return &fault{to: netip.MustParseAddr("fe80::1"), places: []string{p.from.name}, byHand: "the link has to be named"}
}
