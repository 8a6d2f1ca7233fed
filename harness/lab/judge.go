package lab

import (
	"errors"

	"netnscheck/harness/claim"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Judge evaluates a claim about a state alone. A claim that asks the kernel or the network (a look-up, an echo, a
// sysctl) cannot be judged so and is an error; Lab.Evaluate judges those too.
func Judge(s *state.State, c claim.Claim) scenario.Verdict {
	if c.Needs().Question != nil {
		return unjudged(c, errors.New("it takes a lab, not a state alone"))
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
