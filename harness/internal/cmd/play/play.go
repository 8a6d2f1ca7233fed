package play

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/kernellog"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// grace is the time for a worker to clean up after the run was stopped.
const grace = 10 * time.Second

// Session is one run of a plan.
type Session struct {
	Settings  Settings
	Plan      []specrun.Planned
	Whole     []reports.Suite   // what is planned, with the other shards
	LeftOut   []reports.LeftOut // drivers
	Demands   *Demands          // nil if nothing is demanded
	Expect    Expectations
	Sandboxed bool
	Evidence  *Evidence // nil if none is to be kept
	Told      *reports.Sinks
}

// Ending is how a run ended, apart from the results of its cases.
type Ending struct {
	Unable error // this machine cannot run anything
	Cut    bool  // it was cut short, not by its cases
}

// Run runs the plan and returns all results, also after an interruption.
func (s *Session) Run(ctx context.Context) (*reports.Run, Ending) {
	var timeUp error
	if s.Settings.Timeout > 0 {
		var cancel context.CancelFunc
		timeUp = fmt.Errorf("after %v (--timeout)", s.Settings.Timeout)
		ctx, cancel = context.WithTimeoutCause(ctx, s.Settings.Timeout, timeUp)
		defer cancel()
	}
	pace, err := machine.Pace(ctx, s.Sandboxed)
	if err != nil { // what keeps it from being measured keeps labs from being made, and is told by them
		pace = 1
	}
	var suites []reports.Suite
	for i := range s.Plan {
		s.Plan[i].Job.Shared, s.Plan[i].Job.Pace = !s.Sandboxed, pace
		suites = append(suites, s.Plan[i].Suites...)
	}
	s.Told.Plan(suites)
	if s.Settings.UntilFailure {
		return s.untilFailure(ctx, pace, timeUp)
	}
	return s.play(ctx, pace, s.Told.Begin, s.Told.End)
}

// play plays everything once, and tells of each case when it begins and when it has ended.
func (s *Session) play(ctx context.Context, pace float64, begin, end func(reports.Suite, reports.Case)) (*reports.Run,
	Ending) {
	w := worker.NewStarter(s.Plan, s.Sandboxed)
	log := kernellog.Open()
	defer log.Close()
	r := &reports.Run{Started: time.Now(), Properties: properties(&s.Settings, s.Sandboxed, pace)}
	r.Hostname, _ = os.Hostname() // optional in a report
	stale := s.Evidence.clear()
	result := specrun.Run(ctx, s.Plan, specrun.Options{
		Evidence: s.Evidence.keeper(r.Properties), Procs: s.Settings.Procs, Start: w.Start,
		FailFast: s.Settings.FailFast, Grace: grace,
		Retries: s.Settings.Retries, Repeat: s.Settings.Repeat, FlakyPasses: s.Settings.FlakyPasses,
		Started: begin, Ended: end, Kept: s.keep, Judge: s.judge(),
		Kernel: log,
	})
	r.Suites, r.Problems, r.Leftovers = result.Suites, result.Problems, result.Leftovers
	r.Problems = append(r.Problems, log.Strays()...)
	r.Properties = append(r.Properties, reports.Property{Name: "kernel log", Value: log.Words()})
	r.Problems = append(r.Problems, s.Expect.Idle(s.Whole)...)
	if stale != nil {
		r.Problems = append(r.Problems, stale.Error())
	}
	tellLeftOut(r, s.LeftOut)
	if !s.Sandboxed {
		left, err := sweep(w.Kept)
		if err != nil && result.Unable == nil { // without labs the records need not exist
			left = append(left, err.Error())
		}
		r.Leftovers = append(r.Leftovers, left...)
	}
	r.Duration = time.Since(r.Started)
	r.Shard, r.Cut = s.Settings.Shard, result.Cut
	if n := flaky(r); n > 0 && s.Settings.FlakyPasses {
		s.Told.Say("%s failed in one play and passed in another (--flaky pass)", term.Count(n, "case"))
	}
	if s.Evidence != nil && s.Evidence.left > 0 {
		s.Told.Say("evidence is kept of %d cases at most: of %s there is none", mostFolders,
			term.Count(s.Evidence.left, "more case"))
	}
	if result.Unable != nil {
		r.Unable = kernel.Explain(result.Unable).Error()
	}
	ending := Ending{Unable: result.Unable, Cut: result.Cut}
	if ending.Unable == nil && !ending.Cut {
		unmet := s.unmet(r)
		r.Problems, r.Unmet = append(r.Problems, unmet...), len(unmet)
	}
	return r, ending
}

// flaky counts the cases that failed in a play and passed in another.
func flaky(r *reports.Run) (n int) {
	for i := range r.Suites {
		for _, c := range r.Suites[i].Cases {
			if c.Outcome == scenario.Pass && slices.ContainsFunc(c.Attempts, func(a reports.Attempt) bool {
				return a.Outcome == scenario.Fail || a.Outcome == scenario.Error
			}) {
				n++
			}
		}
	}
	return n
}

// judge is what changes the outcomes of cases, nil if nothing does.
func (s *Session) judge() func(*reports.Suite, *reports.Case) {
	if s.Expect.file == nil {
		return nil
	}
	here := s.Expect.Here()
	return func(suite *reports.Suite, c *reports.Case) { s.Expect.Judge(here, suite, c) }
}

func (s *Session) unmet(r *reports.Run) []string {
	if s.Demands == nil {
		return nil
	}
	return s.Demands.Unmet(r)
}

// sweep removes what the dead workers of this run left on the machine. left is what it could not remove, err what it
// could not read.
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
