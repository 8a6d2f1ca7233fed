package lab

import (
	"context"
	"testing"

	"netnscheck/harness/scenario"
)

// meanwhile is a context that is asked whether to go on while links are settled, when somebody else sets one up.
type meanwhile struct {
	context.Context
	lab *Lab
}

func (m meanwhile) Err() error {
	m.lab.unsettled.Store(true)
	return m.Context.Err()
}

// TestSettleAgain: a link that comes up while links are settled may have come too late for that.
func TestSettleAgain(t *testing.T) {
	l, err := Start(t.Context(), scenario.Host{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.unsettled.Store(true)
	if err := l.settle(meanwhile{t.Context(), l}); err != nil {
		t.Fatal(err)
	}
	if !l.unsettled.Load() {
		t.Error("the link that came up meanwhile counts as settled")
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if err := l.settle(gone); err == nil || !l.unsettled.Load() {
		t.Errorf("links that could not be settled: %v, and they count as settled", err)
	}
}

// TestSettleAfterGo: nobody knows what a function has done in a namespace.
func TestSettleAfterGo(t *testing.T) {
	l, err := Start(t.Context(), scenario.Host{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Go(scenario.HostName, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if !l.unsettled.Load() {
		t.Error("a link that the function has set up would never be settled")
	}
}
