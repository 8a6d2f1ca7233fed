package diagnose

import (
	"net/netip"
	"testing"

	"netnscheck/harness/state"
)

// TestMarksOfNamespaces: a mark is one namespace's alone, and what is not followed is a doubt: marks set below the link
// a packet comes in by, at output by a chain of another type than route, and what a tunnel's packets meet elsewhere.
func TestMarksOfNamespaces(t *testing.T) {
	set := state.FilterRule{Text: "meta mark set 0x1", Changes: []state.FilterChange{{Key: "mark", Value: "0x1"}}}
	marked := when("mark", "0x1", "drop")
	only := chainIn("ip", "input", "filter", 0, "drop", when("mark", "0x1", "accept"))
	only.Name = "only"
	with := func(name string, tables ...state.FilterTable) func(s *state.State) {
		return func(s *state.State) { s.Namespace(name).Filters = append(s.Namespace(name).Filters, tables...) }
	}
	at := func(dev string) state.FilterTable {
		table := chainIn("netdev", "ingress", "filter", 0, "accept", set)
		table.Chains[0].Devices = []string{dev}
		return table
	}
	refuse := func(s *state.State) {
		a := s.Namespace("a")
		a.Rules = append(a.Rules, state.Rule{Family: 4, Priority: 10, Mark: 1, Action: "prohibit"})
	}
	for _, c := range []struct {
		what   string
		of     func() *state.State
		to     string
		change []func(s *state.State)
		want   string
		doubts bool
	}{
		{"a mark of the sender at another namespace's bridge", switched, "10.0.0.2", []func(s *state.State){
			with("a", chainIn("ip", "output", "route", 0, "accept", set)),
			with("sw", chainIn("bridge", "forward", "filter", 0, "accept", marked))}, "", false},
		{"a mark of a bridge for its own namespace", switched, "10.0.0.9", []func(s *state.State){
			with("sw", chainIn("bridge", "prerouting", "filter", -300, "accept", set), only)}, "", true},
		{"a mark at the ingress of a port", switched, "10.0.0.9", []func(s *state.State){with("sw", at("p-a"), only)},
			"", true},
		{"a mark at the ingress of the link", func() *state.State { return Cabled() }, "10.0.0.2", []func(s *state.State){
			with("b", at("eth0"), only)}, "", false},
		{"no mark", func() *state.State { return Cabled() }, "10.0.0.2", []func(s *state.State){with("b", only)},
			"filter-input", false},
		{"a mark at output for a rule", func() *state.State { return Cabled() }, "10.0.0.2", []func(s *state.State){refuse,
			with("a", chainIn("ip", "output", "route", 0, "accept", set))}, "rule-diverts", false},
		{"a mark at output too late for a rule", func() *state.State { return Cabled() }, "10.0.0.2",
			[]func(s *state.State){refuse, with("a", chainIn("ip", "output", "filter", 0, "accept", set))}, "", true},
		{"a tunnel whose packets are dropped", tunnelled, "10.8.0.2", []func(s *state.State){
			with("b", chainIn("ip", "input", "filter", 0, "accept", when("udp dport", "4789", "drop")))}, "filter-input",
			false},
		{"a tunnel whose packets may go elsewhere", tunnelled, "10.8.0.2", []func(s *state.State){
			with("a", chainIn("ip", "output", "nat", 0, "accept", state.FilterRule{Text: "[x] dnat", Verdict: "dnat",
				Opaque: true, Matches: []state.FilterMatch{{Key: "l4proto", Values: []string{"udp"}}}})),
			with("b", chainIn("ip", "input", "filter", 0, "accept", when("udp dport", "4789", "drop")))}, "", true},
	} {
		s := c.of()
		if sw := s.Namespace("sw"); sw != nil {
			sw.Rules, sw.Link("br0").Bridge.VLANFiltering = defaultRules(), false
			give(sw, sw.Link("br0"), netip.MustParsePrefix("10.0.0.9/24"))
		}
		for _, change := range c.change {
			change(s)
		}
		r := Diagnose(s, Query{From: "a", To: netip.MustParseAddr(c.to)})
		name := ""
		if r.Cause != nil {
			name = r.Cause.Name.String()
		}
		if name != c.want || (len(r.Doubts) > 0) != c.doubts {
			t.Errorf("%s: cause %q, want %q; doubts %q", c.what, name, c.want, r.Doubts)
		}
	}
}
