package lab

import (
	"context"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
)

// Awaited is the verdict of a check and the time until it was reached.
type Awaited struct {
	scenario.Verdict
	Waited time.Duration
}

// Await evaluates the checks repeatedly until each has passed once or its limit has expired. A negative check is judged
// only when the state has settled, unless it is to be judged at once. Checks of counters and events come first, on
// their own, because the probes of other checks would count as traffic.
func (l *Lab) Await(ctx context.Context, checks []scenario.Check, base *Baseline) []Awaited {
	results := make([]Awaited, len(checks))
	var counted, others []*awaiting
	for i, c := range checks {
		a := newAwaiting(c, &results[i])
		if c.Claim.Needs().Class == claim.BySince {
			counted = append(counted, a)
		} else {
			others = append(others, a)
		}
	}
	l.await(ctx, counted, base)
	l.await(ctx, others, base)
	return results
}

// awaiting is a check that has not passed yet.
type awaiting struct {
	check  scenario.Check
	result *Awaited
	limit  time.Duration
	// patience is how long it waits for the state to settle: its limit, or longer if it has none of its own and the
	// kernel may take longer.
	patience time.Duration
	// settled is set when the check may be judged: it is not a negative one, or the state has settled once.
	settled bool
	// falseSince is since when it is false in a lab that rests.
	falseSince time.Time
	// last is set when it is judged for the last time, in a lab that was seen to rest before.
	last bool
	// doubtful is since when it waits for nothing but what may stay as it is.
	doubtful time.Time
}

// newAwaiting is a check that begins to wait.
func newAwaiting(c scenario.Check, result *Awaited) *awaiting {
	a := &awaiting{check: c, result: result, limit: paced(scenario.DefaultLimit)}
	if c.Within > 0 {
		a.limit = paced(c.Within)
	}
	a.patience = a.limit
	a.settled = c.AtOnce || !claim.Negative(c.Claim)
	return a
}

// await is Await for checks that are evaluated together.
func (l *Lab) await(ctx context.Context, open []*awaiting, base *Baseline) {
	start := time.Now()
	for pause := time.Millisecond; len(open) > 0; pause = min(2*pause, 50*time.Millisecond) {
		k := &look{lab: l, base: base}
		ready, still := k.settled(ctx, open, start)
		checks := make([]scenario.Check, len(ready))
		for i, a := range ready {
			checks[i] = a.check
			k.last = k.last || a.last
		}
		for i, v := range k.evaluateAll(ctx, checks, true) {
			a, waited := ready[i], time.Since(start)
			*a.result = Awaited{v, waited}
			if v.Outcome != scenario.Pass && waited < a.limit && !k.final(ctx, a) {
				still = append(still, a)
			}
		}
		if open = still; len(open) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			for _, a := range open {
				a.result.Verdict = unjudged(a.check.Claim, context.Cause(ctx))
			}
			return
		case <-time.After(pause):
		}
	}
}
