package input

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
)

// inVocabulary refuses unknown features in requires. The parser accepts any word there; the known ones are those for
// which internal/kernel has a trial.
func inVocabulary(sc *scenario.Scenario) error {
	var problems scenario.Problems
	for i, feature := range sc.Requires {
		if strings.HasPrefix(feature, "program:") || slices.Contains(kernel.Words(), feature) {
			continue
		}
		message := fmt.Sprintf("bad value of requires: unknown feature %q", feature)
		if near, ok := nearest.Word(feature, kernel.Words()); ok {
			message += ", did you mean " + near + "?"
		}
		problems = append(problems, scenario.Problem{File: sc.File, Line: sc.RequiresLines[i], Message: message})
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}
