package filter

import (
	"net/netip"
	"testing"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestOrderBesideLegacy: the order of two chains of one priority, one of which is of iptables-legacy, counts only where
// it makes a difference.
func TestOrderBesideLegacy(t *testing.T) {
	marks := state.FilterRule{Text: "mark", Changes: []state.FilterChange{{Key: "mark", Value: "0x4"}}}
	drops := state.FilterRule{Text: "drop", Verdict: "drop"}
	dropsMarked := state.FilterRule{Text: "drop marked", Verdict: "drop",
		Matches: []state.FilterMatch{{Key: "mark", Values: []string{"0x4"}}}}
	at := func(legacy bool, kind string, priority int, rules ...state.FilterRule) Base {
		return Base{&state.FilterTable{Family: "ip", Name: "t"}, &state.FilterChain{Name: "c", Type: kind,
			Hook: "prerouting", Priority: priority, Policy: "accept", Rules: rules}, legacy}
	}
	s := Seen{Packet: packet.Packet{Dst: netip.MustParseAddr("10.0.0.2"), Proto: "icmp"}}
	for i, c := range []struct {
		a, b     Base
		disputed bool
	}{
		{at(true, "filter", 0, marks), at(false, "filter", 0, dropsMarked), true},
		{at(true, "filter", 0, dropsMarked), at(false, "filter", 0, marks), true},
		{at(true, "filter", 0, marks), at(true, "filter", 0, dropsMarked), false},
		{at(true, "filter", 0, marks), at(false, "filter", 1, dropsMarked), false},
		{at(true, "filter", 0, marks), at(false, "nat", 0, dropsMarked), false},
		{at(true, "filter", 0, drops), at(false, "filter", 0), false},
		{at(true, "filter", 0, drops), at(false, "filter", 0, marks), false},
		{at(true, "filter", 0, marks), at(false, "filter", 0, marks), false},
	} {
		if said := Disputed(&state.Namespace{Name: "n"}, c.a, []Base{c.b}, s); (said != "") != c.disputed {
			t.Errorf("%d: %q", i, said)
		}
	}
}
