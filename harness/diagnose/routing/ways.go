package routing

import (
	"net/netip"
	"slices"

	"netnscheck/harness/diagnose/facts"
	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// LeadsBack reports whether a neighbour has a route to an address back out of its link to the asker.
func LeadsBack(at facts.Port, dst netip.Addr) bool {
	d := Lookup(at.N, Flow{Dst: dst, Iif: at.L.Name})
	return d.Found() && d.Hop != nil && d.Hop.Dev == at.L.Name
}

// LeadsOn reports whether a neighbour has a route to an address out of another link than that to the asker.
func LeadsOn(at facts.Port, dst netip.Addr) bool {
	d := Lookup(at.N, Flow{Dst: dst, Iif: at.L.Name})
	return d.Found() && (d.Hop == nil || d.Hop.Dev != at.L.Name)
}

// AddressType is the type of an address by the table local, else unicast; some addresses have a type without a route
// (inet_addr_type(), net/ipv4/fib_frontend.c).
func AddressType(n *state.Namespace, a netip.Addr) string {
	switch {
	case a.IsMulticast():
		return "multicast"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "broadcast"
	}
	kind, bits := "unicast", -1
	for _, r := range n.Routes {
		if r.Table == state.TableLocal && r.To.Bits() > bits && r.To.Contains(a.WithZone("")) {
			kind, bits = r.Type, r.To.Bits()
		}
	}
	return kind
}

// OnLink reports whether a gateway is on a directly connected network of a namespace.
func OnLink(n *state.Namespace, h state.Nexthop) bool {
	if h.Via.Is6() && h.Via.IsLinkLocalUnicast() {
		return true
	}
	d := Lookup(n, Flow{Dst: h.Via})
	return d.Found() && d.Hop != nil && d.Hop.Dev == h.Dev && !d.Hop.Via.IsValid()
}

// TakesIn reports whether a namespace locally delivers packets from one address to another that come in by a link: the
// destination is its own, or in the prefix of a route of the type local. IPv4 drops a packet whose source is of the
// type local, unless accept_local is set (__fib_validate_source(), net/ipv4/fib_frontend.c).
func TakesIn(at facts.Port, from, to netip.Addr) bool {
	if from.Is4() && facts.Strongest(at.N, at.L, "accept_local") == 0 && Lookup(at.N, Flow{Src: to,
		Dst: from}).Local() {
		return false
	}
	return Lookup(at.N, Flow{Src: from, Dst: to, Iif: at.L.Name}).Local()
}

// MainReached reports whether a rule that matches looks up the table main.
func MainReached(n *state.Namespace, p packet.Packet, iif *state.Link) bool {
	f := FlowOf(p, iif)
	for _, r := range facts.RulesOf(n, p.Family()) {
		if selects(r, f) && r.Action == "lookup" && r.Table == state.TableMain {
			return true
		}
	}
	return false
}

// HasLocalRule reports whether a rule looks up the table local.
func HasLocalRule(n *state.Namespace, family int) bool {
	return slices.ContainsFunc(InForce(n, family), LooksUpLocal)
}

func LooksUpLocal(r *state.Rule) bool { return r.Action == "lookup" && r.Table == state.TableLocal }
