package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/state"
)

// TestEverybody: the causes of all pairs are those that the diagnosis names for each, and who has no address is left
// out.
func TestEverybody(t *testing.T) {
	s := lattice(30)
	router := s.Namespace("router")
	router.Links[1].Up = false                                                  // br0 is down: ten hosts are on their own, but for each other
	router.Routes = slices.DeleteFunc(router.Routes, func(r state.Route) bool { // and h20 to h29 have no way to them
		return r.To == netip.MustParsePrefix("10.1.2.0/24")
	})
	s.Namespace("h12").Filters = []state.FilterTable{chainOf("input", "drop", nil)}
	s.Namespace("h13").Unread = []string{"the packet filters"}
	m := Everybody(s)
	if len(m.Places) != 31 || !slices.Equal(m.Nowhere, []string{"host"}) || m.Outcome() != Faulty {
		t.Errorf("%d places, without one %q, outcome %v", len(m.Places), m.Nowhere, m.Outcome())
	}
	told := map[Pair]string{}
	for _, o := range m.Obstacles {
		for _, p := range o.Pairs {
			told[p] = o.Cause.Name.String() + " " + o.Cause.Place()
		}
	}
	for _, from := range m.Places {
		for _, to := range m.Places {
			if from == to {
				continue
			}
			p, want := Pair{from.Netns, to.Netns}, ""
			r := Diagnose(s, Query{From: from.Netns, To: to.Address})
			if r.Cause != nil {
				want = r.Cause.Name.String() + " " + r.Cause.Place()
			}
			if doubt := slices.Contains(m.Doubts, p); told[p] != want || doubt != (r.Outcome() == Unsure) {
				t.Errorf("%v: %q, in doubt: %v; the diagnosis says %q, %q", p, told[p], doubt, want, r.Doubts)
			}
		}
	}
	if len(m.Doubts) == 0 || !strings.Contains(m.Unread[0], "h13") {
		t.Errorf("doubts %v, unread %q", m.Doubts, m.Unread)
	}
}

// TestEverybodyTwice: where two networks have the same addresses, who answers is not who was meant.
func TestEverybodyTwice(t *testing.T) {
	s, other := Cabled(), Cabled()
	for i, name := range []string{"x", "y"} {
		n := other.Namespaces[i+1]
		n.Name, n.Links[1].Peer.Netns = name, []string{"y", "x"}[i]
		for j := range n.Links[1].Addresses {
			if i == 1 && n.Links[1].Addresses[j].Prefix.Addr().Is6() { // y has one of its own
				n.Links[1].Addresses[j].Prefix = netip.MustParsePrefix("fd00::9/64")
			}
		}
		s.Namespaces = append(s.Namespaces, n)
	}
	m := Everybody(s)
	for _, p := range m.Places {
		if unique := p.Netns == "y" || p.Netns == "b"; p.Address.Is6() != unique {
			t.Errorf("%+v", p)
		}
	}
	for _, p := range []Pair{{"a", "x"}, {"x", "a"}, {"b", "x"}} {
		if !slices.Contains(m.Doubts, p) {
			t.Errorf("%v is not in doubt: %+v", p, m)
		}
	}
	if m.Outcome() == Sound {
		t.Error("sound")
	}
}

// TestEverybodyAlone: without two addresses nothing is wrong, and in doubt is what was not read.
func TestEverybodyAlone(t *testing.T) {
	s := &state.State{Namespaces: []state.Namespace{{Name: "host"}}}
	if m := Everybody(s); m.Outcome() != Sound || len(m.Places) != 0 {
		t.Errorf("%+v", m)
	}
	s.Namespaces[0].Unread = []string{"routes"}
	if m := Everybody(s); m.Outcome() != Unsure {
		t.Errorf("%+v", m)
	}
}
