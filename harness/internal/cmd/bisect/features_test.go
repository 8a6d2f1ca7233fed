package bisect

import (
	"maps"
	"slices"
	"testing"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/specrun"
	"netnscheck/scenarios"
)

// TestFeaturesOfTheGoodKernel: asked are the features on which blocks depend, each once, without those that the user
// has decided; one of which the good kernel cannot tell is named, and not taken for absent.
func TestFeaturesOfTheGoodKernel(t *testing.T) {
	plan := []specrun.Planned{{}} // the suites have no scenario
	for _, id := range []string{"rules", "macvlan", "macvlan-challenge", "veth-pair"} {
		sc, err := scenarios.ByID(id)
		if err != nil {
			t.Fatal(err)
		}
		plan = append(plan, specrun.Planned{Job: specrun.Job{Scenario: sc}})
	}
	asked := conditional(plan, nil)
	if want := []string{"first-rule-deleted", "links-in-place"}; !slices.Equal(asked, want) {
		t.Fatalf("asked are %q, want %q", asked, want)
	}
	if left := conditional(plan, map[string]bool{"links-in-place": false}); !slices.Equal(left, asked[:1]) {
		t.Errorf("without one that is decided, asked are %q", left)
	}
	found := []machine.Feature{
		{Name: "veth", Presence: kernel.Present.String()},
		{Name: "links-in-place", Presence: kernel.Absent.String()},
		{Name: "first-rule-deleted", Presence: kernel.Unknown.String()},
	}
	taken, untold := takenFrom(found, asked)
	if !maps.Equal(taken, map[string]bool{"links-in-place": false}) || !slices.Equal(untold, asked[:1]) {
		t.Errorf("taken are %v, untold %q", taken, untold)
	}
}
