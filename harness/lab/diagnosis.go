package lab

import (
	"context"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
)

// Diagnosis says why a claim that something is reached is false, in lines for a report: the cause, what proves it, what
// mends it. It is empty for other claims, where nothing is found, and where the state cannot be read: the check has
// failed all the same.
func (l *Lab) Diagnosis(ctx context.Context, failed claim.Claim) []string {
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
	cause := diagnose.Diagnose(s, q).Cause
	if cause == nil {
		return nil
	}
	return cause.Lines()
}
