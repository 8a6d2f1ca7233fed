package translation

import (
	"strconv"
	"testing"

	"netnscheck/harness/state"
)

// TestTranslates: a translation is found by a jump, and chains that jump to each other, in any number, come to an end.
func TestTranslates(t *testing.T) {
	for _, last := range []string{"masquerade", "accept"} {
		const chains, jumps = 40, 10
		table := &state.FilterTable{Name: "t"}
		for i := range chains {
			c := state.FilterChain{Name: strconv.Itoa(i)}
			for k := range jumps {
				c.Rules = append(c.Rules, state.FilterRule{Verdict: "jump", Target: strconv.Itoa((i + k) % chains)})
			}
			table.Chains = append(table.Chains, c)
		}
		table.Chains[chains-1].Rules = append(table.Chains[chains-1].Rules, state.FilterRule{Verdict: last})
		if got := translates(table, &table.Chains[0]); got != (last == "masquerade") {
			t.Errorf("%s: %v", last, got)
		}
	}
}
