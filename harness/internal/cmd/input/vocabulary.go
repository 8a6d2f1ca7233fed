package input

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
)

// inVocabulary refuses unknown features, in requires and behind with= and without=. The parser accepts any word there;
// the known ones are those for which internal/kernel has a trial.
func inVocabulary(sc *scenario.Scenario) error {
	if problems := unknownFeatures(sc); len(problems) > 0 {
		return problems
	}
	return nil
}

func unknownFeatures(sc *scenario.Scenario) (problems scenario.Problems) {
	look := func(where, feature string, line int) {
		if isKnown(feature) {
			return
		}
		message := fmt.Sprintf("%s: unknown feature %q%s", where, feature, nearest.DidYouMean(feature, kernel.Words()))
		problems = append(problems, scenario.Problem{File: sc.File, Line: line, Message: message})
	}
	for i, feature := range sc.Requires {
		look("bad value of requires", feature, sc.RequiresLines[i])
	}
	for b := range sc.Blocks() {
		for _, c := range b.Conditions {
			if f := c.Feature(); f != "" {
				look("console block: "+c.String(), f, b.Line)
			}
		}
	}
	return problems
}

func isKnown(feature string) bool {
	return strings.HasPrefix(feature, "program:") || slices.Contains(kernel.Words(), feature)
}
