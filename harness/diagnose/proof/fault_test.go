package proof_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// fault is one thing made wrong for real, and what has to be said about it.
type fault struct {
	cause string
	does  []string
	// places are where the cause may be told to be; more than one where two interfaces share the blame.
	places []string
	// names are other causes that say the same here.
	names []string
	// at is how far the packet gets: by it two faults are put in order.
	at int
	// alone says that it is told from another fault only where there is none besides it.
	alone bool
	// passes says that the packet may get through all the same.
	passes bool
	// byHand says that no command mends it, and why.
	byHand string
	// from, to, bytes and port ask for something else than the path does.
	from  string
	to    netip.Addr
	bytes int
	port  uint16
	// await is a claim on which the fault is complete.
	await string
}

// faulty makes a fault on a path, nil where it has no place there.
type faulty func(*topology, path) *fault

// faults are the ways to make each cause. A cause may have several.
var faults = []maker{
	{"no-namespace", noNamespace}, {"not-a-namespace", notANamespace}, {"no-interface", noInterface}, {"loopback-down", loopbackDown},
	{"local-rule-missing", localRuleMissing}, {"local-rule-missing", localRuleMissingThere}, {"ipv6-disabled", ipv6Disabled}, {"ipv6-disabled", ipv6TooSmall},
	{"address-tentative", addressTentative}, {"address-duplicate", addressDuplicate}, {"scope-missing", scopeMissing},
	{"link-down", linkDown}, {"no-address", noAddress}, {"prefix-mismatch", prefixMismatch}, {"connected-route-missing", connectedRouteMissing},
	{"no-route", noRoute}, {"route-unreachable", routeOf("unreachable")}, {"route-prohibit", routeOf("prohibit")},
	{"route-blackhole", routeOf("blackhole")}, {"route-throw", routeOf("throw")}, {"rule-diverts", ruleDiverts}, {"rule-diverts", ruleToWrongTable}, {"rule-diverts", ruleToBystander},
	{"gateway-nowhere", gatewayNowhere}, {"gateway-wrong", gatewayWrong}, {"route-out-of-wrong-link", wrongLink}, {"routing-loop", routingLoop},
	{"peer-down", peerDown}, {"peer-down", ownPortDown}, {"no-carrier", noCarrier}, {"same-namespace", sameNamespace}, {"arp-off", arpOff}, {"queue-drops", queueDrops},
	{"mtu-exceeded", mtuExceeded}, {"mtu-mismatch", mtuMismatch}, {"mtu-black-hole", mtuBlackHole},
	{"neighbour-wrong", neighbourWrong}, {"address-nowhere", addressNowhere}, {"address-off-segment", otherBridge}, {"address-off-segment", wrongNamespace},
	{"arp-ignored", arpIgnored}, {"bridge-down", bridgeDown}, {"not-a-port", notAPort}, {"port-down", portDown}, {"port-blocked", portWaits}, {"port-blocked", portBlocked},
	{"port-isolated", portIsolated}, {"address-on-port", addressOnPort},
	{"vni-mismatch", vniMismatch}, {"tunnel-port-mismatch", tunnelPortMismatch}, {"tunnel-remote-missing", tunnelRemoteMissing},
	{"macvlan-parent", macvlanPrivate}, {"macvlan-parent", macvlanParent}, {"duplicate-mac", duplicateMAC}, {"duplicate-address", duplicateAddress},
	{"forwarding-off", forwardingOff}, {"forwarding-off", forwardingOffOnLink}, {"reverse-path-filter", reversePathFilter},
	{"filter-output", filterAt("output")}, {"filter-forward", filterAt("forward")}, {"filter-input", filterAt("input")}, {"filter-bridge", filterBridge},
	{"filter-ingress", filterIngress}, {"filter-arp", filterARP}, {"echo-ignored", echoIgnored}, {"translation-missing", translationMissing},
	{"not-listening", notListening},
	{"filter-output", policyAt("output")}, {"filter-forward", policyAt("forward")}, {"filter-input", policyAt("input")}, {"filter-bridge", bridgePolicy},
	{"filter-input", discoveryForgotten}, {"filter-bridge", arpForgotten},
}

