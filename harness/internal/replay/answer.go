package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/grade"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/scenario"
)

// Limits of the texts of a result, in bytes.
const (
	maxText  = 1 << 10
	maxSaid  = 4 << 10
	maxLines = 20
)

// Result is an answer, which came out of a sandbox, as the result of a learner's work in a scenario. It is an error if
// the answer cannot be true.
func (a Answer) Result(sc *scenario.Scenario) (grade.Result, error) {
	var r grade.Result
	switch done := !slices.Contains(a.Passed, false); {
	case len(a.Passed) != len(sc.Steps):
		return r, fmt.Errorf("the replay tells of %d steps, there are %d", len(a.Passed), len(sc.Steps))
	case a.First == nil && !done, a.First != nil && done:
		return r, errors.New("the replay tells a cause without an open step, or an open step without a cause")
	case a.First != nil && (a.First.Step < 1 || a.First.Step > len(sc.Steps) || a.Passed[a.First.Step-1]):
		return r, errors.New("the replay tells the cause of a step that is not open")
	}
	r = grade.Result{Passed: a.Passed, Trouble: brief(a.Trouble), Said: untrusted.Cut(a.Said, maxSaid)}
	if a.First != nil {
		first := *a.First
		first.Check, first.Found, first.Note = brief(first.Check), brief(first.Found), brief(first.Note)
		first.Cause = slices.Clone(first.Cause[:min(len(first.Cause), maxLines)])
		for i := range first.Cause {
			first.Cause[i] = brief(first.Cause[i])
		}
		r.First = &first
	}
	return r, nil
}

func brief(text string) string { return untrusted.Cut(strings.TrimSpace(text), maxText) }
