package play

import (
	"context"
	"errors"
	"strconv"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// untilFailure plays everything again and again, and tells of the cases of the last round alone: nothing is kept of the
// others.
func (s *Session) untilFailure(ctx context.Context, pace float64, timeUp error) (*reports.Run, Ending) {
	started, said := time.Now(), time.Now()
	r, ending, number := rounds(ctx, timeUp, func() (*reports.Run, Ending) { return s.play(ctx, pace, nil, nil) },
		func(n int) {
			if n&(n-1) == 0 || time.Since(said) > time.Minute { // often at first, then each minute
				said = time.Now()
				s.Told.Say("%s passed, after %s", term.Count(n, "round"), time.Since(started).Round(time.Second/10))
			}
		})
	r.Started, r.Duration = started, time.Since(started)
	r.Properties = append(r.Properties, reports.Property{Name: "rounds", Value: strconv.Itoa(number)})
	s.tell(r)
	return r, ending
}

// rounds plays until a round does not pass or ctx ends, and returns the last round and its number. If ctx ends because
// the time is up, as somebody has planned, that is the last round that was played to its end; if there is none, the run
// was cut short like any other.
func rounds(ctx context.Context, timeUp error, play func() (*reports.Run, Ending), passed func(n int)) (r *reports.Run,
	ending Ending, n int) {
	var last *reports.Run
	for n = 1; ; n++ {
		r, ending = play()
		if last != nil && timeUp != nil && errors.Is(context.Cause(ctx), timeUp) && cutAlone(r, ending) {
			return last, Ending{}, n - 1
		}
		if Verdict(r, ending, nil) != nil {
			return r, ending, n
		}
		last = r
		passed(n)
	}
}

// cutAlone reports whether nothing is wrong with a round but that it was cut short.
func cutAlone(r *reports.Run, e Ending) bool {
	c := r.Count()
	return e.Unable == nil && len(r.Leftovers) == 0 && c.Bad() == c.NotRun
}

// tell tells of each case of a run that has ended.
func (s *Session) tell(r *reports.Run) {
	for _, suite := range r.Suites {
		for _, c := range suite.Cases {
			if c.Outcome == scenario.NotRun && r.Unable != "" {
				continue // told once for the whole run
			}
			if c.Outcome != scenario.NotRun && suite.Absent == "" {
				s.Told.Begin(suite, c)
			}
			s.Told.End(suite, c)
		}
	}
}
