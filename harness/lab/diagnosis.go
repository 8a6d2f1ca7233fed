package lab

import (
	"context"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
)

// Diagnosis explains why a claim of reachability is false, in lines for a report: the cause, its evidence and the fix.
// It is empty for other claims, and if no cause is found or the state cannot be read.
func (l *Lab) Diagnosis(ctx context.Context, failed claim.Claim) []string {
	if d := l.diagnose(ctx, failed); d != nil {
		return d.Cause.Lines()
	}
	return nil
}

// diagnose is the whole diagnosis of a false claim of reachability. It is nil for other claims, and if the state cannot
// be read.
func (l *Lab) diagnose(ctx context.Context, failed claim.Claim) *diagnose.Report {
	c, ok := failed.(interface{ Unreached() (diagnose.Query, bool) })
	if !ok {
		return nil
	}
	q, ok := c.Unreached()
	if !ok {
		return nil
	}
	s, err := l.Whole(ctx)
	if err != nil {
		return nil
	}
	r := diagnose.Witnessed(s, q, l.Witness(ctx, s))
	return &r
}
