package answer

import (
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// cause is what the diagnosis says of the first open check of reachability.
func (s *search) cause() *sitting.Answer {
	if !s.due() {
		return nil
	}
	for _, i := range s.open {
		if c := s.diagnosis(i); c != nil {
			return told(i, c)
		}
	}
	return nil
}

// diagnosis is why a check of reachability is not true; nil for other checks, and if the diagnosis finds no cause or is
// in doubt.
func (s *search) diagnosis(check int) *diagnose.Cause {
	c, ok := s.step.Checks[check].Claim.(interface{ Unreached() (diagnose.Query, bool) })
	if !ok || s.Whole == nil {
		return nil
	}
	q, ok := c.Unreached()
	if !ok {
		return nil
	}
	r := diagnose.Diagnose(s.Whole, q)
	if len(r.Doubts) > 0 {
		return nil
	}
	return r.Cause
}

// told is a cause with its evidence and its repair.
func told(check int, c *diagnose.Cause) *sitting.Answer {
	a := &sitting.Answer{Kind: Cause, Check: check, Title: term.OneLine(c.Says), Name: c.Name.String(),
		Repair: term.OneLine(strings.Join(c.Repair, "; "))}
	if len(c.Evidence) > 0 {
		var lines []string
		for _, e := range c.Evidence {
			e = strings.ReplaceAll(term.Cut(term.OneLine(e), 200, "…"), "`", "'")
			lines = append(lines, "- `"+e+"`") // code, which is nothing but text, and wraps between words
		}
		a.Text = strings.Join(lines, "\n")
	}
	return a
}

// judged is the state by which a claim can be judged, nil if a state is not enough or was not read.
func (s *search) judged(c claim.Claim) *state.State {
	if _, decided := s.holds(c, s.After, s.Whole); !decided {
		return nil
	}
	if c.Needs().Class == claim.ByWhole {
		return s.Whole
	}
	return s.After
}
