package merge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// plan is the whole plan: six suites of three scenarios.
func plan() (all []reports.Suite) {
	for _, id := range []string{"a", "b", "c"} {
		for _, driver := range []string{"iproute2", "netlink"} {
			s := reports.Suite{ID: id, Driver: driver}
			for _, name := range []string{"One", "Two"} {
				s.Cases = append(s.Cases, reports.Case{Name: name,
					SectionResult: scenario.SectionResult{Outcome: scenario.Pass, Duration: time.Second}})
			}
			all = append(all, s)
		}
	}
	return all
}

// shards are the three shards of the plan, a scenario each.
func shards() (all []reports.Saved) {
	for n := range 3 {
		s := reports.Saved{File: fmt.Sprintf("%d.json", n+1), Run: &reports.Run{
			Started: time.Date(2025, 3, 1, 12, 10-n, 0, 0, time.UTC), Duration: time.Duration(n+1) * time.Second,
			Hostname: "box", Properties: []reports.Property{{Name: "kernel", Value: "6.1"},
				{Name: reports.ShardProperty, Value: fmt.Sprintf("%d/3", n+1)}},
			Suites: plan()[2*n : 2*n+2], Shard: &reports.Shard{Number: n + 1, Of: 3},
		}}
		s.Shard.Describe(plan())
		all = append(all, s)
	}
	return all
}

// TestWhole: in any order, and with one of them twice, the shards are the run that they are parts of.
func TestWhole(t *testing.T) {
	want := &reports.Run{
		Started: time.Date(2025, 3, 1, 12, 8, 0, 0, time.UTC), Duration: 6 * time.Second, Hostname: "box",
		Properties: []reports.Property{{Name: "kernel", Value: "6.1"}, {Name: "shards", Value: "3"}}, Suites: plan(),
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 1, 2, 0}} {
		var given []reports.Saved
		for _, n := range order {
			given = append(given, shards()[n])
		}
		got, err := Shards(given)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v: %v (-want +got):\n%s", order, err, diff)
		}
	}
}

