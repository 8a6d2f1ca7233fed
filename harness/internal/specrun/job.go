// Package specrun runs Ginkgo specs in worker processes: it plans the cases, hands each unit (a scenario with all its
// drivers, or the hand-written suites) to a worker of its own, and files the results by the ids of their cases. It is
// the only place that calls RunSpecs and PreviewSpecs. It may be imported by the command line and by internal/worker;
// ARCHITECTURE.md lists its own imports. It never touches the kernel, builds a spec or starts a process itself: it is
// given functions for that.
package specrun

import (
	"context"

	"netnscheck/harness/internal/evidence"
	"netnscheck/harness/scenario"
)

// Job is the work of one worker. It is sent as JSON.
type Job struct {
	// Unit is the scenario's id, or HandWritten.
	Unit string `json:"unit"`
	// Scenario is nil for the suites written in Go.
	Scenario *scenario.Scenario `json:"scenario,omitempty"`
	Drivers  []string           `json:"drivers,omitempty"`
	// Absent are those of the drivers that this machine does not have. Their cases are planned and skipped; a worker
	// never hears of them.
	Absent []Absence `json:"-"`
	// Cases are the ids of the selected cases; in suites written in Go the id is the full text of a spec.
	Cases []string `json:"cases,omitempty"`

	Seed     int64 `json:"seed"`
	FailFast bool  `json:"fail_fast,omitempty"`
	// Keep leaves a lab with a failure in place until the outer process replies.
	Keep bool `json:"keep,omitempty"`
	// Evidence asks for evidence about cases that fail, Capture for the packets of the cases with these ids, whatever
	// comes of them.
	Evidence bool     `json:"evidence,omitempty"`
	Capture  []string `json:"capture,omitempty"`
	// Rehearse asks the worker to check, before its first spec, that it can make a lab at all.
	Rehearse bool `json:"rehearse,omitempty"`
	// Shared makes the labs in the host's own namespaces (--sandbox=off).
	Shared bool `json:"shared,omitempty"`
	// Taken tells of features whether blocks take them for present, whatever the kernel has.
	Taken map[string]bool `json:"taken,omitempty"`
	// StrictOutput is that of lab.PlayOptions.
	StrictOutput bool `json:"strict_output,omitempty"`
	// Pace is how many times as long as usual this machine takes for the work of a lab.
	Pace float64 `json:"pace,omitempty"`
}

// Absence is a driver that this machine does not have.
type Absence struct {
	Driver, Reason string
	Missing        []string // the programs because of which it is absent
}

// HandWritten is the unit of the suites written in Go, and the id by which users select it.
const HandWritten = "suites"

// Register builds the spec tree of a job: for a scenario, the specs of the job's cases alone, each labelled with its
// id. An *UnableError means that this machine cannot run the job.
type Register func(job Job, tell Tell) error

// Tell is what the specs of a worker tell besides their results.
type Tell struct {
	// Kept is called, in a worker that keeps labs, with the ids of the threads that live in them, as the worker sees
	// them; it returns when the labs may be taken down.
	Kept func(ctx context.Context, threads []int)
	// Evidence is called, while the case with this id runs, with what is known of it, as far as the job asks for it.
	Evidence func(id string, b *evidence.Bundle)
}

// UnableError means that this machine cannot run anything.
type UnableError struct{ Cause error }

func (e *UnableError) Error() string { return e.Cause.Error() }
func (e *UnableError) Unwrap() error { return e.Cause }

// NotRunFailFast is the reason of a case that did not run after the first failure.
const NotRunFailFast = "--fail-fast: another case has failed"
