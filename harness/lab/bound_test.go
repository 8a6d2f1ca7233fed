package lab

import (
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

// TestBoundOutput: a report has at most so much output of a section; what is long is cut in its middle, with its size,
// and what is short stays whole.
func TestBoundOutput(t *testing.T) {
	for name, sizes := range map[string][]int{"one": {1 << 20}, "many": slices.Repeat([]int{9000}, 9),
		"one among short ones": {20, 1 << 20, 20}} {
		var all []scenario.Exchange
		for _, n := range sizes {
			all = append(all, scenario.Exchange{Output: "first\n" + strings.Repeat("x", n-11) + "\nlast"})
		}
		boundOutput(all)
		total := 0
		for i, x := range all {
			total += len(x.Output)
			if !strings.HasPrefix(x.Output, "first\n") || !strings.HasSuffix(x.Output, "last") {
				t.Errorf("%s: an end is missing in %.40q", name, x.Output)
			}
			if sizes[i] == 20 && strings.Contains(x.Output, "left out") {
				t.Errorf("%s: a short output was cut", name)
			}
		}
		if total > mostOutput {
			t.Errorf("%s: %d bytes are left", name, total)
		}
	}
	short := []scenario.Exchange{{Output: strings.Repeat("y", mostOfOne)}}
	if boundOutput(short); len(short[0].Output) != mostOfOne {
		t.Error("what fits was cut")
	}
	if got := cutMiddle(strings.Repeat("z", 1000), 500); !strings.Contains(got, "\n… 628 of 1000 bytes left out …\n") {
		t.Errorf("it says %q", got)
	}
}
