// Package scenario is the language: a Markdown file becomes a Scenario, the sentences of its task lists become claims,
// its console blocks become commands, and what came of them is told in results. It is pure: anybody may import it, it
// imports only claim, state, scenario/operation and nearest, and it never touches the kernel, the file system or
// another program.
package scenario

import (
	"net/netip"
	"time"
)

// Kind says what a scenario is for.
type Kind string

const (
	Lesson      Kind = "lesson"
	Challenge   Kind = "challenge"
	Conformance Kind = "conformance"
)

// Scenario is one file of the catalogue.
type Scenario struct {
	ID       string
	Title    string
	Kind     Kind
	Level    int
	Requires []string
	// RequiresLines are the lines of what is required, in the same order.
	RequiresLines []int
	Host          Host
	Vars          []Var
	// Setup builds the starting state; nil when there is none. It has no checks.
	Setup *Section
	Steps []Step
	// File is the path by which the scenario was read, for messages.
	File string
	// Source is the Markdown text as it was read, variables not replaced.
	Source string `json:"-"`
}

// Host is the starting state of the lab's host namespace.
type Host struct {
	Interfaces []HostInterface // in the order of the file
	Routes     []HostRoute
}

// HostInterface is a link of the host namespace, up, with carrier.
type HostInterface struct {
	Name      string
	Addresses []netip.Prefix
	Line      int
}

// HostRoute is a route as `ip route add` takes it, in words.
type HostRoute struct {
	Text string
	Line int
}

// Var is a variable of the front matter and its value in this reading.
type Var struct{ Name, Default, Value string }

// Section is a step, a mistake or the set-up: its commands, checks and hints.
type Section struct {
	Title string
	// Line is that of the heading, End the last one before the heading of the next section.
	Line, End int

	Blocks []Block
	Checks []Check
	Hints  []Hint
}

// Step is a section with its mistakes.
type Step struct {
	Section
	Mistakes []Mistake
}

// Mistake is a wrong turn at a step and the way back.
type Mistake struct {
	Section
	// Fix are the `console fix` blocks; empty means that the step's own commands repair it.
	Fix []Block
	// Undo says that the fix leads back to the start of the step, whose own commands then follow.
	Undo bool
}

// Hint is one `> [!TIP]` alert as Markdown, without the quote marks.
type Hint struct {
	Text string
	Line int
}

// Block is one console block.
type Block struct {
	Line, End int // of the fences
	// Drivers are the drivers it is for; empty means all.
	Drivers []string
	// Errno is the name written as errno=ENODEV, or "".
	Errno      string
	Partial    bool
	Conditions []Condition
	Commands   []Command
}

// Condition is a range of versions a block is for: `kernel>=6.2`.
type Condition struct {
	Subject string // kernel, iproute2, busybox
	Op      string // >=, <=, <, >, =
	Version string
}

// Status is what a command's exit status has to be.
type Status struct {
	// Any says `[!]`: any status but 0. Then Code is not looked at.
	Any  bool
	Code int
}

// Refusal says that the command is expected to be refused.
func (s Status) Refusal() bool { return s.Any || s.Code != 0 }

// Command is one line of a console block that starts with `$ `.
type Command struct {
	Line int
	// Text is the command as written, continuation lines joined.
	Text string
	Argv []string
	// Compared says that Output is to be compared; an empty Output with Compared false says nothing about it.
	Compared bool
	Output   []string
	Status   Status
}

// Check is one task-list item.
type Check struct {
	Line int
	// Text is the sentence as written, code spans in backquotes, without the limit.
	Text string
	// Before says `[x]`: true before the section's commands and after them.
	Before bool
	Claim  Claim `json:"-"` // see UnmarshalJSON
	// Within is the limit written, or 0 for DefaultLimit.
	Within time.Duration
}

// DefaultLimit is how long a check waits for its condition.
const DefaultLimit = 2 * time.Second
