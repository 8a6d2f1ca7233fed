// Package progress is the file that a learner's work leaves: which steps are done and when, which hints were told, and
// a log of the commands, from which the work can be done again. It says what is in the file, and reads and writes its
// bytes; internal/session/store keeps it on the disk. It is pure: anybody may import it, and it never touches the
// kernel, the file system or a clock.
package progress

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
)

// File is the progress of one learner in one scenario. What the learner or his network named (lines of the log, names
// of namespaces) is text from outside: escape it before it is shown. Times are in UTC, to the second.
type File struct {
	// Scenario is the id.
	Scenario string `json:"scenario"`
	// Text is the Fingerprint of the scenario's text.
	Text string `json:"text"`
	// Variables are the values of the scenario's variables, and Seed what chose them, if anything did.
	Variables map[string]string `json:"variables,omitempty"`
	Seed      string            `json:"seed,omitempty"`
	// Challenge is set if the finished network was broken for the learner.
	Challenge *Challenge `json:"challenge,omitempty"`
	// Exam is that of sitting.Options.
	Exam bool `json:"exam,omitempty"`
	// Began is when the learner began, Saved when the file was last brought up to date.
	Began time.Time `json:"began"`
	Saved time.Time `json:"saved"`
	// Dropped is how many entries the log had no room for. If there are any, the work cannot be done again from it.
	Dropped int `json:"dropped,omitempty"`

	Steps []Step  `json:"-"` // one line each, see Encode
	Log   []Entry `json:"-"`

	logSize  int // bytes in the file of the entries
	measured int // how many entries logSize counts
}

// Challenge says how the finished network of a scenario was broken: how many faults, of which level, chosen by which
// seed.
type Challenge struct {
	Faults int    `json:"faults"`
	Level  int    `json:"level"`
	Seed   string `json:"seed"`
}

// Step is one step of the scenario.
type Step struct {
	Title string `json:"title"`
	// Done is when the step was done; zero if it is not.
	Done  time.Time `json:"done,omitzero"`
	Hints int       `json:"hints,omitempty"`
	// Reasons is that of sitting.Past.
	Reasons int  `json:"reasons,omitempty"`
	Solved  bool `json:"solved,omitempty"`
}

// Entry is one command of the learner, or one thing that he asked the lab for.
type Entry struct {
	At time.Time `json:"at"`
	// Step is the number of the step that he was at, from 1; one more than there are once all are done.
	Step int `json:"step"`
	// Terminal is the number of the terminal, from 1; 0 if it is not known.
	Terminal int `json:"terminal,omitempty"`
	// Netns is the namespace of the shell that the command was typed in, if it is known and not the host.
	Netns string `json:"netns,omitempty"`
	// Do is what he asked for; "" for a command.
	Do Act `json:"do,omitempty"`
	// Line is the command as it was typed, and Status its exit status; NoStatus if that is not known.
	Line   string `json:"line,omitempty"`
	Status int    `json:"status,omitempty"`
	// Cut is set if the line was too long or no UTF-8 and is not whole, or is not known at all. It cannot be run again.
	Cut bool `json:"cut,omitempty"`
	// Told is what the learner was told of it, at most maxTold lines (sitting.News.Lines).
	Told []string `json:"told,omitempty"`
}

// NoStatus is the status of a command whose end was not seen.
const NoStatus = -1

// Act is what a learner asks a lab for.
type Act string

const (
	Hint      Act = "hint"
	Why       Act = "why"
	Next      Act = "next"
	Solve     Act = "solve"
	ResetStep Act = "reset-step"
	Reset     Act = "reset"
)

var acts = []Act{Hint, Why, Next, Solve, ResetStep, Reset}

// New is the file of a learner who begins a scenario.
func New(sc *scenario.Scenario, now time.Time) *File {
	f := &File{Scenario: sc.ID, Text: Fingerprint(sc), Began: seconds(now), Saved: seconds(now)}
	for _, v := range sc.Vars {
		if f.Variables == nil {
			f.Variables = map[string]string{}
		}
		f.Variables[v.Name] = v.Value
	}
	for _, step := range sc.Steps {
		f.Steps = append(f.Steps, Step{Title: cut(page.WithValues(sc, step.Title), maxTitle)})
	}
	return f
}

