// Package scenario is the scenario language: it parses a Markdown file into a Scenario, with claims from the task lists
// and commands from the console blocks, and defines the results of playing one. It is pure: anybody may import it, and
// it never touches the kernel, the file system or another program.
package scenario

import (
	"iter"
	"net/netip"
	"slices"
	"time"
)

// Kind is the purpose of a scenario.
type Kind string

const (
	Lesson      Kind = "lesson"
	Challenge   Kind = "challenge"
	Conformance Kind = "conformance"
)

// Scenario is one file of the catalogue.
type Scenario struct {
	ID string
	// IDLine is the line of the id, 1 if it is the name of the file.
	IDLine   int
	Title    string
	Kind     Kind
	Level    int
	Requires []string
	// RequiresLines are the line numbers of Requires, in the same order.
	RequiresLines []int
	Host          Host
	Vars          []Var
	// Points are those of the front matter, or the sum of the steps'. 0 means none.
	Points int
	// PointsLine is the line of the points of the front matter, 0 if it has none.
	PointsLine int `json:",omitempty"`
	// Setup builds the starting state. It is nil if there is none, and has no checks.
	Setup *Section
	Steps []Step
	// File is the path of the file, for messages.
	File string
	// Source is the Markdown text, before variables are replaced.
	Source string `json:"-"`
}

// Host is the starting state of the lab's host namespace.
type Host struct {
	Interfaces []HostInterface // in the order of the file
	Routes     []HostRoute
}

// HostInterface is a link of the host namespace. It is up and has carrier.
type HostInterface struct {
	Name      string
	Addresses []netip.Prefix
	Line      int
}

// HostRoute is a route in the syntax of `ip route add`.
type HostRoute struct {
	Text string
	Line int
}

// Var is a variable of the front matter and its value in this scenario.
type Var struct {
	Name, Default, Value string
	// Choices are the values that Values may choose, as they are written: words, and words with ranges such as
	// 10.{1..200}.0.0/24. There are none if the front matter has a single value without a range.
	Choices []string
	Line    int
}

// Section is a step, a mistake or the set-up: its commands, checks and hints.
type Section struct {
	Title string
	// Line is the line of the heading, End the last line before the next section.
	Line, End int

	Blocks []Block
	Checks []Check
	Hints  []Hint
}

// OnlyLooks reports whether all checks of a section hold before it, too: it changes nothing that they tell.
func (s *Section) OnlyLooks() bool {
	return !slices.ContainsFunc(s.Checks, func(c Check) bool { return !c.Before })
}

// Blocks are all console blocks, in the order of the sections: of each step its own, then those of its mistakes.
func (sc *Scenario) Blocks() iter.Seq[Block] {
	sections := [][]Block{}
	if sc.Setup != nil {
		sections = append(sections, sc.Setup.Blocks)
	}
	for _, step := range sc.Steps {
		sections = append(sections, step.Blocks)
		for _, m := range step.Mistakes {
			sections = append(sections, m.Blocks, m.Fix)
		}
	}
	return slices.Values(slices.Concat(sections...))
}

// Conditional are the features on which blocks depend, each once.
func (sc *Scenario) Conditional() (features []string) {
	for b := range sc.Blocks() {
		for _, c := range b.Conditions {
			if f := c.Feature(); f != "" && !slices.Contains(features, f) {
				features = append(features, f)
			}
		}
	}
	return features
}

// Step is a section with its mistakes.
type Step struct {
	Section
	// Points are what a learner gets for the step; 0 means none.
	Points int
	// PointsLine is the line that says so, 0 if there is none.
	PointsLine int `json:",omitempty"`
	Mistakes   []Mistake
}

// Mistake is a wrong turn at a step, and its fix.
type Mistake struct {
	Section
	// Fix are the `console fix` blocks. If empty, the step's own commands fix the mistake.
	Fix []Block
	// Undo is set if the fix leads back to the start of the step, whose own commands then run.
	Undo bool
}

// Hint is one `> [!TIP]` alert as Markdown, without the quote marks.
type Hint struct {
	Text      string
	Line, End int
}

// Block is one console block.
type Block struct {
	Line, End int // of the fences
	// Drivers are the drivers that the block is for; empty means all.
	Drivers []string
	// Errno is the name after errno=, such as ENODEV, or "".
	Errno      string
	Partial    bool
	Conditions []Condition
	Commands   []Command
}

// Condition is a range of versions that a block is for, `kernel>=6.2`, or a feature with or without which it is played:
// `with=veth`.
type Condition struct {
	Subject string // kernel, iproute2, busybox; with, without
	Op      string // >=, <=, <, >, =; of a feature always =
	Value   string // a version, or the name of a feature
}

// Status is the expected exit status of a command.
type Status struct {
	// Any is `[!]`: any status except 0. Code is then ignored.
	Any  bool
	Code int
}

// Refusal reports whether the command is expected to be refused.
func (s Status) Refusal() bool { return s.Any || s.Code != 0 }

// Command is one line of a console block that starts with `$ `.
type Command struct {
	Line int
	// Text is the command as written, continuation lines joined.
	Text string
	Argv []string
	// Compared is set if the output is compared with Output. Otherwise any output is right.
	Compared bool
	Output   []string
	// OutputLine is the line of the first line of Output, or where it would be.
	OutputLine int
	Status     Status
	// Apart asks the driver for what the command prints on standard error, in Exchange.Stderr.
	Apart bool `json:"-"`
}

// Silent reports whether the command is expected to print nothing: `(nothing)`.
func (c Command) Silent() bool { return c.Compared && len(c.Output) == 0 }

// Check is one task-list item.
type Check struct {
	Line, End int
	// Text is the sentence as written, code spans in backquotes, without the limit and `at once`.
	Text string
	// Before is `[x]`: the check must be true before the section's commands, too.
	Before bool
	Claim  Claim `json:"-"` // see UnmarshalJSON
	// Within is the limit of the check, 0 for DefaultLimit.
	Within time.Duration
	// AtOnce is set if a negative check does not wait until the state has settled.
	AtOnce bool `json:",omitempty"`
	// Fail is what a learner is told if the check is not true.
	Fail Note
}

// Note is the text of a comment of the author, and its lines; the zero Note if there is none.
type Note struct {
	Text      string
	Line, End int
}

// DefaultLimit is how long a check may take to become true.
const DefaultLimit = 2 * time.Second
