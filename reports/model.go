// Package reports is the model of a run and the sinks that make reports of it, one file each. It may be imported by the
// command line and by internal/specrun; it imports scenario, state and Ginkgo's types, and it never runs anything.
package reports

import (
	"time"

	"netnscheck/harness/scenario"
)

// Run is everything that came of one run; it is total: every section that was planned is in it.
type Run struct {
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration_ns"`
	Hostname   string        `json:"hostname,omitempty"`
	Properties []Property    `json:"properties"`
	Suites     []Suite       `json:"suites"`
	// LeftOut is what was not played because a program is missing, and Install the command by which root installs all
	// of them; "" where no package or no package manager is known.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	Install string    `json:"install,omitempty"`
	// Unfinished says that the run did not come to the end of its reports: all that they have is a problem.
	Unfinished bool `json:"unfinished,omitempty"`
	// Problems are faults of the run itself: interrupted, a worker that died.
	Problems []string `json:"problems,omitempty"`
	// Leftovers are what was left behind on the machine: namespaces, processes.
	Leftovers []string `json:"leftovers,omitempty"`
}

// unfinished is what stands in the place of an old report while a run goes on, and when it was killed.
func unfinished() *Run {
	return &Run{
		Started: time.Now(), Properties: []Property{}, Suites: []Suite{}, Unfinished: true,
		Problems: []string{"the run did not finish: it was killed, or it goes on"},
	}
}

// Property is a fact about the machine or the run: kernel, architecture, iproute2, busybox, seed, sandbox, privilege.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Suite is one scenario with one driver, or one hand-written suite.
type Suite struct {
	ID      string    `json:"id"` // scenario id, or the suite's own
	Title   string    `json:"title"`
	Driver  string    `json:"driver,omitempty"`
	File    string    `json:"file,omitempty"`
	Labels  []string  `json:"labels,omitempty"`
	Started time.Time `json:"started"`
	Cases   []Case    `json:"cases"`
}

// Case is one step or mistake of a scenario, or one spec of a hand-written suite.
type Case struct {
	Name string `json:"name"`
	scenario.SectionResult
}

// Name is the suite's name in reports: its id and its driver, without blanks and without labels, so that it stays the
// same from run to run.
func (s *Suite) Name() string {
	if s.Driver == "" {
		return s.ID
	}
	return s.ID + "." + s.Driver
}

// Counts says how many cases ended in which way.
type Counts struct{ Pass, Fail, Blocked, Skip, Error int }

// Total is the number of cases.
func (c Counts) Total() int { return c.Pass + c.Fail + c.Blocked + c.Skip + c.Error }

// Bad is the number of cases that kept the run from passing. A blocked one counts: the step that it needs may have
// failed without being selected itself.
func (c Counts) Bad() int { return c.Fail + c.Error + c.Blocked }

func (c *Counts) add(o scenario.Outcome) {
	switch o {
	case scenario.Pass:
		c.Pass++
	case scenario.Fail:
		c.Fail++
	case scenario.Blocked:
		c.Blocked++
	case scenario.Skip:
		c.Skip++
	default: // an outcome that nobody knows is no success
		c.Error++
	}
}

// Count counts the cases of a suite.
func (s *Suite) Count() Counts {
	var c Counts
	for i := range s.Cases {
		c.add(s.Cases[i].Outcome)
	}
	return c
}

// Duration is the time that the suite's cases took together.
func (s *Suite) Duration() time.Duration {
	var d time.Duration
	for i := range s.Cases {
		d += s.Cases[i].Duration
	}
	return d
}

// Count counts the cases of a run.
func (r *Run) Count() Counts {
	var all Counts
	for i := range r.Suites {
		c := r.Suites[i].Count()
		all.Pass += c.Pass
		all.Fail += c.Fail
		all.Blocked += c.Blocked
		all.Skip += c.Skip
		all.Error += c.Error
	}
	return all
}
