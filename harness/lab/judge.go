package lab

import (
	"errors"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Judge evaluates a claim against a state. A claim that needs an answer of the kernel or the network (a route lookup,
// an echo, a sysctl) is an error; Lab.Evaluate evaluates those too.
func Judge(s *state.State, c claim.Claim) scenario.Verdict {
	if c.Needs().Question != nil {
		return unjudged(c, errors.New("it needs a lab, a state is not enough"))
	}
	return verdict(c, c.Judge(claim.Evidence{State: s}))
}

func verdict(c claim.Claim, f claim.Finding) scenario.Verdict {
	if f.Err != nil {
		return unjudged(c, f.Err)
	}
	v := scenario.Verdict{Outcome: scenario.Fail, Expected: c.Sentence(), Found: f.Found}
	if f.Holds {
		v.Outcome = scenario.Pass
	}
	return v
}

func unjudged(c claim.Claim, err error) scenario.Verdict {
	return scenario.Verdict{Outcome: scenario.Error, Expected: c.Sentence(), Reason: err.Error()}
}
