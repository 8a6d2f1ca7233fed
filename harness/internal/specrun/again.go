package specrun

import (
	"context"
	"fmt"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// plays is how often a unit is played at most.
func (o *Options) plays() int { return max(1, o.Repeat, o.Retries+1) }

// holds tells whether nobody learns of the results of a unit before its last play. A case that passes may fail when the
// unit is played again for the sake of another one.
func (o *Options) holds() bool { return o.plays() > 1 }

// expected tells whether a case went wrong as somebody expects.
func (u *unitRun) expected(at place) bool {
	if u.Judge == nil {
		return false
	}
	s := u.suites[at.suite]
	c := s.Cases[at.index]
	u.telling.Lock()
	defer u.telling.Unlock()
	u.Judge(&s, &c)
	return c.Outcome == scenario.XFail
}

func wrong(o scenario.Outcome) bool { return o == scenario.Fail || o == scenario.Error }

// again plays the unit again, each time by a new worker in new labs, and then decides on the cases that were held. It
// is played with all its drivers, since they are compared.
func (u *unitRun) again(ctx context.Context) {
	u.secondPlay(ctx)
	for n := 1; n < u.plays() && ctx.Err() == nil && u.open(); n++ {
		next := u.playAgain(ctx)
		for at := range u.held {
			if next.held[at] {
				c := &u.suites[at.suite].Cases[at.index]
				c.Attempts = append(c.Attempts, attemptOf(&next.suites[at.suite].Cases[at.index]))
				u.accused[at] = append(u.accused[at], next.accused[at]...)
				if u.gathered[at] == nil {
					u.gathered[at] = next.gathered[at]
				}
			}
		}
	}
	for i := range u.suites {
		for j := range u.suites[i].Cases {
			if at := (place{i, j}); u.held[at] {
				u.decide(&u.suites[i].Cases[j], len(u.accused[at]) > 0)
				u.settle(at)
			}
		}
	}
}

// open tells whether there is something to be found out by another play: with Retries while a case that went wrong, and
// is not expected to, has not passed; with Repeat always, except that FailFast ends that with a failure.
func (u *unitRun) open() bool {
	failed, unsettled := false, false
	for at := range u.held {
		c := &u.suites[at.suite].Cases[at.index]
		bad := slices.ContainsFunc(c.Attempts, func(a reports.Attempt) bool { return wrong(a.Outcome) })
		passed := slices.ContainsFunc(c.Attempts, func(a reports.Attempt) bool { return a.Outcome == scenario.Pass })
		failed = failed || bad
		unsettled = unsettled || bad && !passed && !u.expected(at)
	}
	if u.Repeat > 1 {
		return !failed || !u.FailFast
	}
	return unsettled
}

// playAgain plays the unit once more, and holds all results. What went wrong besides them is that of the unit.
func (u *unitRun) playAgain(ctx context.Context) *unitRun {
	next := u.quietly(*u.plan)
	next.Evidence = u.Evidence // asked for, and kept with the first play that failed
	next.work(ctx)
	u.problems = append(u.problems, next.problems...)
	u.leftovers = append(u.leftovers, next.leftovers...)
	u.limited = u.limited || next.limited || next.died != ""
	return next
}

// quietly is a play of a plan of which nobody learns, and which holds all results.
func (u *unitRun) quietly(plan Planned) *unitRun {
	plan.Job.Keep = false
	quiet := &run{Options: Options{Start: u.Start, Grace: u.Grace, Repeat: 2, Kernel: u.Kernel, patience: u.patience},
		stop: u.stop, proven: u.proven}
	return newUnitRun(quiet, &plan)
}

func attemptOf(c *reports.Case) reports.Attempt {
	return reports.Attempt{Outcome: c.Outcome, Problems: c.Problems, Reason: c.Reason, Checks: c.Checks,
		Transcript: c.Transcript, Duration: c.Duration}
}

// decide gives a case the outcome over its attempts: flaky, if it failed and passed, or a pass if such a case may pass.
// One that the kernel has accused in any of them stays failed: the kernel warns once of many things, and then no more.
// Plays in which it was blocked or skipped tell nothing if it was played in another one. A case that was played once
// stays as it is.
func (o *Options) decide(c *reports.Case, accused bool) {
	if len(c.Attempts) < 2 {
		c.Attempts = nil
		return
	}
	bad, good := 0, 0
	first := -1 // the play that the case shows: the first that failed, or that passed, or the first of all
	for i, a := range c.Attempts {
		switch {
		case wrong(a.Outcome):
			if bad++; bad == 1 {
				first = i
			}
		case a.Outcome == scenario.Pass:
			if good++; good == 1 && bad == 0 {
				first = i
			}
		}
	}
	shown := c.Attempts[max(first, 0)]
	c.Outcome, c.Problems, c.Reason, c.Duration = shown.Outcome, shown.Problems, shown.Reason, shown.Duration
	c.Checks, c.Transcript = shown.Checks, shown.Transcript
	if bad > 0 && good > 0 && !accused {
		c.Outcome, c.Reason = scenario.Flaky, fmt.Sprintf("failed in %d of %d plays", bad, bad+good)
		if o.FlakyPasses {
			c.Outcome, c.Problems = scenario.Pass, nil
		}
	}
	held := func(a reports.Attempt) bool { return a.Outcome == scenario.Blocked }
	if bad == 0 && o.Retries > 0 && !slices.ContainsFunc(c.Attempts, held) {
		c.Attempts = nil // it was played again for the sake of others
	}
	for i := range c.Attempts {
		if a := &c.Attempts[i]; a.Outcome == scenario.Pass {
			a.Checks, a.Transcript = nil, nil
		}
	}
}

// hold keeps a result as the first attempt of a case.
func (u *unitRun) hold(at place) {
	c := &u.suites[at.suite].Cases[at.index]
	c.Attempts = []reports.Attempt{attemptOf(c)}
	u.held[at] = true
}
