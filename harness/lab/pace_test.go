package lab

import (
	"testing"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
)

// TestPaced: on a slow machine a check may wait as many times as long. What never becomes true fails all the same.
func TestPaced(t *testing.T) {
	l, err := Start(t.Context(), scenario.Host{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.busy.Store(true) // it may become true at any time
	c, err := claim.Parse("namespace `never` exists")
	if err != nil {
		t.Fatal(err)
	}
	defer SetPace(1)
	for _, pace := range []float64{0, 1, 3} {
		SetPace(pace)
		const limit = 100 * time.Millisecond
		least := time.Duration(float64(limit) * max(pace, 1))
		a := l.Await(t.Context(), []scenario.Check{{Claim: c, Within: limit}}, nil)[0]
		if a.Outcome != scenario.Fail || a.Waited < least {
			t.Errorf("at the pace %v: %s after %v, want a failure after %v", pace, a.Outcome, a.Waited, least)
		}
	}
}
