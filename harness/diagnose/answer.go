package diagnose

import (
	"slices"
	"strings"

	"netnscheck/harness/diagnose/finding"
	"netnscheck/harness/diagnose/review"
	"netnscheck/harness/state"
)

// Survey is the result of a review.
type Survey struct {
	// Causes are in the order of the namespaces and their links; empty, never nil.
	Causes []Cause `json:"causes"`
	// Unread are the parts of the state that could not be read, each with its namespace; empty, never nil.
	Unread []string `json:"unread"`
}

// Review lists faults in a state, without a query. In a healthy network it finds nothing but remarks.
func Review(s *state.State) Survey {
	return Survey{Causes: append([]Cause{}, review.Of(chartOfState(s))...), Unread: unread(s)}
}

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
	case slices.ContainsFunc(s.Causes, func(c finding.Cause) bool { return !c.Remark() }):
		return Faulty
	case len(s.Unread) > 0:
		return Unsure
	}
	return Sound
}

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
