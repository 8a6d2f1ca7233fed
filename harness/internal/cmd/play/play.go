package play

import (
	"context"
	"fmt"
	"os"
	"time"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
	"netnscheck/reports"
)

// grace is how long a worker may take to clean up when the run is stopped.
const grace = 10 * time.Second

// Session is one run of a plan.
type Session struct {
	Settings  Settings
	Plan      []specrun.Planned
	LeftOut   []reports.LeftOut // drivers
	Sandboxed bool
	Told      *reports.Sinks
}

// Ending is how a run ended, beside what came of its cases.
type Ending struct {
	Unable error // this machine cannot run anything
	Cut    bool  // something else than the cases cut it short
}

// Run runs the plan and returns everything that came of it, whatever ended it.
func (s *Session) Run(ctx context.Context) (*reports.Run, Ending) {
	if s.Settings.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.Settings.Timeout,
			fmt.Errorf("after %v (--timeout)", s.Settings.Timeout))
		defer cancel()
	}
	var suites []reports.Suite
	for i := range s.Plan {
		s.Plan[i].Job.Shared = !s.Sandboxed
		suites = append(suites, s.Plan[i].Suites...)
	}
	s.Told.Plan(suites)
	w := worker.NewStarter(s.Plan, s.Sandboxed)
	r := &reports.Run{Started: time.Now(), Properties: properties(s.Settings.Seed, s.Sandboxed)}
	r.Hostname, _ = os.Hostname() // a report without it is as good
	result := specrun.Run(ctx, s.Plan, specrun.Options{
		Procs: s.Settings.Procs, Start: w.Start, FailFast: s.Settings.FailFast, Grace: grace,
		Started: s.Told.Begin, Ended: s.Told.End, Kept: s.keep,
	})
	r.Suites, r.Problems, r.Leftovers = result.Suites, result.Problems, result.Leftovers
	tellLeftOut(r, s.LeftOut)
	if !s.Sandboxed {
		left, err := sweep(w.Kept)
		if err != nil && result.Unable == nil { // where no lab could be made, nothing need be there to be looked at
			left = append(left, err.Error())
		}
		r.Leftovers = append(r.Leftovers, left...)
	}
	r.Duration = time.Since(r.Started)
	return r, Ending{result.Unable, result.Cut}
}

// Verdict is the exit status of a run: what was left behind outweighs everything else, a failure what is less. A run in
// which nothing passed is no success.
func Verdict(r *reports.Run, e Ending) error {
	c := r.Count()
	switch {
	case len(r.Leftovers) > 0:
		return &status.Error{Status: status.Leftover}
	case e.Unable != nil:
		return status.Cannotf("%w", kernel.Explain(e.Unable))
	case e.Cut:
		return &status.Error{Status: status.Cut}
	case c.Bad() > 0 || len(r.Problems) > 0:
		return &status.Error{Status: status.Failed}
	case c.Pass == 0:
		return status.Cannotf("nothing could be run here: all %d cases were skipped", c.Skip)
	}
	return nil
}

// sweep removes what workers of this run, which are dead now, left on the machine. What it cannot remove is left
// behind; the error says what it could not look at.
func sweep(ours func(pid int) bool) (left []string, err error) {
	found, err := netns.Leftovers()
	for _, l := range found {
		if !ours(l.Keeper) {
			continue
		}
		if err := l.Remove(); err != nil {
			left = append(left, err.Error())
		}
	}
	return left, err
}
