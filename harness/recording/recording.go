// Package recording turns work in a lab into a scenario: the lines that an author types, what the commands answered and
// the states between them become Markdown with console blocks and checks. It is pure: anybody may import it; it runs
// nothing and reads no file (internal/cmd/scenario/record does).
package recording

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Recording is the work on one scenario.
type Recording struct {
	Title string
	// From is the scenario in whose starting state the work began; nil for a host with lo alone.
	From *scenario.Scenario
	// Requires are the features for `requires`, in addition to those of From.
	Requires []string
	Setup    []Command // in addition to that of From
	Steps    []Step
}

// Step is a step with its mistakes.
type Step struct {
	Section
	Mistakes []Mistake
}

// Mistake is a mistake at a step and its fix. Without a fix the step's own commands repair it.
type Mistake struct {
	Section
	Fix []Command
}

// Section is what a step or a mistake consists of.
type Section struct {
	Title    string
	Commands []Command
	// Before and After are the states around the commands.
	Before, After *state.State `json:"-"`
	Checks        []Check
}

// Command is a command and what it answered.
type Command struct {
	Text   string
	Argv   []string
	Status int
	Output string
	// Again is what it printed when everything was run a second time: what differs is not expected of anybody.
	Again string
	// Partial is set if it was refused and changed something all the same.
	Partial bool
}

// Check is a check that was found true after the commands of its section.
type Check struct {
	Sentence string
	// Before is set if it was true before the commands, too.
	Before bool
}

// Lines are the lines from which the recording was made.
func (r *Recording) Lines() (lines []Line) {
	run := func(commands []Command) {
		for _, c := range commands {
			lines = append(lines, Line{Run, c.Text, c.Argv})
		}
	}
	run(r.Setup)
	for _, s := range r.Steps {
		lines = append(lines, Line{Kind: BeginStep, Text: s.Title})
		run(s.Commands)
		for _, m := range s.Mistakes {
			lines = append(lines, Line{Kind: BeginMistake, Text: m.Title})
			run(m.Commands)
			if len(m.Fix) > 0 {
				lines = append(lines, Line{Kind: BeginFix})
				run(m.Fix)
			}
		}
	}
	return lines
}

// AllChecks are the checks of all steps and mistakes.
func (r *Recording) AllChecks() (all []Check) {
	for _, s := range r.Steps {
		all = append(all, s.Checks...)
		for _, m := range s.Mistakes {
			all = append(all, m.Checks...)
		}
	}
	return all
}

// TitleOf is a first title for a scenario: the words of its id.
func TitleOf(id string) string {
	words := strings.ReplaceAll(id, "-", " ")
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}
