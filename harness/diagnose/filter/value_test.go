package filter

import (
	"net/netip"
	"strconv"
	"testing"

	"netnscheck/harness/diagnose/packet"
	"netnscheck/harness/state"
)

// TestChangesOfPackets: a mark is followed, a new address is a doubt, and the old one again is no change.
func TestChangesOfPackets(t *testing.T) {
	drop := state.FilterRule{Text: "drop", Verdict: "drop",
		Matches: []state.FilterMatch{{Key: "mark", Values: []string{"0x4000/0x4000"}}}}
	for _, c := range []struct {
		change    state.FilterChange
		drops     bool
		elsewhere bool
	}{
		{state.FilterChange{Key: "mark", Value: "0x4000", Keep: 0xffffbfff}, true, false},
		{state.FilterChange{Key: "mark", Value: "0x1"}, false, false},
		{state.FilterChange{Key: "ip daddr", Value: "10.0.0.2"}, false, false},
		{state.FilterChange{Key: "ip daddr", Value: "10.0.0.3"}, false, true},
		{state.FilterChange{Key: "tcp dport", Value: "81"}, false, false}, // of ICMP there is none
		{state.FilterChange{Key: "ip ttl", Value: "64"}, false, false},
		{state.FilterChange{Key: "ip ttl", Value: "1"}, false, true},
	} {
		set := state.FilterRule{Text: "set", Changes: []state.FilterChange{c.change}}
		b := Base{Table: &state.FilterTable{Family: "inet", Name: "t"},
			Chain: &state.FilterChain{Name: "c", Hook: "forward", Rules: []state.FilterRule{set, drop}}}
		o := Judge(&state.Namespace{Name: "n"}, b, 0, Seen{Packet: packet.Packet{Dst: netip.MustParseAddr("10.0.0.2"),
			Proto: "icmp"}})
		if (o.Cause != nil) != c.drops || (o.Elsewhere != "") != c.elsewhere || (len(o.Doubts) > 0) != c.elsewhere {
			t.Errorf("%+v: %+v", c.change, o)
		}
	}
}

// TestSpreadPackets: a rule that spreads packets has a way for each outcome, and one for the numbers of none.
func TestSpreadPackets(t *testing.T) {
	const all, most = 300, 299
	var many []string
	for i := range most {
		many = append(many, strconv.Itoa(i))
	}
	for _, c := range []struct {
		key    string
		values []string
		not    int // which one is excluded, from 1
		ways   int
		drops  int // with how many of them
	}{
		{"numgen random mod 2", []string{"0", "1"}, 0, 2, 2},
		{"numgen inc mod 10", []string{"0-4", "5-9"}, 0, 2, 2},
		{"jhash mod 3", []string{"0", "1"}, 0, 3, 2},
		{"symhash mod 2 offset 10", []string{"10"}, 0, 2, 1},
		{"numgen random mod 2", []string{"0"}, 1, 2, 1},
		{"numgen random mod 3", []string{"0", "0"}, 2, 2, 2}, // the second one is a map's catchall element
		{"numgen random mod 2", []string{"0", "0"}, 0, 2, 1}, // two ports
		{"numgen random mod 2", []string{"7"}, 0, 0, 0},
		{"numgen random mod 2", nil, 0, 0, 0},
		{"numgen random mod 300", many, 0, all, most},
	} {
		chain := state.FilterChain{Name: "c", Hook: "forward"}
		for i, v := range c.values {
			chain.Rules = append(chain.Rules, state.FilterRule{Text: c.key, Handle: 3, Verdict: "drop",
				Matches: []state.FilterMatch{{Key: c.key, Values: []string{v}, Not: i+1 == c.not}}})
		}
		if c.values == nil {
			chain.Rules = []state.FilterRule{{Text: c.key, Verdict: "drop", Matches: []state.FilterMatch{{Key: c.key}}}}
		}
		table := &state.FilterTable{Family: "ip", Name: "t", Chains: []state.FilterChain{chain}}
		ways, drops := 0, 0
		for turn := 0; turn <= ways; turn++ {
			o := Judge(&state.Namespace{Name: "n"}, Base{Table: table, Chain: &table.Chains[0]}, 0, Seen{
				Packet: packet.Packet{Dst: netip.MustParseAddr("10.0.0.2"), Proto: "tcp"},
				Turn: func(_ *state.FilterRule, _ string, by []string) int {
					ways = len(by)
					return min(turn, ways-1)
				}})
			if o.Cause != nil && turn < max(ways, 1) {
				drops++
			}
		}
		if ways != c.ways || drops != c.drops {
			t.Errorf("%s %v: %d ways, %d dropped, want %d, %d", c.key, c.values, ways, drops, c.ways, c.drops)
		}
	}
}

// TestManyJumps: a rule that may not match jumps to chains with more paths through them than can be followed.
func TestManyJumps(t *testing.T) {
	for _, c := range []struct {
		last      state.FilterRule
		elsewhere bool
	}{
		{state.FilterRule{Text: "accept", Verdict: "accept"}, false},
		{state.FilterRule{Text: "dnat", Verdict: "dnat"}, true},
	} {
		const chains, jumps = 15, 10
		table := &state.FilterTable{Family: "ip", Name: "t", Chains: []state.FilterChain{{Name: "c", Hook: "forward",
			Rules: []state.FilterRule{{Text: "[meta] jump 0", Opaque: true, Verdict: "jump", Target: "0"}}}}}
		for i := range chains {
			chain := state.FilterChain{Name: strconv.Itoa(i)}
			for range jumps {
				chain.Rules = append(chain.Rules, state.FilterRule{Verdict: "jump", Target: strconv.Itoa(i + 1)})
			}
			table.Chains = append(table.Chains, chain)
		}
		table.Chains = append(table.Chains, state.FilterChain{Name: strconv.Itoa(chains),
			Rules: []state.FilterRule{c.last}})
		o := Judge(&state.Namespace{Name: "n"}, Base{Table: table, Chain: &table.Chains[0]}, 0, Seen{
			Packet: packet.Packet{Dst: netip.MustParseAddr("10.0.0.2"), Proto: "tcp"}})
		if (o.Elsewhere != "") != c.elsewhere {
			t.Errorf("%s: elsewhere %q", c.last.Text, o.Elsewhere)
		}
	}
}
