// Package specrun runs Ginkgo specs in worker processes: it looks ahead at what will run, hands each unit (a scenario with all
// its drivers, or the hand-written suites) to a worker of its own, and merges what they report. It is the only place that calls
// RunSpecs and PreviewSpecs. It may be imported by the command line; it imports scenario, reports and Ginkgo, and it never
// touches the kernel, builds a spec, or starts a process by itself: all that is given to it as functions.
package specrun

import (
	"context"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
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

// Register builds the spec tree of a job. In a worker that keeps labs, kept is called with the commands that enter them, and
// returns when they may be taken down.
type Register func(job Job, kept func(ctx context.Context, commands []string)) error

// message is what a worker tells the outer process: one JSON object a line.
type message struct {
	// Event is start (Key), end (Key and Case), kept (Commands), leftover (Text) or done.
	Event string        `json:"event"`
	Key   string        `json:"key,omitempty"`
	Case  *reports.Case `json:"case,omitempty"`
	// Interrupted says that the case did not run, or not to its end, because the worker was told to stop.
	Interrupted bool     `json:"interrupted,omitempty"`
	Commands    []string `json:"commands,omitempty"`
	Text        string   `json:"text,omitempty"`
}

const (
	eventStart    = "start"
	eventEnd      = "end"
	eventKept     = "kept"
	eventLeftover = "leftover"
	eventDone     = "done"
)

// reply is what the outer process tells a worker after its job: a lab that was kept may go. The end of the stream tells it to
// stop, so that a worker whose outer process was killed takes its labs down as well.
type reply struct {
	GoOn bool `json:"go_on"`
}

// NotRunFailFast is why a case after the first failure did not run.
const NotRunFailFast = "not run: --fail-fast"
