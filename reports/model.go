// Package reports is the model of a run and its writers, one file each. It may be imported by the command line and by
// internal/specrun; it imports scenario, state and Ginkgo's types, and it never runs anything.
package reports

import (
	"time"

	"netnscheck/harness/scenario"
)

// Run is everything that came of one run; it is total: every section that was planned is in it.
type Run struct {
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration_ns"`
	Properties []Property    `json:"properties"`
	Suites     []Suite       `json:"suites"`
	// Problems are faults of the run itself: interrupted, a worker that died, something left behind.
	Problems []string `json:"problems,omitempty"`
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
