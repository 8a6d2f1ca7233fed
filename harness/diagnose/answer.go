package diagnose

import (
	"slices"
	"strings"
)

// Outcome is the outcome of a query or a review.
type Outcome int

// The outcomes. A cause is valid even if something was not read; soundness is known only if everything was read.
const (
	Sound  Outcome = iota // nothing is wrong
	Faulty                // a cause was found
	Unsure                // undecidable: something was not read or not understood
)

// Outcome is the outcome of the query.
func (r *Report) Outcome() Outcome {
	switch {
	case r.Cause != nil:
		return Faulty
	case len(r.Doubts) > 0:
		return Unsure
	}
	return Sound
}

// Outcome is the outcome of the review.
func (s *Survey) Outcome() Outcome {
	switch {
	case slices.ContainsFunc(s.Causes, func(c Cause) bool { return !c.Remark() }):
		return Faulty
	case len(s.Unread) > 0:
		return Unsure
	}
	return Sound
}

// Remark reports whether a review lists the cause without calling the network faulty: a healthy network may have it, or
// it goes away by itself.
func (c *Cause) Remark() bool { return c.Passes || c.Name.Remark() }

// Sentence is the answer in one line: the cause with its place and sentence, and the doubts.
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

// Lines are the cause, its evidence, repair and advice, each line with its label.
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
