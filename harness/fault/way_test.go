package fault_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/claim"
	"netnscheck/harness/fault"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// open are the goals that the state alone shows not to be true.
func open(goals []scenario.Check, s *state.State) (all []string) {
	for _, g := range goals {
		if g.Claim.Needs().Question == nil && !g.Claim.Judge(claim.Evidence{State: s}).Holds {
			all = append(all, g.Text)
		}
	}
	return all
}

// TestFaultIsLeft: where packets get through because something else was added that comes before the fault, the fault is
// still there, and the challenge not solved.
func TestFaultIsLeft(t *testing.T) {
	_, s, goals := captured(t, "router")
	possible := fault.Possible(s, goals)
	carried := func(title string) *state.State {
		i := slices.IndexFunc(possible, func(f fault.Fault) bool { return f.Title == title })
		if i < 0 {
			t.Fatalf("there is no fault that %s", title)
		}
		return fault.Carried(s, possible[i])
	}
	host := netip.MustParsePrefix("10.2.0.2/32")
	route := state.Route{Family: 4, Type: "unicast", To: host, Table: state.TableMain, Proto: "boot", Scope: "global",
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("10.1.0.1"), Dev: "red0"}}}
	lookup := state.Rule{Family: 4, Priority: 50, Table: state.TableMain, Action: "lookup", Protocol: "boot"}
	rule := func(n *state.Namespace) { n.Rules = slices.Insert(n.Rules, 1, lookup) }
	prepend := func(n *state.Namespace) { n.Routes = slices.Insert(n.Routes, 0, route) }
	for _, c := range []struct {
		fault string
		added func(*state.Namespace)
	}{
		{"`red` has the rule `to 10.2.0.2 prohibit`", rule},
		{"`red` has the route `blackhole 10.2.0.2`", prepend},
		{"`red` has the route `10.2.0.2 dev red0`", prepend},
	} {
		broken := carried(c.fault)
		c.added(broken.Namespace("red"))
		told := open(goals, broken)
		if !slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, "nothing is wrong") }) {
			t.Errorf("%s: it counts as solved by what was added; open are %q", c.fault, told)
		}
	}

	// What is as good as what there was is free.
	mended := fault.Carried(s)
	red := mended.Namespace("red")
	prepend(red)
	for i := range red.Rules {
		if red.Rules[i].Table == state.TableMain {
			red.Rules[i].Priority -= 1000
		}
	}
	if told := open(goals, mended); len(told) > 0 {
		t.Errorf("a route that leads where another one led, and a rule of another priority: open are %q", told)
	}
}

// TestBothEndsAlike: a tunnel whose ends fit each other, with another tag than it had, is not what it was.
func TestBothEndsAlike(t *testing.T) {
	sc, s, _ := captured(t, "veth-pair")
	tagged := fault.OnVLANs(s, 10)
	goals := fault.Goals(sc, tagged)
	if told := open(goals, fault.OnVLANs(s, 11)); len(told) == 0 {
		t.Error("with another tag at both ends it counts as solved")
	}
	if told := open(goals, fault.OnVLANs(s, 10)); len(told) > 0 {
		t.Errorf("as it was, open are %q", told)
	}

	with := func(v state.VXLAN) *state.State {
		tunnelled := fault.OnVLANs(s, 10)
		n := tunnelled.Namespace("testns")
		n.Links = append(n.Links, state.Link{Index: 77, Name: "vx0", Kind: "vxlan", VXLAN: &v})
		return tunnelled
	}
	was := state.VXLAN{ID: 42, DstPort: 4789, Remote: netip.MustParseAddr("192.168.2.102"), Learning: true}
	goals = fault.Goals(sc, with(was))
	for name, c := range map[string]struct {
		change func(*state.VXLAN)
		solved bool
	}{
		"the same":                              {func(*state.VXLAN) {}, true},
		"another identifier":                    {func(v *state.VXLAN) { v.ID++ }, false},
		"another port":                          {func(v *state.VXLAN) { v.DstPort = 8472 }, false},
		"another remote":                        {func(v *state.VXLAN) { v.Remote = v.Remote.Next() }, false},
		"remotes in the forwarding table alone": {func(v *state.VXLAN) { v.Remote = netip.Addr{} }, true},
	} {
		now := was
		c.change(&now)
		if told := open(goals, with(now)); (len(told) == 0) != c.solved {
			t.Errorf("%s: open are %q", name, told)
		}
	}
}
