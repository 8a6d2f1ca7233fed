package lab

import (
	"context"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario"
)

// Diagnosis says why a claim that something is reached is false, in lines for a report: the cause, what proves it, what mends it. It is
// empty for other claims, where nothing is found, and where the state cannot be read: the check has failed all the same.
func (l *Lab) Diagnosis(ctx context.Context, claim scenario.Claim) []string {
	var q diagnose.Query
	switch c := claim.(type) {
	case scenario.Reaches:
		if c.Not {
			return nil
		}
		q = diagnose.Query{From: c.Netns, Source: c.From, To: c.Dest, Size: c.Bytes}
	case scenario.Connects:
		if c.Outcome != scenario.ConnectOK {
			return nil
		}
		q = diagnose.Query{From: c.Netns, To: c.Dest, Port: uint16(c.Port)}
	default:
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
