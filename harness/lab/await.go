package lab

import (
	"context"
	"time"

	"netnscheck/harness/scenario"
)

// Awaited is the verdict of a check and how long it took to become so.
type Awaited struct {
	scenario.Verdict
	Waited time.Duration
}

// Await looks at the checks again and again until each was true once or its limit has passed.
func (l *Lab) Await(ctx context.Context, checks []scenario.Check, base *Baseline) []Awaited {
	results := make([]Awaited, len(checks))
	start := time.Now()
	open := make([]int, len(checks))
	for i := range checks {
		open[i] = i
	}
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
			break
		}
		select {
		case <-ctx.Done():
			for _, k := range open {
				results[k].Verdict = unjudged(checks[k].Claim, context.Cause(ctx))
			}
			return results
		case <-time.After(pause):
		}
	}
	return results
}

func limit(c scenario.Check) time.Duration {
	if c.Within > 0 {
		return c.Within
	}
	return scenario.DefaultLimit
}
