package faults

import (
	"fmt"
	"net/netip"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/repair"
	"netnscheck/harness/diagnose/topology"
	"netnscheck/harness/diagnose/words"
	"netnscheck/harness/state"
)

// Nobody is the cause why no link of the segment has the address.
func Nobody(m repair.Mender, n *state.Namespace, out *state.Link, to netip.Addr, arrivals []topology.Arrival,
	r *state.Route) *finding.Cause {
	if m.Tries == nil {
		return finding.New(causes.AddressNowhere, n, nil, "no link has the address")
	}
	for _, o := range m.Owned(to) {
		if c := macvlanParent(m.Map, facts.At(n, out), o); c != nil {
			return c
		}
	}
	for _, o := range m.Owned(to) {
		if o.N == n {
			continue
		}
		if bridge := o.N.Link(o.L.Master); o.L.Master != "" && bridge != nil && bridge.Kind == "bridge" {
			return AddressOnPort(o, facts.At(o.N, bridge), to)
		}
		if c := notAPort(m.Map, o, arrivals, facts.At(n, out)); c != nil {
			return c
		}
		c := finding.New(causes.AddressOffSegment, o.N, o.L,
			"%s in %s has %s, but it is not on the segment of %s in %s",
			o.L.Name, o.N.Name, to, out.Name, n.Name)
		for _, a := range o.L.Addresses {
			if a.Prefix.Addr() == to.WithZone("") {
				c.Proof(words.AddressShown(o.N, o.L, a))
			}
		}
		c.Proof(words.LinkShown(o.N, o.L), words.LinkShown(n, out))
		return m.OntoSegment(c, facts.At(n, out), o, to, arrivals, r)
	}
	c := finding.New(causes.AddressNowhere, n, nil, "no interface anywhere has %s", to).
		Proof(words.IP(n, "neigh show %s", to) + ": no reply")
	if near := m.NearestAddress(to); near != "" {
		c.Says += "; the nearest address is " + near
	}
	if heir := repair.Heir(m.Map, n, arrivals, to); heir != nil {
		return c.AddAddress(*heir, netip.PrefixFrom(to.WithZone(""), repair.LengthHere(m.Map, out, to)))
	}
	return c.Advise(fmt.Sprintf(
		"assign %s on the segment of %s in %s, or choose an address that is there", to, out.Name,
		n.Name))
}

// macvlanParent: a macvlan or ipvlan and its parent do not reach each other, nor do macvlans of one parent, unless
// their mode is bridge (macvlan_queue_xmit(), drivers/net/macvlan.c).
func macvlanParent(m *topology.Map, from, owner facts.Port) *finding.Cause {
	standsOn := func(at facts.Port, lower *facts.Port) bool {
		below := m.Below(at.L)
		return (at.L.Macvlan != "" || at.L.IPvlan != "") && below != nil && lower != nil && *below == *lower
	}
	at := from
	switch {
	case standsOn(from, &owner):
	case standsOn(owner, &from):
		at = owner
	case from.L.Macvlan != "" && owner.L.Macvlan != "" && standsOn(owner, m.Below(from.L)):
		if from.L.Macvlan == "bridge" {
			at = owner
		}
		return finding.New(causes.MacvlanParent, at.N, at.L,
			"%s: macvlans of one parent reach each other only in the mode bridge", at.L.Name).
			Proof(words.ModeShown(at)).Fix(words.IP(at.N, "link set %s type macvlan mode bridge", at.L.Name))
	default:
		return nil
	}
	kind, mode := "a macvlan", "bridge"
	if at.L.IPvlan != "" {
		kind, mode = "an ipvlan", "l2"
	}
	return finding.New(causes.MacvlanParent, at.N, at.L, "%s: %s and its parent do not reach each other, by design",
		at.L.Name, kind).
		Proof(words.ModeShown(at)).
		Advise("add " + kind + " in the mode " + mode + " in the parent's namespace, and assign " +
			"the address to it")
}

// notAPort: the cable of the owner or the asker ends in a namespace with the bridge of the segment, but is no port of
// it.
func notAPort(m *topology.Map, owner facts.Port, arrivals []topology.Arrival, from facts.Port) *finding.Cause {
	for _, at := range []facts.Port{owner, from} {
		peer := m.Below(at.L)
		if peer == nil || at.L.Kind != "veth" || peer.L.Master != "" ||
			len(facts.Addresses(peer.L, 4))+len(facts.Addresses(peer.L, 6)) > 0 {
			continue // an end with an address is not meant to be a port
		}
		bridge := repair.BridgeOf(peer.N, arrivals, from)
		if bridge == nil && at == from {
			bridge = repair.BridgeBehind(m, owner, peer.N)
		}
		if bridge == nil {
			continue
		}
		return finding.New(causes.NotAPort, peer.N, peer.L,
			"the cable of %s in %s ends in %s, which is no port of the bridge %s", at.L.Name, at.N.Name, peer.L.Name,
			bridge.Name).
			Proof(words.LinkShown(peer.N, peer.L)).SetMaster(*peer, bridge.Name)
	}
	return nil
}
