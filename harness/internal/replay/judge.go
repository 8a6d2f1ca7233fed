package replay

import (
	"cmp"
	"context"
	"slices"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/grade"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// judge finds out which steps are done.
type judge struct {
	lab    *lab.Lab
	live   *lab.Live // of the first open step
	sc     *scenario.Scenario
	passed []bool
	// at is the index of the first open step.
	at int
	// acted is set once a command has run: without one, not even looking is done.
	acted bool
	// open says of each step that at the beginning one of its checks did not hold. Behind an open one only such steps
	// can be done: the others would be so without any work.
	open []bool
}

func newJudge(ctx context.Context, l *lab.Lab, sc *scenario.Scenario) (*judge, error) {
	j := &judge{lab: l, sc: sc, passed: make([]bool, len(sc.Steps)), open: make([]bool, len(sc.Steps))}
	var err error
	if j.live, err = l.Live(ctx); err != nil {
		return nil, err
	}
	for i := range sc.Steps {
		j.open[i] = slices.ContainsFunc(l.EvaluateAll(ctx, countless(sc.Steps[i].Checks), nil), fails)
	}
	return j, j.begin(ctx)
}

func fails(v scenario.Verdict) bool { return v.Outcome != scenario.Pass }

// counts reports whether a check counts from the beginning of its step.
func counts(checks []scenario.Check) bool { return len(countless(checks)) < len(checks) }

// countless are checks without those that count from the beginning of a step, which can be judged in it alone.
func countless(checks []scenario.Check) []scenario.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c scenario.Check) bool {
		return c.Claim.Needs().Class == claim.BySince
	})
}

// begin begins the first open step.
func (j *judge) begin(ctx context.Context) error {
	if j.at == len(j.sc.Steps) {
		return j.live.Begin(ctx, nil)
	}
	return j.live.Begin(ctx, j.sc.Steps[j.at].Checks)
}

// afterwards is how long a check may take to become true after a command that may be followed by another at once.
const afterwards = 60 * time.Millisecond

// look looks at the open steps after a command.
func (j *judge) look(ctx context.Context) {
	j.acted = true
	s := j.current(ctx, false)
	if s == nil || j.at < len(j.sc.Steps) && counts(j.sc.Steps[j.at].Checks) {
		return // the packets of other checks would be counted
	}
	for i := j.at + 1; i < len(j.sc.Steps); i++ {
		if !j.passed[i] && j.open[i] && j.holds(ctx, i, s) {
			j.passed[i] = true
		}
	}
}

// upTo judges the steps up to number n, when the commands that belong to them have ended.
func (j *judge) upTo(ctx context.Context, n int) {
	for j.at < min(n, len(j.sc.Steps)) {
		before := j.at
		if j.current(ctx, true); j.at == before {
			return
		}
	}
}

// limitOf is how long the checks of a step may take to become true.
func limitOf(checks []scenario.Check) time.Duration {
	limit := scenario.DefaultLimit
	for _, c := range checks {
		limit = max(limit, c.Within)
	}
	return limit
}

// current judges the first open step, and those after it as long as they are done, and returns the state; nil if it
// cannot be read. A step that is not done has a moment to become so, or longer if the kernel is about to change
// something; patient is for a step whose commands have ended, which has the limit of its checks.
func (j *judge) current(ctx context.Context, patient bool) *state.State {
	begun := time.Now()
	for asked := false; ; {
		verdicts, s, err := j.live.Judge(ctx, lab.Change{Heard: j.live.Take(), Command: true, Asked: asked}, nil)
		if err != nil {
			return nil
		}
		if j.at == len(j.sc.Steps) {
			return s
		}
		checks := j.sc.Steps[j.at].Checks
		if !slices.ContainsFunc(verdicts, fails) && (j.acted || !j.sc.Steps[j.at].OnlyLooks()) {
			j.passed[j.at] = true
			for j.at < len(j.passed) && j.passed[j.at] {
				j.at++
			}
			if j.begin(ctx) != nil {
				return nil
			}
			begun, asked = time.Now(), false
			continue
		}
		limit := afterwards
		switch {
		case patient:
			limit = limitOf(checks)
		case len(s.Pending()) > 0:
			limit = scenario.DefaultLimit
		}
		if time.Since(begun) >= limit {
			return s
		}
		select {
		case <-ctx.Done():
			return s
		case <-time.After(10 * time.Millisecond):
		}
		asked = patient
	}
}

// holds reports whether all checks of a step behind an open one hold now. The network is asked only if the state does
// not rule the answer out.
func (j *judge) holds(ctx context.Context, i int, s *state.State) bool {
	var asked []scenario.Check
	for _, c := range j.sc.Steps[i].Checks {
		needs := c.Claim.Needs()
		switch {
		case needs.Class == claim.BySince:
			return false
		case needs.Question != nil:
			asked = append(asked, c)
		case fails(lab.Judge(s, c.Claim)):
			return false
		}
	}
	for _, c := range asked {
		if c.Claim.Needs().Class == claim.ByAnswer && len(j.lab.Diagnosis(ctx, c.Claim)) > 0 {
			return false
		}
	}
	return len(asked) == 0 || !slices.ContainsFunc(j.lab.EvaluateAll(ctx, asked, nil), fails)
}

// last judges all open steps when the work has ended, and returns the first check that does not hold; nil if there is
// none.
func (j *judge) last(ctx context.Context) *grade.Open {
	j.current(ctx, true)
	if j.at == len(j.sc.Steps) {
		return nil
	}
	first := j.first(ctx)
	s, err := j.lab.Whole(ctx)
	for i := j.at + 1; i < len(j.sc.Steps) && err == nil; i++ {
		j.passed[i] = j.passed[i] || j.open[i] && j.holds(ctx, i, s)
	}
	return first
}

// first is the first check of the first open step that does not hold, and why.
func (j *judge) first(ctx context.Context) *grade.Open {
	checks := j.sc.Steps[j.at].Checks
	open := &grade.Open{Step: j.at + 1}
	verdicts, _, err := j.live.Judge(ctx, lab.Change{Command: true, Asked: true}, nil)
	if err != nil {
		open.Check, open.Found = checks[0].Text, err.Error()
		return open
	}
	i := slices.IndexFunc(verdicts, fails)
	if i < 0 {
		open.Check, open.Found = checks[0].Text, "it holds, but nothing was done"
		if j.acted { // it has become true since the step was judged
			open.Found = "it did not hold in time"
		}
		return open
	}
	open.Check, open.Note = checks[i].Text, checks[i].Fail.Text
	open.Found = cmp.Or(verdicts[i].Found, verdicts[i].Reason)
	open.Cause = j.lab.Diagnosis(ctx, checks[i].Claim)
	return open
}
