// Package grade makes the class table: what each learner of a class has got for each step of a scenario, what was the
// first thing that was not right, and where the class is stuck; and it writes the table as text, CSV, JSON, JUnit and
// HTML. It also reads the roster and finds whose each file is. It is pure: anybody may import it, it touches neither
// the kernel nor files, and it never judges work: that is done by replays, whose results it takes.
//
// Names, files and everything that a replay found may come from a learner who means harm. In the table they are as they
// came; every format makes them harmless.
package grade

import (
	"cmp"
	"fmt"
	"slices"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/page"
	"netnscheck/harness/term"
)

// Class is the table of a class.
type Class struct {
	Scenario string `json:"scenario"` // its id
	Title    string `json:"title"`
	// HintCost is how many points of its step a hint costs.
	HintCost int       `json:"hint_cost"`
	OutOf    int       `json:"out_of"` // points
	Steps    []Step    `json:"steps"`
	Learners []Learner `json:"learners"`
}

// Step is one step, and how the class got on with it.
type Step struct {
	Title  string `json:"title"`
	Points int    `json:"points"`
	// Passed is how many learners have passed it, Stuck of how many it is the first step that they have not.
	Passed int `json:"passed"`
	Stuck  int `json:"stuck"`
}

// Status is what became of a learner's work.
type Status string

const (
	Graded   Status = "graded"
	Missing  Status = "missing"  // nothing was handed in
	Ungraded Status = "ungraded" // it could not be graded: Reason says why
)

// Learner is one row.
type Learner struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	// Seed has chosen the values of the variables, if it is not "".
	Seed   string `json:"seed,omitempty"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitempty"`
	// Exam is that of Work.
	Exam   bool `json:"exam,omitempty"`
	Points int  `json:"points"`
	// Marks are those of the steps; there are none if nothing was graded.
	Marks []Mark `json:"marks,omitempty"`
	// Result is what the replay found besides.
	Result
}

// Mark is what a learner got for a step.
type Mark struct {
	Passed bool `json:"passed"`
	Points int  `json:"points"`
	// Hints is how many were told, with the reasons that count as such (sitting.Past).
	Hints int `json:"hints,omitempty"`
	// Solved is set if the learner had the lab solve the step, which then earns nothing.
	Solved bool `json:"solved,omitempty"`
}

// Result is what a replay of a learner's work found.
type Result struct {
	// Passed says of each step whether it is done.
	Passed []bool `json:"-"`
	// First is the first thing that is not right; nil if everything is.
	First *Open `json:"first,omitempty"`
	// Trouble is what the work itself did wrong: it did not end, or could not be repeated as a whole.
	Trouble string `json:"trouble,omitempty"`
	// Said is the end of what the work printed.
	Said string `json:"said,omitempty"`
}

// Open is a check that does not hold.
type Open struct {
	Step  int    `json:"step"` // its number, from 1
	Check string `json:"check"`
	// Found is what is there instead, Note the author's word for it, and Cause the diagnosis.
	Found string   `json:"found,omitempty"`
	Note  string   `json:"note,omitempty"`
	Cause []string `json:"cause,omitempty"`
}

// Work is what a learner handed in, as far as it counts for points.
type Work struct {
	Name, File, Seed string
	// Past is what the file says about hints and solved steps; nil for a script. Whether a step is done, a replay says.
	Past []sitting.Past
	// Exam is set if the file says that it was an exam, without help.
	Exam bool
}

// New is the table of a class without learners. Its titles have the values of the scenario's variables; see Common.
func New(sc *scenario.Scenario, hintCost int) *Class {
	c := &Class{Scenario: sc.ID, Title: page.WithValues(sc, sc.Title), HintCost: hintCost, Learners: []Learner{}}
	for i, points := range sitting.Worth(sc) {
		c.Steps = append(c.Steps, Step{Title: page.WithValues(sc, sc.Steps[i].Title), Points: points})
		c.OutOf += points
	}
	return c
}

// Common is a scenario for the table of a class: with the values of its variables that all learners have, and "..." for
// those in which they differ, as for what differs in an output. Of are the learners' scenarios.
func Common(sc *scenario.Scenario, of []*scenario.Scenario) *scenario.Scenario {
	common := *sc
	common.Vars = slices.Clone(sc.Vars)
	for i := range common.Vars {
		v := &common.Vars[i]
		values := map[string]bool{}
		for _, own := range of {
			values[own.Vars[i].Value] = true
			v.Value = own.Vars[i].Value
		}
		if len(values) > 1 {
			v.Value = "..."
		}
	}
	return &common
}

// Grade adds a learner whose work was replayed.
func (c *Class) Grade(w Work, r Result) {
	l := Learner{Name: w.Name, File: w.File, Seed: w.Seed, Status: Graded, Exam: w.Exam, Result: r}
	for i := range c.Steps {
		var past sitting.Past
		if i < len(w.Past) {
			past = w.Past[i]
		}
		past.Done = i < len(r.Passed) && r.Passed[i]
		mark := Mark{Passed: past.Done, Points: past.Earned(c.Steps[i].Points, c.HintCost), Hints: past.Helped(),
			Solved: past.Solved}
		l.Marks = append(l.Marks, mark)
		l.Points += mark.Points
		if mark.Passed {
			c.Steps[i].Passed++
		}
	}
	if first := l.firstOpen(); first > 0 {
		c.Steps[first-1].Stuck++
	}
	c.Learners = append(c.Learners, l)
}

// Refuse adds a learner whose work could not be graded.
func (c *Class) Refuse(w Work, reason string) {
	c.Learners = append(c.Learners, Learner{Name: w.Name, File: w.File, Seed: w.Seed, Status: Ungraded, Reason: reason})
}

// Miss adds a learner who handed in nothing.
func (c *Class) Miss(name, seed string) {
	c.Learners = append(c.Learners, Learner{Name: name, Seed: seed, Status: Missing})
}

// Count is how many learners have this status.
func (c *Class) Count(s Status) (n int) {
	for _, l := range c.Learners {
		if l.Status == s {
			n++
		}
	}
	return n
}

// firstOpen is the number of the first step that a learner has not passed; 0 if there is none.
func (l *Learner) firstOpen() int {
	for i, m := range l.Marks {
		if !m.Passed {
			return i + 1
		}
	}
	return 0
}

// wrong are the learners in whose work something went wrong.
func (c *Class) wrong() (all []Learner) {
	for _, l := range c.Learners {
		if l.First != nil || l.Trouble != "" {
			all = append(all, l)
		}
	}
	return all
}

// outcome is what became of a learner's work, in words; "" if it was graded.
func (l *Learner) outcome() string {
	switch l.Status {
	case Missing:
		return "handed in nothing"
	case Ungraded:
		return "could not be graded: " + cmp.Or(l.Reason, "no reason is known")
	}
	return ""
}

// solved is how many steps the lab has done for a learner.
func (l *Learner) solved() (n int) {
	for _, m := range l.Marks {
		if m.Solved {
			n++
		}
	}
	return n
}

// remarks say how a learner worked: in an exam, or with which help.
func (l *Learner) remarks() string {
	text := ""
	if l.Exam {
		text = ", exam"
	}
	if n := l.hints(); n > 0 {
		text += ", " + term.Count(n, "hint")
	}
	if n := l.solved(); n > 0 {
		text += fmt.Sprintf(", %d solved", n)
	}
	return text
}

// hints is how many hints a learner was told.
func (l *Learner) hints() (n int) {
	for _, m := range l.Marks {
		n += m.Hints
	}
	return n
}
