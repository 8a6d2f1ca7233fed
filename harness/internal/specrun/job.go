// Package specrun runs Ginkgo specs in worker processes: it looks ahead at what will run, hands each unit (a scenario with all
// its drivers, or the hand-written suites) to a worker of its own, and merges what they report. It is the only place that calls
// RunSpecs and PreviewSpecs. It may be imported by the command line; it imports scenario, reports and Ginkgo, and it never
// touches the kernel, builds a spec, or starts a process by itself: all that is given to it as functions.
package specrun

import (
	"context"

	"netnscheck/harness/scenario"
)

// Job is what one worker runs. It travels as JSON.
type Job struct {
	// Unit is the scenario's id, or HandWritten.
	Unit string `json:"unit"`
	// HandWritten says that the job is the suites written in Go.
	HandWritten bool `json:"hand_written,omitempty"`
	// File and Source are the scenario's file as it was read; the worker reads no file.
	File    string   `json:"file,omitempty"`
	Source  string   `json:"source,omitempty"`
	Drivers []string `json:"drivers,omitempty"`

	Labels   string `json:"labels,omitempty"` // Ginkgo's label filter
	Focus    string `json:"focus,omitempty"`  // a regular expression
	Seed     int64  `json:"seed"`
	FailFast bool   `json:"fail_fast,omitempty"`
	// Keep leaves a lab in which something failed until the outer process says go on.
	Keep bool `json:"keep,omitempty"`
	// Rehearse asks the worker to find out, before its first spec, whether it can make a lab at all.
	Rehearse bool `json:"rehearse,omitempty"`
	// Shared puts the labs where the machine sees them (--sandbox=off).
	Shared bool `json:"shared,omitempty"`
}

// HandWritten is the unit of the suites that are written in Go, and the id by which people run it.
const HandWritten = "suites"

// Unit is a job and the scenario it was made of; Scenario is nil for suites written in Go.
type Unit struct {
	Job      Job
	Scenario *scenario.Scenario
}

// Register builds the spec tree of a job. In a worker that keeps labs, kept is called with the threads that live in
// them, as numbers that the worker sees, and returns when the labs may be taken down. An *UnableError says that this
// machine cannot run the job.
type Register func(job Job, kept func(ctx context.Context, threads []int)) error

// UnableError says that this machine cannot run anything.
type UnableError struct{ Cause error }

func (e *UnableError) Error() string { return e.Cause.Error() }
func (e *UnableError) Unwrap() error { return e.Cause }

// NotRunFailFast is why a case after the first failure did not run.
const NotRunFailFast = "not run: --fail-fast"
