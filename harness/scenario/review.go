package scenario

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"netnscheck/harness/scenario/operation"
)

// Review finds faults in a parsed scenario that show without a kernel: a step with commands but without a check,
// duplicate titles (reports need stable names), a mistake without a fix, a hint that gives a solution away.
func Review(sc *Scenario) Problems {
	f := &findings{file: sc.File}
	review(f, sc, func(*Section) bool { return false })
	reviewValues(f, sc)
	return f.sorted()
}

// review is Review for a scenario of which some sections could not be read whole: nothing is missed in these.
func review(f *findings, sc *Scenario, faulty func(*Section) bool) {
	solutions := solutions(sc)
	titles := map[string]int{}
	for _, step := range sc.Steps {
		if len(step.Blocks) > 0 && len(step.Checks) == 0 && !faulty(&step.Section) {
			f.add(step.Line, "the step %q has commands but no check", step.Title)
		}
		unique(f, titles, "step", &step.Section)
		reviewHints(f, &step.Section, solutions)
		mistakes := map[string]int{}
		for _, mistake := range step.Mistakes {
			unique(f, mistakes, "mistake", &mistake.Section)
			reviewHints(f, &mistake.Section, solutions)
			if len(mistake.Fix) == 0 && len(step.Blocks) == 0 && !faulty(&step.Section) && !faulty(&mistake.Section) {
				f.add(mistake.Line, "nothing repairs the mistake %q: it has no console fix, and its step no commands",
					mistake.Title)
			}
		}
	}
}

// reviewValues reads the scenario again with other values than the defaults: each choice of a variable, with the first
// and the last number of its ranges. The lines that use it must be right with all of them.
func reviewValues(f *findings, sc *Scenario) {
	const most = 64 // of a variable
	for _, v := range sc.Vars {
		values := v.bounds()
		for _, value := range values[:min(len(values), most)] {
			var problems Problems
			_, err := ParseWith(sc.File, []byte(sc.Source), Values{Set: map[string]string{v.Name: value}})
			if errors.As(err, &problems) {
				f.add(problems[0].Line, "with %s=%s: %s", v.Name, value, problems[0].Message)
			}
		}
	}
}

// unique refuses a duplicate title.
func unique(f *findings, titles map[string]int, what string, s *Section) {
	if first, twice := titles[s.Title]; twice {
		f.add(s.Line, "a second %s with the title %q: the first is in line %d", what, s.Title, first)
		return
	}
	titles[s.Title] = s.Line
}

// solutions are the command lines of steps and fixes that change the state. Others give nothing away.
func solutions(sc *Scenario) []string {
	var lines []string
	known := map[string]bool{}
	add := func(blocks []Block) {
		for _, b := range blocks {
			for _, c := range b.Commands {
				line := strings.Join(strings.Fields(c.Text), " ")
				if !known[line] && changes(c.Argv) {
					lines = append(lines, line)
				}
				known[line] = true
			}
		}
	}
	for _, step := range sc.Steps {
		add(step.Blocks)
		for _, mistake := range step.Mistakes {
			add(mistake.Fix)
		}
	}
	return lines
}

// changes reports whether a command may change the state: all do except those known to be read-only.
func changes(argv []string) bool {
	cmd, err := operation.Parse(argv)
	if err != nil {
		return true
	}
	switch cmd.Op.(type) {
	case operation.Show, operation.SysctlShow, operation.Ping:
		return false
	}
	return true
}

func reviewHints(f *findings, s *Section, solutions []string) {
	for _, hint := range s.Hints {
		text := strings.Join(strings.Fields(hint.Text), " ")
		for _, line := range solutions {
			if containsWhole(text, line) {
				f.add(hint.Line, "the hint contains a whole command line of a solution: %s", line)
			}
		}
	}
}

// containsWhole reports whether a text contains a line that is not part of longer words.
func containsWhole(text, line string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], line)
		if i < 0 {
			return false
		}
		begin, end := at+i, at+i+len(line)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !wordRune(before) && !wordRune(after) {
			return true
		}
		at = begin + 1
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_/", r))
}
