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
	if problems := unknownFeatures(sc); len(problems) > 0 {
		return problems
	}
	return nil
}

func unknownFeatures(sc *scenario.Scenario) (problems scenario.Problems) {
	for i, feature := range sc.Requires {
		if isKnown(feature) {
			continue
		}
		message := fmt.Sprintf("bad value of requires: unknown feature %q%s", feature,
			nearest.DidYouMean(feature, kernel.Words()))
		problems = append(problems, scenario.Problem{File: sc.File, Line: sc.RequiresLines[i], Message: message})
	}
	return problems
}

func isKnown(feature string) bool {
	return strings.HasPrefix(feature, "program:") || slices.Contains(kernel.Words(), feature)
}