// TestWhatShardsSay: what is not the same everywhere is told with the shard.
func TestWhatShardsSay(t *testing.T) {
	all := shards()
	all[1].Properties[0].Value, all[1].Hostname, all[1].Cut = "6.12", "bix", true
	all[1].Problems = []string{"interrupted: by SIGTERM"}
	all[2].Leftovers = []string{"the namespace x"}
	nft := reports.LeftOut{Program: "nft", Cases: 2, Reason: "nft is not installed"}
	busybox := reports.LeftOut{Program: "busybox", Driver: "busybox", Reason: "busybox is not installed"}
	all[0].LeftOut, all[0].Install = []reports.LeftOut{nft}, "apt-get install nftables"
	all[2].LeftOut, all[2].Install = []reports.LeftOut{busybox, nft}, "apt-get install busybox nftables"
	got, err := Shards(all)
	if err != nil {
		t.Fatal(err)
	}
	nft.Cases = 4
	for what, pair := range map[string][2]any{
		"kernel":    {"6.1 (shards 1 and 3); 6.12 (shard 2)", got.Properties[0].Value},
		"hosts":     {"box, bix", got.Hostname},
		"problems":  {[]string{"shard 2/3: interrupted: by SIGTERM"}, got.Problems},
		"leftovers": {[]string{"shard 3/3: the namespace x"}, got.Leftovers},
		"left out":  {[]reports.LeftOut{nft, busybox}, got.LeftOut},
		"install":   {"apt-get install nftables && apt-get install busybox nftables", got.Install},
		"cut":       {true, got.Cut},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

// TestUnable: a machine that could not run its shard cuts the whole short, unless none could run theirs.
func TestUnable(t *testing.T) {
	all := shards()
	all[1].Unable = "no user namespaces"
	got, err := Shards(all)
	problems := []string{"shard 2/3: no user namespaces"}
	if err != nil || got.Unable != "" || !got.Cut || !slices.Equal(got.Problems, problems) {
		t.Errorf("one: %v, %+v", err, got)
	}
	for i := range all {
		all[i].Unable = "no user namespaces"
	}
	if got, err := Shards(all); err != nil || got.Unable != "no user namespaces" || got.Cut || got.Problems != nil {
		t.Errorf("all: %v, %+v", err, got)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(all []reports.Saved) []reports.Saved
		want   string
	}{
		"one missing": {func(all []reports.Saved) []reports.Saved { return all[1:] }, "merge the shards: shard 1/3 missing"},
		"two missing": {func(all []reports.Saved) []reports.Saved { return all[1:2] },
			"merge the shards: shards 1/3 and 3/3 missing"},
		"no shard": {func(all []reports.Saved) []reports.Saved { all[1].Shard = nil; return all },
			"merge 2.json: it is no shard: its run was made without --shard"},
		"of another number": {func(all []reports.Saved) []reports.Saved { all[2].Shard.Of = 4; return all },
			"merge 1.json and 3.json: one is shard 1/3 and the other shard 3/4"},
		"a driver less": {func(all []reports.Saved) []reports.Saved { all[2].Shard.Describe(plan()[:5]); return all },
			"merge 1.json and 3.json: they are shards of different plans: only the first has c.netlink"},
		"a driver more": {func(all []reports.Saved) []reports.Saved {
			all[2].Shard.Describe(append(plan(), reports.Suite{ID: "d", Driver: "busybox"}))
			return all
		}, "merge 1.json and 3.json: they are shards of different plans: only the second has d.busybox"},
		"another order": {func(all []reports.Saved) []reports.Saved {
			other := plan()
			slices.Reverse(other)
			all[2].Shard.Describe(other)
			return all
		}, "merge 1.json and 3.json: they are shards of different plans: their order differs (--seed)"},
		"a case less": {func(all []reports.Saved) []reports.Saved {
			other := plan()
			other[0].Cases = other[0].Cases[1:]
			all[2].Shard.Describe(other)
			return all
		}, "merge 1.json and 3.json: they are shards of different plans: their cases or the values of variables differ"},
		"other results": {func(all []reports.Saved) []reports.Saved {
			again := shards()[1]
			again.File, again.Suites[0].Cases[1].Outcome = "again.json", scenario.Fail
			return append(all, again)
		}, "merge 2.json and again.json: both are shard 2/3, with different results of b.iproute2 “Two”: pass and fail; " +
			"leave out the one that does not count"},
		"the same results of another run": {func(all []reports.Saved) []reports.Saved {
			again := shards()[1]
			again.File, again.Started = "again.json", time.Now()
			return append(all, again)
		}, "merge 2.json and again.json: both are shard 2/3, of different runs; leave out the one that does not count"},
		"a suite twice": {func(all []reports.Saved) []reports.Saved {
			all[1].Suites = append(all[1].Suites, all[0].Suites[0])
			return all
		}, "merge 1.json and 2.json: both have the suite a.iproute2"},
		"a foreign suite": {func(all []reports.Saved) []reports.Saved {
			all[1].Suites = append(all[1].Suites, reports.Suite{ID: "d"})
			return all
		}, "merge 2.json: the suite d is not in its plan"},
		"a suite that is gone": {func(all []reports.Saved) []reports.Saved {
			all[1].Suites = all[1].Suites[:1]
			return all
		}, "merge the shards: none has the suite b.netlink of their plan"},
		"a case that is gone": {func(all []reports.Saved) []reports.Saved {
			all[1].Suites[0].Cases = all[1].Suites[0].Cases[:1]
			return all
		}, "merge the shards: they do not have the cases of their plan"},
	} {
		if r, err := Shards(c.change(shards())); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, %v\nwant %s", name, r, err, c.want)
		}
	}
}

// TestPlanSum: the sum of a plan depends on its cases and variables, and not on their results.
func TestPlanSum(t *testing.T) {
	sum := func(suites []reports.Suite) string {
		var s reports.Shard
		s.Describe(suites)
		return s.Plan
	}
	failed, other := plan(), plan()
	failed[0].Cases[0].Outcome = scenario.Fail
	other[0].Variables = []reports.Property{{Name: "net", Value: "10.1"}}
	if sum(plan()) != sum(failed) || sum(plan()) == sum(other) || len(sum(nil)) != 64 || strings.Contains(sum(nil), " ") {
		t.Errorf("the sums are %s, %s, %s", sum(plan()), sum(failed), sum(other))
	}
}
