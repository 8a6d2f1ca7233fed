package answer_test

import (
	"testing"

	"netnscheck/harness/sitting/answer"
)

// BenchmarkFind is the search after a command, which the prompt waits for.
func BenchmarkFind(b *testing.B) {
	sc := small(b)
	now := ends()
	f := answer.Facts{Scenario: sc, Before: now, After: now, Whole: now, Line: "ip -n left addr add 10.0.0.1/24 dev r0",
		Status: 1}
	for b.Loop() {
		if answer.Find(f) == nil {
			b.Fatal("nothing is told")
		}
	}
}
