package specrun

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/ginkgo/v2"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// handWritten makes a job of hand-written suites; its unit is a unique tag.
func handWritten() Job { return Job{Unit: fmt.Sprintf("suites-%d", ids.Add(1))} }

// registerHandWritten builds them: specs without a result of their own, and a suite without an id.
func registerHandWritten(tag string) error {
	ginkgo.Describe(tag+".one: Title: of the first", ginkgo.Label("go"), func() {
		ginkgo.It("passes", func() {})
		ginkgo.It("fails", func() { ginkgo.Fail("expected: a\nfound:    b") })
		ginkgo.It("skips", func() {
			ginkgo.AddReportEntry("lacking", scenario.Unavailable{Reason: "not here", Programs: []string{"sleep"}})
			ginkgo.Skip("not here")
		})
		ginkgo.It("panics", func() { panic("out of luck") })
		ginkgo.Context("within", func() {
			ginkgo.It("leaks", func() { ginkgo.DeferCleanup(func() { ginkgo.Fail("testns is still there") }) })
		})
	})
	ginkgo.Describe(tag+" other", ginkgo.Label("go", "second"), func() { ginkgo.It("passes", func() {}) })
	return nil
}

// ofTag are the suites of one unit: the plan also has those that other tests have registered in this process.
func ofTag(all []reports.Suite, tag string) []reports.Suite {
	var ours []reports.Suite
	for _, s := range all {
		if strings.HasPrefix(s.ID, tag+".") || strings.HasPrefix(s.ID, tag+" ") {
			ours = append(ours, s)
		}
	}
	return ours
}

func TestHandWritten(t *testing.T) {
	u := handWritten()
	tag := u.Unit
	plan := mustPlan(t, unit(t, "passes"), u)
	if len(plan) != 2 || plan[1].Job.Unit != tag {
		t.Fatalf("planned %+v", plan)
	}
	r := Run(t.Context(), plan, Options{Start: start, Grace: time.Minute})
	got := map[string][]string{}
	for _, s := range ofTag(r.Suites, tag) {
		got[s.Name()] = []string{s.Title}
		for _, c := range s.Cases {
			reason, _, _ := strings.Cut(c.Describe(), "\n")
			got[s.Name()] = append(got[s.Name()], string(c.Outcome)+" "+c.Name+": "+
				reason[strings.LastIndex(reason, ": ")+1:])
			if !strings.HasSuffix(c.File, "handwritten_test.go") || c.Line == 0 || c.Scenario != s.ID {
				t.Errorf("%s has no place: %+v", c.Name, c.SectionResult)
			}
			if (c.Name == "skips") != slices.Equal(c.Missing, []string{"sleep"}) {
				t.Errorf("%s lacks the programs %q", c.Name, c.Missing)
			}
			if c.Name == "fails" && (len(c.Problems) != 1 || c.Problems[0].Message != "expected: a\nfound:    b" ||
				c.Problems[0].Line == 0) {
				t.Errorf("the failure lost something: %+v", c.Problems)
			}
		}
	}
	want := map[string][]string{
		tag + ".one": {"Title: of the first", "pass passes: ", "fail fails:  a", "skip skips: not here",
			"error panics:  out of luck", "error within leaks:  testns is still there"},
		tag + " other": {tag + " other", "pass passes: "},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	same(t, r.Leftovers, []string{tag + ": testns is still there"})
	if r.Suites[0].Driver == "" || r.Suites[0].Cases[0].Outcome != scenario.Pass {
		t.Errorf("the scenario before the suites: %+v", r.Suites[0])
	}
}

func TestHandWrittenFilters(t *testing.T) {
	for _, c := range []struct {
		labels, focus string
		want          int
	}{{"go", "", 6}, {"second", "", 1}, {"step", "", 0}, {"", "within", 1}, {"go", "nothing", 0}} {
		u := handWritten()
		got := 0
		for _, p := range mustPlanOf(t, filter(t, c.labels, c.focus), u) {
			for _, s := range ofTag(p.Suites, u.Unit) {
				got += len(s.Cases)
			}
		}
		if got != c.want {
			t.Errorf("labels %q, focus %q: %d cases, want %d", c.labels, c.focus, got, c.want)
		}
	}
}
