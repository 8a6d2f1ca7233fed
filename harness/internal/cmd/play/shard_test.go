package play

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/reports"
	"netnscheck/reports/merge"
	"netnscheck/scenarios"
)

// TestShards: whatever is selected, in whatever order, the shards are disjoint, complete, the same each time, and of
// even size; the drivers of a scenario and its steps stay together; and their reports merge to that of the whole.
func TestShards(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		what := input.Selection{Scenarios: slices.Clone(all)}
		random.Shuffle(len(all), func(i, j int) {
			what.Scenarios[i], what.Scenarios[j] = what.Scenarios[j], what.Scenarios[i]
		})
		what.Scenarios = what.Scenarios[:1+random.IntN(len(all))]
		s := Settings{Seed: int64(random.IntN(3))}
		labels := []string{"", "mistake", "step && netlink", "level-1 || busybox"}[random.IntN(4)]
		if s.Filter, err = specrun.ParseFilter(labels, ""); err != nil {
			t.Fatal(err)
		}
		drivers := lab.DriverNames()[:1+random.IntN(len(lab.DriverNames()))]
		planned := func() []specrun.Planned {
			plan, err := PlanWith(what, s, drivers)
			if err != nil {
				t.Fatal(err)
			}
			return plan
		}
		if len(planned()) == 0 {
			continue
		}
		checkShards(t, planned, 1+random.IntN(len(planned())))
	}
}

// checkShards checks the shards of a plan, of which there are so many.
func checkShards(t *testing.T, planned func() []specrun.Planned, of int) {
	t.Helper()
	plan := planned()
	var saved []reports.Saved
	var seen []string
	for n := 1; n <= of; n++ {
		shard := &reports.Shard{Number: n, Of: of}
		own, err := specrun.Shard(plan, shard)
		if err != nil {
			t.Fatal(err)
		}
		again, err := specrun.Shard(planned(), shard)
		if err != nil || !slices.Equal(units(own), units(again)) {
			t.Fatalf("shard %s is another one the next time: %v", shard, err)
		}
		if len(own) < len(plan)/of || len(own) > (len(plan)+of-1)/of {
			t.Errorf("shard %s of %d units has %d", shard, len(plan), len(own))
		}
		seen = append(seen, units(own)...)
		r := &reports.Run{Properties: []reports.Property{}, Shard: shard}
		for _, p := range own {
			r.Suites = append(r.Suites, p.Suites...)
		}
		saved = append(saved, reports.Saved{File: fmt.Sprint(n), Run: r})
	}
	want := units(plan)
	slices.Sort(want)
	slices.Sort(seen)
	if !slices.Equal(want, seen) {
		t.Errorf("%d shards have the units %q, the plan %q", of, seen, want)
	}
	var whole reports.Run
	for _, p := range plan {
		whole.Suites = append(whole.Suites, p.Suites...)
	}
	merged, err := merge.Shards(saved)
	if err != nil {
		t.Fatalf("%d shards: %v", of, err)
	}
	if !slices.EqualFunc(whole.Suites, merged.Suites, func(a, b reports.Suite) bool {
		return a.Name() == b.Name() && len(a.Cases) == len(b.Cases)
	}) {
		t.Errorf("merged, %d shards are another run than the whole", of)
	}
}

func units(plan []specrun.Planned) (ids []string) {
	for _, p := range plan {
		ids = append(ids, p.Job.Unit)
	}
	return ids
}

// TestMoreShardsThanScenarios: an empty shard would be no run.
func TestMoreShardsThanScenarios(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := PlanWith(input.Selection{Scenarios: all[:2]}, Settings{}, []string{"netlink"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "the plan has 2 scenarios: one of 3 shards would be empty"
	for n := 1; n <= 3; n++ {
		if _, err := specrun.Shard(plan, &reports.Shard{Number: n, Of: 3}); err == nil || err.Error() != want {
			t.Errorf("shard %d: %v, want %s", n, err, want)
		}
	}
}
