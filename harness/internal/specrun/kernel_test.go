package specrun

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// complaining is a kernel that complains while each case runs whose name is in it.
type complaining struct {
	sync.Mutex
	during  map[string]int // how many times, by a part of the name
	running map[string]bool
}

func (k *complaining) Begin(name string) {
	k.Lock()
	defer k.Unlock()
	k.running[name] = true
}

func (k *complaining) End(name string) (told []scenario.Problem, log []string) {
	k.Lock()
	defer k.Unlock()
	if !k.running[name] {
		return []scenario.Problem{{Message: "the end of what did not run: " + name}}, nil
	}
	delete(k.running, name)
	for part, times := range k.during {
		if strings.Contains(name, part) && times > 0 {
			k.during[part]--
			told, log = append(told, scenario.Problem{Message: "a BUG"}), append(log, "[    1.000000] BUG: "+part)
		}
	}
	return told, log
}

func (k *complaining) Words() string { return "read" }

// TestKernel: a complaint of the kernel fails the case that ran, whatever that says of itself.
func TestKernel(t *testing.T) {
	for name, c := range map[string]struct {
		options  Options
		titles   []string
		during   map[string]int
		want     []string
		problems []string
	}{
		"nothing": {titles: []string{"passes", "fails"}, want: []string{"netlink/passes: pass",
			"netlink/fails: fail it failed"}},
		"in what passes": {titles: []string{"one passes", "two passes"}, during: map[string]int{"“two": 1},
			want: []string{"netlink/one passes: pass", "netlink/two passes: fail a BUG"}},
		"in what fails": {titles: []string{"fails"}, during: map[string]int{"fails": 1},
			want: []string{"netlink/fails: fail it failed a BUG"}},
		"in an error": {titles: []string{"limited"}, during: map[string]int{"limited": 1},
			want: []string{"netlink/limited: error no more files a BUG"}},
		"in the first of two plays": {options: Options{Repeat: 2}, titles: []string{"passes"},
			during: map[string]int{"passes": 1}, want: []string{"netlink/passes: fail a BUG"}},
		"and another play passes, which may": {options: Options{Retries: 1, FlakyPasses: true}, titles: []string{"passes"},
			during: map[string]int{"passes": 1}, want: []string{"netlink/passes: fail a BUG"}},
		"and it passes when it is played once more, which may": {options: Options{FlakyPasses: true,
			Evidence: func(Failure) (string, error) { return "", nil }}, titles: []string{"passes"},
			during: map[string]int{"passes": 1}, want: []string{"netlink/passes: fail a BUG"}},
		"while a worker dies": {titles: []string{"exits"}, during: map[string]int{"exits": 1},
			want:     []string{"netlink/exits: error the worker ended before its specs did"},
			problems: []string{"“exits”: unit-N.md:3: a BUG"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := &complaining{during: c.during, running: map[string]bool{}}
			o := c.options
			o.Kernel, o.Start, o.Grace = k, start, time.Minute
			var failed []reports.Case
			o.Ended = func(_ reports.Suite, c reports.Case) { failed = append(failed, c) }
			u := unit(t, c.titles...)
			r := Run(t.Context(), mustPlan(t, u), o)
			same(t, outcomes(r), c.want)
			if len(k.running) > 0 {
				t.Errorf("they never ended: %v", k.running)
			}
			for _, want := range c.problems {
				want = strings.ReplaceAll(want, "unit-N", u.Unit)
				if !slices.ContainsFunc(r.Problems, func(p string) bool { return strings.Contains(p, want) }) {
					t.Errorf("the problems of the run are %q, without %q", r.Problems, want)
				}
			}
			for _, k := range failed {
				for _, p := range k.Problems {
					if p.Message == "a BUG" && (p.File != k.File || p.Line != k.Line || p.Line == 0) {
						t.Errorf("it stands at %s:%d, not at %s:%d", p.File, p.Line, k.File, k.Line)
					}
				}
			}
		})
	}
}
