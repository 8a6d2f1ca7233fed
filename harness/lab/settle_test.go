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

// TestSettleDeletion: after a command that deletes a namespace nothing of it is left elsewhere, so that a refused
// command is not accused of what goes later.
func TestSettleDeletion(t *testing.T) {
	for _, d := range Drivers() {
		t.Run(d.Name(), func(t *testing.T) {
			l, err := Start(t.Context(), scenario.Host{}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for range 5 {
				if err := l.Do(t.Context(), d, "ip netns add a", "ip netns add b",
					"ip link add eth0 netns a type veth peer name eth0 netns b", "ip -n a link set eth0 up"); err != nil {
					if unavailable(err) != nil {
						t.Skip(err)
					}
					t.Fatal(err)
				}
				if _, err := l.State(t.Context()); err != nil { // its sockets are closed just before the deletion
					t.Fatal(err)
				}
				if err := l.Do(t.Context(), d, "ip netns del a"); err != nil {
					t.Fatal(err)
				}
				s, err := l.State(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n := s.Namespace("b"); n.Link("eth0") != nil || len(n.NetnsIDs) > 0 {
					t.Errorf("the deleted namespace has left: eth0 %v, ids %v", n.Link("eth0") != nil, n.NetnsIDs)
				}
				if err := l.Do(t.Context(), d, "ip netns del b"); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
