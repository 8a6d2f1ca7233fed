package term

import "testing"

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 hints", 1: "1 hint", 2: "2 hints"} {
		if got := Count(n, "hint"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
