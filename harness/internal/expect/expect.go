// Package expect is what is expected to fail: the entries of a file of expectations, which of them is about a case on a
// machine, and which of them are about nothing or have expired. It is pure; the command line may import it. It never
// changes a result.
package expect

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"netnscheck/harness/scenario"
)

// Entry is one expectation: these cases fail on these machines. Of an empty field any value will do.
type Entry struct {
	Line     int
	Scenario string
	// Step and Mistake are a title or a number. With a step alone it is about the step itself, without its mistakes.
	Step, Mistake string
	Driver        string
	Ranges        []scenario.Condition // of the kernel's and iproute2's version
	Architecture  string               // as `uname -m` prints it
	Reason, Link  string
	Expires       string // the last day on which it is valid, as 2027-03-31
}

// File is a file of expectations.
type File struct {
	Name    string
	Entries []Entry
}

// Case is what a case is known by.
type Case struct {
	Scenario, Driver string
	// Step is the number of the step, from 1; Mistake the number of the mistake in it, from 1, or 0.
	Step, Mistake int
	// Name is the title of the step, followed by that of the mistake (scenario.Case.Name).
	Name string
}

// Machine is where a case is played.
type Machine struct {
	Versions     map[string]string // of `kernel` and `iproute2`, as scenario.Machine has them
	Architecture string
	Today        time.Time
}

// between is what scenario.Case.Name has between the titles of a step and a mistake.
const between = " / Mistake: "

// about tells whether the entry is about a case, wherever it is played.
func (e *Entry) about(c Case) bool {
	step, mistake, _ := strings.Cut(c.Name, between)
	switch {
	case e.Scenario != c.Scenario, e.Driver != "" && e.Driver != c.Driver:
		return false
	case e.Step == "":
		return true
	case !names(e.Step, step, c.Step):
		return false
	case e.Mistake == "":
		return c.Mistake == 0
	}
	return c.Mistake > 0 && names(e.Mistake, mistake, c.Mistake)
}

// names tells whether a word is a title, or its number.
func names(word, title string, number int) bool { return word == title || word == strconv.Itoa(number) }

// on tells whether the entry is about a machine.
func (e *Entry) on(m Machine) bool {
	for _, condition := range e.Ranges {
		if !condition.Holds(scenario.Machine{Versions: m.Versions}) {
			return false
		}
	}
	return e.Architecture == "" || e.Architecture == m.Architecture
}

// expired tells whether the last day of the entry is over.
func (e *Entry) expired(m Machine) bool {
	return e.Expires != "" && m.Today.Format(time.DateOnly) > e.Expires
}

// For is the first entry that is about a case on a machine and has not expired, nil if there is none.
func (f *File) For(c Case, m Machine) *Entry {
	for i := range f.Entries {
		if e := &f.Entries[i]; e.about(c) && e.on(m) && !e.expired(m) {
			return e
		}
	}
	return nil
}

// Idle says which entries have expired, and which are about none of these planned cases; one sentence each.
func (f *File) Idle(planned []Case, m Machine) (all []string) {
	for i := range f.Entries {
		e := &f.Entries[i]
		at := fmt.Sprintf("%s:%d: the expectation for %s", f.Name, e.Line, e.subject())
		if e.expired(m) {
			all = append(all, fmt.Sprintf("%s has expired (%s)", at, e.Expires))
			continue
		}
		matched := false
		for _, c := range planned {
			matched = matched || e.about(c)
		}
		if !matched {
			all = append(all, at+" is about nothing that was planned")
		}
	}
	return all
}

// subject is what the entry is about, in words.
func (e *Entry) subject() string {
	text := e.Scenario
	if e.Driver != "" {
		text += "." + e.Driver
	}
	if e.Step != "" {
		text += ", step “" + e.Step + "”"
	}
	if e.Mistake != "" {
		text += ", mistake “" + e.Mistake + "”"
	}
	return text
}
