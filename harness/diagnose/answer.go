package diagnose

import (
	"slices"
	"strings"
)

// Outcome is what a question or a review comes to.
type Outcome int

// The outcomes. A cause is one even if something was not read; that nothing is wrong is known only if everything was.
const (
	Sound  Outcome = iota // nothing is wrong
	Faulty                // a cause was found
	Unsure                // it could not be judged
)

// Outcome is what the question comes to.
func (r *Report) Outcome() Outcome {
	switch {
	case r.Cause != nil:
		return Faulty
	case len(r.Doubts) > 0:
		return Unsure
	}
	return Sound
}

// Outcome is what the review comes to.
func (s *Survey) Outcome() Outcome {
	switch {
	case slices.ContainsFunc(s.Causes, func(c Cause) bool { return !c.Remark() }):
		return Faulty
	case len(s.Unread) > 0:
		return Unsure
	}
	return Sound
}

// Remark says that a review tells the cause as a remark, not as an alarm: a healthy network may have it, or it passes
// by itself.
func (c *Cause) Remark() bool { return c.Passes || c.Name.Remark() }

// Sentence is the answer in one line: the cause, its place and what it says, and what is in doubt.
func (r *Report) Sentence() string {
	words := "the diagnosis finds no cause"
	if c := r.Cause; c != nil {
		words = "the cause is " + c.Name.String() + ", " + c.Place() + ": " + c.Says
	}
	if len(r.Doubts) > 0 {
		words += " (in doubt: " + strings.Join(r.Doubts, "; ") + ")"
	}
	return words
}

// Lines are the cause, what proves it and what fixes it, each line with its label.
func (c *Cause) Lines() []string {
	where := " in "
	if c.Link != "" {
		where = " on "
	}
	lines := []string{"cause:    " + c.Name.String() + where + c.Place() + ": " + c.Says}
	for _, e := range c.Evidence {
		lines = append(lines, "evidence: "+e)
	}
	for _, r := range c.Repair {
		lines = append(lines, "repair:   "+r)
	}
	for _, a := range c.Advice {
		lines = append(lines, "advice:   "+a)
	}
	return lines
}
