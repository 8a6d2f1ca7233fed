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

// Await evaluates the checks repeatedly until each has passed once or its limit has expired. Checks of counters and
// events come first, on their own, because the probes of other checks would count as traffic.
func (l *Lab) Await(ctx context.Context, checks []scenario.Check, base *Baseline) []Awaited {
	results := make([]Awaited, len(checks))
	var counted, others []int
	for i, c := range checks {
		if c.Claim.Needs().Class == claim.BySince {
			counted = append(counted, i)
		} else {
			others = append(others, i)
		}
	}
	l.await(ctx, checks, base, counted, results)
	l.await(ctx, checks, base, others, results)
	return results
}

// await is Await for the checks with the indices in open.
func (l *Lab) await(ctx context.Context, checks []scenario.Check, base *Baseline, open []int, results []Awaited) {
	start := time.Now()
	for pause := time.Millisecond; len(open) > 0; pause = min(2*pause, 50*time.Millisecond) {
		looked := make([]scenario.Check, len(open))
		for i, k := range open {
			looked[i] = checks[k]
		}
		verdicts := l.EvaluateAll(ctx, looked, base)
		waited := time.Since(start)
		var still []int
		for i, k := range open {
			results[k] = Awaited{verdicts[i], waited}
			if verdicts[i].Outcome != scenario.Pass && waited < limit(checks[k]) {
				still = append(still, k)
			}
		}
		if open = still; len(open) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			for _, k := range open {
				results[k].Verdict = unjudged(checks[k].Claim, context.Cause(ctx))
			}
			return
		case <-time.After(pause):
		}
	}
}

func limit(c scenario.Check) time.Duration {
	if c.Within > 0 {
		return c.Within
	}
	return scenario.DefaultLimit
}
