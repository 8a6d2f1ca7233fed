package specrun

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// TestAgain plays a unit whose second case fails the first time that it is played, and counts its workers.
func TestAgain(t *testing.T) {
	const luck = "netlink/flakes: flaky failed in 1 of "
	for name, c := range map[string]struct {
		options  Options
		titles   []string
		want     []string
		attempts []int // of each case
		workers  int64
	}{
		"once": {Options{}, []string{"passes", "flakes"},
			[]string{"netlink/passes: pass", "netlink/flakes: fail out of luck"}, []int{0, 0}, 1},
		"retries": {Options{Retries: 5}, []string{"passes", "flakes"},
			[]string{"netlink/passes: pass", luck + "2 plays out of luck"}, []int{0, 2}, 2},
		"retries of what passes": {Options{Retries: 5}, []string{"passes"}, []string{"netlink/passes: pass"}, []int{0}, 1},
		"retries of what fails": {Options{Retries: 2}, []string{"fails", "skips"},
			[]string{"netlink/fails: fail it failed", "netlink/skips: skip not here"}, []int{3, 0}, 3},
		"retries of an expected failure": {Options{Retries: 2, Judge: expectFailures}, []string{"fails"},
			[]string{"netlink/fails: xfail expected"}, []int{0}, 1},
		"retries beside what is blocked": {Options{Retries: 2}, []string{"flakes", "blocked"},
			[]string{luck + "2 plays out of luck", "netlink/blocked: blocked needs step 1"}, []int{2, 2}, 2},
		"a pass that fails when another case is retried": {Options{Retries: 2}, []string{"spoils", "flakes"},
			[]string{"netlink/spoils: flaky failed in 1 of 2 plays out of luck", luck + "2 plays out of luck"},
			[]int{2, 2}, 2},
		"flaky passes": {Options{Retries: 2, FlakyPasses: true}, []string{"flakes"},
			[]string{"netlink/flakes: pass failed in 1 of 2 plays"}, []int{2}, 2},
		"repeat": {Options{Repeat: 4}, []string{"passes", "flakes", "skips"},
			[]string{"netlink/passes: pass", luck + "4 plays out of luck", "netlink/skips: skip not here"}, []int{4, 4, 4}, 4},
		"repeat what fails": {Options{Repeat: 2}, []string{"fails"}, []string{"netlink/fails: fail it failed"}, []int{2}, 2},
		"repeat until a failure": {Options{Repeat: 9, FailFast: true}, []string{"passes", "fails"},
			[]string{"netlink/passes: pass", "netlink/fails: fail it failed"}, []int{0, 0}, 1},
		"a worker that dies is no flake": {Options{Retries: 3}, []string{"passes", "exits"},
			[]string{"netlink/passes: pass", "netlink/exits: error the worker ended before its specs did"}, []int{0, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(markVariable, filepath.Join(t.TempDir(), "mark"))
			var workers atomic.Int64
			o, ended := c.options, []string{}
			o.Grace = time.Minute
			o.Start = func(job Job, in, out, stderr *os.File) (Process, error) {
				workers.Add(1)
				return start(job, in, out, stderr)
			}
			o.Ended = func(_ reports.Suite, c reports.Case) { ended = append(ended, c.Name) }
			r := Run(t.Context(), mustPlan(t, unit(t, c.titles...)), o)
			same(t, outcomes(r), c.want)
			slices.Sort(ended)
			same(t, ended, slices.Sorted(slices.Values(c.titles))) // each once
			var attempts []int
			for _, k := range r.Suites[0].Cases {
				attempts = append(attempts, len(k.Attempts))
				for i, a := range k.Attempts {
					if a.Outcome == "" || a.Outcome == scenario.Fail && len(a.Problems) == 0 {
						t.Errorf("attempt %d of %s is %+v", i+1, k.Name, a)
					}
				}
			}
			if fmt.Sprint(attempts) != fmt.Sprint(c.attempts) || workers.Load() != c.workers {
				t.Errorf("%v attempts by %d workers, want %v by %d", attempts, workers.Load(), c.attempts, c.workers)
			}
		})
	}
}

func expectFailures(_ *reports.Suite, c *reports.Case) {
	if c.Outcome == scenario.Fail {
		c.Outcome, c.Reason, c.Problems = scenario.XFail, "expected", nil
	}
}

// TestDecide: the outcome over the plays of a case, by the first letters of theirs.
func TestDecide(t *testing.T) {
	words := map[rune]scenario.Outcome{'p': scenario.Pass, 'f': scenario.Fail, 'e': scenario.Error,
		'b': scenario.Blocked, 's': scenario.Skip}
	for plays, want := range map[string]scenario.Outcome{
		"p": scenario.Pass, "pp": scenario.Pass, "ff": scenario.Fail, "fp": scenario.Flaky, "pf": scenario.Flaky,
		"ep": scenario.Flaky, "ef": scenario.Error, "bp": scenario.Pass, "bf": scenario.Fail, "bb": scenario.Blocked,
		"bfp": scenario.Flaky, "sp": scenario.Pass, "ss": scenario.Skip, "f": scenario.Fail,
	} {
		c := reports.Case{SectionResult: scenario.SectionResult{Outcome: words[rune(plays[0])]}}
		for i, letter := range plays {
			c.Attempts = append(c.Attempts, reports.Attempt{Outcome: words[letter], Reason: fmt.Sprint("play ", i+1),
				Transcript: []scenario.Exchange{{Command: string(letter)}}})
		}
		(&Options{}).decide(&c, false)
		if c.Outcome != want || (len(plays) > 1) != (len(c.Attempts) == len(plays)) {
			t.Errorf("%s: %s with %d attempts, want %s", plays, c.Outcome, len(c.Attempts), want)
		}
		if shown := strings.IndexAny(plays, "fe"); len(plays) > 1 && shown >= 0 &&
			c.Transcript[0].Command != plays[shown:shown+1] {
			t.Errorf("%s: it shows the transcript of %s", plays, c.Transcript[0].Command)
		}
	}
}
