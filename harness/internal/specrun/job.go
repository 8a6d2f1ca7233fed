// Package specrun runs Ginkgo specs in worker processes: it plans which cases will run, hands each unit (a scenario
// with all its drivers, or the hand-written suites) to a worker of its own, and puts what they tell of a case in its
// place, by the id of the case. It is the only place that calls RunSpecs and PreviewSpecs. It may be imported by the
// command line and by internal/worker; it imports scenario, reports, untrusted and Ginkgo, and it never touches the
// kernel, builds a spec, or starts a process by itself: all that is given to it as functions.
package specrun

import (
	"context"

	"netnscheck/harness/scenario"
)

// Job is what one worker runs. It travels as JSON.
type Job struct {
	// Unit is the scenario's id, or HandWritten.
	Unit string `json:"unit"`
	// Scenario is nil for the suites written in Go.
	Scenario *scenario.Scenario `json:"scenario,omitempty"`
	Drivers  []string           `json:"drivers,omitempty"`
	// Cases are the ids of those that were selected; those of suites written in Go are the texts of their specs.
	Cases []string `json:"cases,omitempty"`

	Seed     int64 `json:"seed"`
	FailFast bool  `json:"fail_fast,omitempty"`
	// Keep leaves a lab in which something failed until the outer process says go on.
	Keep bool `json:"keep,omitempty"`
	// Rehearse asks the worker to find out, before its first spec, whether it can make a lab at all.
	Rehearse bool `json:"rehearse,omitempty"`
	// Shared puts the labs where the machine sees them (--sandbox=off).
	Shared bool `json:"shared,omitempty"`
}

// HandWritten is the unit of the suites that are written in Go, and the id by which people run it.
const HandWritten = "suites"

// Register builds the spec tree of a job: of a scenario the specs of its cases alone, each with the id as a label. In a
// worker that keeps labs, kept is called with the threads that live in
// them, as numbers that the worker sees, and returns when the labs may be taken down. An *UnableError says that this
// machine cannot run the job.
type Register func(job Job, kept func(ctx context.Context, threads []int)) error

// UnableError says that this machine cannot run anything.
type UnableError struct{ Cause error }

func (e *UnableError) Error() string { return e.Cause.Error() }
func (e *UnableError) Unwrap() error { return e.Cause }

// NotRunFailFast is why a case after the first failure did not run.
const NotRunFailFast = "not run: --fail-fast"
