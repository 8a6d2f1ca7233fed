package play

import (
	"context"
	"errors"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// TestRounds: the last round is the one that does not pass or, if the time is up, the last one that was complete.
func TestRounds(t *testing.T) {
	const pass, fail, not = scenario.Pass, scenario.Fail, scenario.NotRun
	timeUp, signal := errors.New("after 1h"), errors.New("SIGINT")
	leaves := of(pass, not)
	leaves.Leftovers = []string{"a namespace"}
	whole := of(pass)
	for name, c := range map[string]struct {
		last   *reports.Run // after two that pass
		ending Ending
		cause  error // why the context ended meanwhile
		cut    bool
		number int
		shows  *reports.Run
	}{
		"a failure":                     {of(pass, fail), Ending{}, nil, false, 3, nil},
		"everything skipped":            {of(scenario.Skip), Ending{}, nil, false, 3, nil},
		"the time is up":                {of(pass, not), Ending{Cut: true}, timeUp, false, 2, whole},
		"the time is up with a failure": {of(pass, fail, not), Ending{Cut: true}, timeUp, true, 3, nil},
		"the time is up, and a rest":    {leaves, Ending{Cut: true}, timeUp, true, 3, nil},
		"a signal":                      {of(pass, not), Ending{Cut: true}, signal, true, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancelCause(t.Context())
			defer end(nil)
			played, told := 0, 0
			r, ending, n := rounds(ctx, timeUp, func() (*reports.Run, Ending) {
				if played++; played <= 2 {
					return whole, Ending{}
				}
				if c.cause != nil {
					end(c.cause)
				}
				return c.last, c.ending
			}, func(int) { told++ })
			want := c.shows
			if want == nil {
				want = c.last
			}
			if r != want || ending.Cut != c.cut || n != c.number || told != 2 {
				t.Errorf("round %d, cut %v, %d told: %v", n, ending.Cut, told, r.Count())
			}
		})
	}
	ctx, end := context.WithCancelCause(t.Context())
	end(timeUp)
	if _, ending, n := rounds(ctx, timeUp, func() (*reports.Run, Ending) { return of(not), Ending{Cut: true} },
		func(int) {}); !ending.Cut || n != 1 {
		t.Errorf("without a complete round: round %d, cut %v", n, ending.Cut)
	}
}
