package diagnose

import (
	"net/netip"
	"testing"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/state"
)

// TestListeners: a socket on all IPv6 addresses accepts IPv4 too, unless it is IPV6_V6ONLY.
func TestListeners(t *testing.T) {
	four, six := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	for _, c := range []struct {
		what     string
		listener state.Listener
		to       string
		heard    bool
	}{
		{"IPv4", state.Listener{Addr: four}, "10.0.0.2", true},
		{"IPv4, asked by IPv6", state.Listener{Addr: four}, "fd00::2", false},
		{"both", state.Listener{Addr: six}, "10.0.0.2", true},
		{"IPv6 alone", state.Listener{Addr: six, V6Only: true}, "fd00::2", true},
		{"IPv6 alone, asked by IPv4", state.Listener{Addr: six, V6Only: true}, "10.0.0.2", false},
	} {
		s := Cabled()
		c.listener.Proto, c.listener.Port = "tcp", 80
		s.Namespace("b").Listeners = []state.Listener{c.listener}
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr(c.to), Port: 80})
		if heard := r.Cause == nil; heard != c.heard || !heard && r.Cause.Name != causes.NotListening {
			t.Errorf("%s: %+v", c.what, r.Cause)
		}
	}
}