type maker struct {
	cause string
	make  faulty
}

// places of the way, in the order in which the packet meets them.
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

// six is the option that some commands need for IPv6.
func six(family int) string {
	if family == 6 {
		return "-6 "
	}
	return ""
}

// pick is one of several; ok is false when there is none.
func pick[T any](t *topology, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[t.rng.IntN(len(all))], true
}

// hop picks one of the hops that will do.
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

// sender is the node that sends on a hop; the first one sends itself, the others forward.
func (h hop) sender() *node { return h.out.node }

// bridges are the ports of a hop's two ends, where both have one.
func portsOf(_ int, h hop) bool { return h.out.port != nil && h.in.port != nil }

// --- The source ---

func noNamespace(_ *topology, p path) *fault {
	return &fault{from: p.from.name + "x", places: []string{p.from.name + "x"}, byHand: "the name is not the one that was meant"}
}

func notANamespace(_ *topology, p path) *fault {
	return &fault{does: []string{"touch /run/netns/stale"}, from: "stale", places: []string{"stale"}, byHand: "what was in it is gone"}
}

func noInterface(t *topology, p path) *fault {
	if linksOf(p.from) > 1 || t.kind == "bridged tunnel" && strings.HasPrefix(p.from.name, "vtep") || p.from.name == "host" || p.from.ifaces[0].name == "br0" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "link del %s", p.from.ifaces[0].name)}, places: []string{p.from.name}, byHand: "the interface is gone"}
}

func loopbackDown(_ *topology, p path) *fault {
	if p.from.name == "host" {
		return nil
	}
	return &fault{does: []string{ip(p.from.name, "link set lo down")}, to: p.from.ifaces[0].addr(p.family), places: []string{"lo in " + p.from.name}}
}

func localRuleMissing(_ *topology, p path) *fault { return withoutLocalRule(p.from, p.family) }

func localRuleMissingThere(_ *topology, p path) *fault { return withoutLocalRule(p.to.node, p.family) }

func withoutLocalRule(at *node, family int) *fault {
	n, v := at.name, six(family)
	return &fault{does: []string{ip(n, "%srule add priority 500 lookup 500", v), ip(n, "%srule del priority 0", v)}, places: []string{n}}
}

func ipv6Disabled(_ *topology, p path) *fault {
	out := p.hops[0].out
	if p.family != 6 {
		return nil
	}
	return &fault{does: []string{in(p.from.name, "sysctl -qw net.ipv6.conf.%s.disable_ipv6=1", out.name)}, places: []string{onLink(out)}}
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
	return &fault{does: []string{in(n, "sysctl -qw net.ipv6.conf.%s.dad_transmits=60", i.name), ip(n, "addr del %s dev %s", i.v6, i.name), ip(n, "addr add %s dev %s", i.v6, i.name)}, places: []string{onLink(i)}}
}

func addressDuplicate(t *topology, p path) *fault {
	i := p.hops[0].out
	others := slices.DeleteFunc(slices.Clone(i.on.members), func(m *iface) bool { return m == i })
	other, ok := pick(t, others)
	if p.family != 6 || !ok || i.node.router || len(p.hops) == 1 { // on its own link the link-local address does instead
		return nil
	}
	n := i.node.name
	return &fault{does: []string{ip(n, "addr del %s dev %s", i.v6, i.name), ip(n, "addr add %s/64 dev %s", other.v6.Addr(), i.name)},
		places: []string{onLink(i)}, await: fmt.Sprintf("`%s/64` on `%s` in `%s` is `dadfailed`", other.v6.Addr(), i.name, n)}
}

func scopeMissing(_ *topology, p path) *fault {
	return &fault{to: netip.MustParseAddr("fe80::1"), places: []string{p.from.name}, byHand: "the link has to be named"}
}
