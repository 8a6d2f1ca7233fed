package observe

import (
	"testing"
	"time"

	"netnscheck/harness/internal/netns"
)

// TestReadingKeepsNothingAlive: an open socket or file would keep a namespace alive after its name is deleted, and with
// it the veth peers of its links.
func TestReadingKeepsNothingAlive(t *testing.T) {
	needs(t, "ip")
	for name, o := range map[string]Options{"as always": {}, "with filters": {Filters: true}, "brief": {Brief: true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "testns")
			run(t, w, netns.Host, "ip link add here type veth peer name there netns testns")
			for range 3 {
				if _, err := Lab(t.Context(), w, o); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Delete("testns"); err != nil {
				t.Fatal(err)
			}
			limit, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
			defer tick.Stop()
			for observed(t, w).Namespace(netns.Host).Link("here") != nil {
				select {
				case <-limit:
					t.Fatal("the namespace lives on after its name was deleted")
				case <-tick.C:
				}
			}
		})
	}
}
