package answer

import (
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// cause is what the diagnosis says of an open check of reachability: of the one that the last command, a ping, tried,
// else of the first.
func (s *search) cause() *sitting.Answer {
	if !s.due() {
		return nil
	}
	first := -1
	var why *diagnose.Cause
	for _, i := range s.open {
		c := s.diagnosis(i)
		if c != nil && (first < 0 || s.tried(i)) {
			first, why = i, c
			if s.tried(i) {
				break
			}
		}
	}
	if why == nil {
		return nil
	}
	return told(first, why)
}

// tried reports whether the last command is a ping of what a check of reachability is about.
func (s *search) tried(check int) bool {
	if s.sole == nil {
		return false
	}
	ping, ok := s.sole.op.(operation.Ping)
	reaches, too := s.step.Checks[check].Claim.(claim.Reaches)
	return ok && too && reaches.Netns == orHost(s.sole.netns) && reaches.Dest.String() == ping.Dest
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
	r := diagnose.Witnessed(s.Whole, q, s.Witness)
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
