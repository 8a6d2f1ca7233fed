package filter

import (
	"net/netip"
	"strings"
	"testing"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestStatusOfConnections: of the conntrack status only the translations are known.
func TestStatusOfConnections(t *testing.T) {
	both := Seen{Packet: packet.Packet{Dst: netip.IPv4Unspecified()}, Status: []string{"dnat", "snat"}}
	plain := Seen{Packet: both.Packet}
	for _, c := range []struct {
		s           Seen
		value       string
		fits, known bool
	}{
		{both, "dnat", true, true}, {both, "snat", true, true}, {both, "!= snat", false, true},
		{both, "assured", false, false},
		{plain, "dnat", false, true}, {plain, "!= dnat", true, true}, {plain, "confirmed", false, false},
	} {
		value, not := strings.CutPrefix(c.value, "!= ")
		m := state.FilterMatch{Key: "ct status", Values: []string{value}, Not: not}
		if fits, known := (&Run{seen: c.s}).match(nil, m); fits != c.fits || known != c.known {
			t.Errorf("%v, %s: %v, %v", c.s.Status, c.value, fits, known)
		}
	}
}

// TestAddressTypes: some addresses have a type without a route; that of an IPv6 address that no link has is unknown.
func TestAddressTypes(t *testing.T) {
	n := &state.Namespace{Routes: []state.Route{
		{Type: "local", Table: state.TableLocal, To: netip.MustParsePrefix("10.0.0.2/32")},
		{Type: "local", Table: state.TableLocal, To: netip.MustParsePrefix("fd00::2/128")},
	}}
	for _, c := range []struct {
		addr, value string
		fits, known bool
	}{
		{"10.0.0.2", "local", true, true}, {"10.0.0.1", "local", false, true}, {"10.0.0.1", "unicast", true, true},
		{"224.0.0.1", "multicast", true, true}, {"ff02::1", "multicast", true, true},
		{"255.255.255.255", "broadcast", true, true},
		{"fd00::2", "local", true, true}, {"fd00::1", "local", false, true}, {"fd00::1", "unicast", true, false},
	} {
		fits, known := isOfType(n, netip.MustParseAddr(c.addr), state.FilterMatch{Values: []string{c.value}})
		if fits != c.fits || known != c.known {
			t.Errorf("%s is %s: %v, known %v", c.addr, c.value, fits, known)
		}
	}
}