// NewChallenge is the file of a learner who looks for faults in the finished network of a scenario. The outline is that
// of his page (fault.Outline).
func NewChallenge(sc, outline *scenario.Scenario, c Challenge, now time.Time) *File {
	f := New(outline, now)
	f.Scenario, f.Text, f.Challenge = sc.ID, Fingerprint(sc), &c
	return f
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Fingerprint identifies the text of a scenario.
func Fingerprint(sc *scenario.Scenario) string { return fingerprint([]byte(sc.Source)) }

const hashName = "sha256:"

func fingerprint(text []byte) string {
	sum := sha256.Sum256(text)
	return hashName + hex.EncodeToString(sum[:])
}

// ErrChanged is the error if the text of a scenario has changed since the learner began.
var ErrChanged = errors.New("the scenario has changed since the lab was begun")

// Fits reports why a file is not about a scenario. The error wraps ErrChanged if it is about another text of it.
func (f *File) Fits(sc *scenario.Scenario) error {
	switch {
	case f.Scenario != sc.ID:
		return fmt.Errorf("go on with the lab: its progress is about the scenario %s, not %s", f.Scenario, sc.ID)
	case f.Text != Fingerprint(sc), f.Challenge == nil && len(f.Steps) != len(sc.Steps),
		f.Challenge != nil && len(f.Steps) != 1:
		return fmt.Errorf("go on with the lab: %w", ErrChanged)
	}
	return nil
}

// Values are the values that the scenario of the file is parsed with.
func (f *File) Values() scenario.Values { return scenario.Values{Set: f.Variables} }

// Past is what a sitting goes on with (sitting.Options). A step that the log has solved is solved, whatever else the
// file says of it.
func (f *File) Past() []sitting.Past {
	all := make([]sitting.Past, len(f.Steps))
	for i, s := range f.Steps {
		all[i] = sitting.Past{Done: !s.Done.IsZero(), Solved: s.Solved, Hints: s.Hints, Reasons: s.Reasons}
	}
	for _, e := range f.Replay() {
		if e.Do == Solve && e.Step <= len(all) {
			all[e.Step-1].Solved = true
		}
	}
	return all
}

// Update takes in what a sitting remembers. A step that is newly done is so since now.
func (f *File) Update(past []sitting.Past, now time.Time) {
	for i := range min(len(past), len(f.Steps)) {
		step := &f.Steps[i]
		switch {
		case !past[i].Done:
			step.Done = time.Time{}
		case step.Done.IsZero():
			step.Done = seconds(now)
		}
		step.Hints, step.Reasons = min(max(past[i].Hints, 0), maxHints), min(max(past[i].Reasons, 0), maxNumber)
		step.Solved = past[i].Solved
	}
	f.Saved = seconds(now)
}

// Finished reports whether all steps are done.
func (f *File) Finished() bool { return f.DoneSteps() == len(f.Steps) }

// DoneSteps is how many steps are done.
func (f *File) DoneSteps() int {
	n := 0
	for _, s := range f.Steps {
		if !s.Done.IsZero() {
			n++
		}
	}
	return n
}

// Latest is how many entries a learner sees who asks what he did.
const Latest = 500

// Last are the latest entries, and how many there are before them.
func (f *File) Last() (all []Entry, earlier int) {
	earlier = max(0, len(f.Log)-Latest)
	return f.Log[earlier:], earlier
}

// Replay are the entries that lead from the beginning to where the learner is: commands and solutions, in their order,
// without those that a reset undid.
func (f *File) Replay() []Entry {
	var all []Entry
	for _, e := range f.Log {
		switch e.Do {
		case Reset:
			all = nil
		case ResetStep:
			all = slices.DeleteFunc(all, func(old Entry) bool { return old.Step >= e.Step })
		case Solve, "":
			all = append(all, e)
		}
	}
	return all
}
