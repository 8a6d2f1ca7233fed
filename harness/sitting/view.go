// Package sitting is a learner's way through one scenario: which step he is at, which of its checks hold, which hints
// he was told and what that is worth. It judges nothing: verdicts are handed in, and what they mean for the learner
// comes out, as a View for every face and as News for the prompt. It is pure: anybody may import it, and it never
// touches the kernel, the file system or a clock.
package sitting

import (
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// View is what every face shows: the prompt, `lab`, watch, attach. It is JSON on the wire.
type View struct {
	Scenario string // its id
	Title    string
	Kind     scenario.Kind
	// Exam is set if the learner gets no hints, reasons, causes and repairs.
	Exam bool
	// Step is the number of the current step, from 1; len(Steps)+1 if all are done.
	Step  int
	Steps []Step
	// Intro is the Markdown between the step before and the current one, for a learner who reaches it: of the first
	// step the introduction; once all is done, what stands below the last step.
	Intro string
	// Prose is the Markdown of the current step as a learner may see it, without its heading, its checks and its hints;
	// once all is done it is "".
	Prose string
	// Hints are those of the current step that were told so far, as Markdown.
	Hints []string
	// HintsLeft is how many hints the current step still has.
	HintsLeft int
	// Looks is set at a step that only looks and is not done: its checks hold before its commands, too.
	Looks bool
	// Points are those earned so far, OutOf those of all steps. What hints cost is for who grades (Past.Earned), and
	// not taken off.
	Points, OutOf int
	// Answer is what is told about what does not work yet; nil if nothing is, or in an exam.
	Answer *Answer
	// State is for the map, if it was asked for.
	State *state.State `json:",omitempty"`
	// Changed is what the last change was, in the words of state.Diff, for the map's marks.
	Changed []string
}

// Step is one step of a View.
type Step struct {
	Title string
	Done  bool
	// Points are those earned for the step, OutOf those that it is worth.
	Points, OutOf int
	// Hints is how many hints count (Past.Helped).
	Hints int
	// Solved is set if the learner had it solved (`lab solve`); it then earns no points.
	Solved bool
	// Checks are there if the step is the current one or done.
	Checks []Check
}

// Check is one check of a step.
type Check struct {
	// Text is the sentence, code spans in backquotes.
	Text   string
	Status Status
	// Found is what is there instead of what the check expects, or why nothing can be said; "" if it holds.
	Found string
	// Fail is the author's own word for a check that does not hold; "" if it holds, or before the first command.
	Fail string
}

// Status is what is known about a check.
type Status string

const (
	Open      Status = "open"      // not true yet
	Holds     Status = "holds"     // true
	Lost      Status = "lost"      // was true since the step began, and no longer is
	Undecided Status = "undecided" // not judged, or could not be
)

// News is what one change did, for the prompt, which shows at most two lines of it.
type News struct {
	// Changed is the change in the words of state.Diff.
	Changed []string
	// Now are the checks that the change made true or false.
	Now []Check
	// Step is the number of the step that the change was in, from 1, and Steps how many there are; Title is its title.
	Step, Steps int
	Title       string
	// Holding is how many of its checks hold now, of OutOf.
	Holding, OutOf int
	// StepDone is set if the step was done by this change, AllDone if it was the last one.
	StepDone, AllDone bool
	// Answer is what is told about a goal that is still open. The caller sets it, with what Sitting.Tell returns.
	Answer *Answer
}

// Answer is one thing that a learner is told about a goal that is still open.
type Answer struct {
	// Kind is one of those of package answer; or look, of a step that only looks, where something was changed; or deaf,
	// of a lab whose changes are no longer told.
	Kind string
	// Check is the index of the open check that it is about, -1 if it is about none.
	Check int
	// Title is one line: the mistake's title, or what is wrong and where.
	Title string
	// Text is Markdown: the lesson's own words, or the reason.
	Text string
	// Name is the name of the cause, for `harness explain`.
	Name string
	// Repair is a command, "" in a challenge unless the learner asked for the solution.
	Repair string
}
