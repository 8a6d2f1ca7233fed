package input

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
)

// inVocabulary refuses words of a scenario that no machine can know: the language leaves the features that a scenario requires to the
// kernel's trials, and the causes to the diagnosis, but both vocabularies are closed.
func inVocabulary(sc *scenario.Scenario) error {
	var problems scenario.Problems
	check := func(line int, what, word string, known []string) {
		if slices.Contains(known, word) {
			return
		}
		message := fmt.Sprintf("%s %q", what, word)
		if near, ok := scenario.Nearest(word, known); ok {
			message += ", did you mean " + near + "?"
		}
		problems = append(problems, scenario.Problem{File: sc.File, Line: line, Message: message})
	}
	for i, feature := range sc.Requires {
		if !strings.HasPrefix(feature, "program:") {
			check(sc.RequiresLines[i], "bad value of requires: unknown feature", feature, kernel.Words())
		}
	}
	for _, section := range sections(sc) {
		for _, c := range section.Checks {
			if claim, ok := c.Claim.(scenario.CauseIs); ok {
				check(c.Line, "unknown cause", claim.Cause, causes.Names())
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// sections are the steps and mistakes, in the order of the file.
func sections(sc *scenario.Scenario) []scenario.Section {
	var all []scenario.Section
	for _, step := range sc.Steps {
		all = append(all, step.Section)
		for _, mistake := range step.Mistakes {
			all = append(all, mistake.Section)
		}
	}
	return all
}
