// Package worker is what plays a unit of a run in a process of its own, and the way to start it: in a sandbox, or on
// the machine itself below a keeper. The command line imports it; it may import the specs, lab and specrun, and it
// never decides what runs or what came of it: specrun does.
package worker

import (
	"context"
	"errors"
	"io"
	"os"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/suites"
	"netnscheck/suites/conformance"
)

// Role is that of a worker: its request is a specrun.Job.
var Role = inside.Role{Name: "worker-of-a-run", Play: func(in io.Reader, out io.Writer) (status int, err error) {
	return 0, specrun.Work(in, out, Register)
}}

// Register builds the specs of a job: in a worker, and of the suites written in Go also to plan them.
func Register(job specrun.Job, kept func(context.Context, []int)) error {
	world := lab.Options{Shared: job.Shared}
	if job.Shared {
		world.Ancestor = os.Getppid() // the keeper
	}
	if job.Rehearse && job.Shared { // the trial of a sandbox has made as much
		if err := rehearse(world); err != nil {
			return &specrun.UnableError{Cause: err}
		}
	}
	if job.Scenario == nil {
		o := conformance.Options{World: world}
		if job.Keep {
			o.OnKept = kept
		}
		conformance.Register(o)
		return nil
	}
	suites.Register(suites.Unit{
		Scenario: job.Scenario,
		Drivers:  driversThere(job.Drivers),
		Cases:    job.Cases,
		Options:  lab.PlayOptions{World: world, Keep: job.Keep},
		OnKept:   kept,
	})
	return nil
}

// rehearse makes a lab with nothing in it but a second namespace, looks at it and takes it down again: no scenario
// needs less.
func rehearse(world lab.Options) error {
	ctx := context.Background()
	l, err := lab.Start(ctx, scenario.Host{}, world)
	if err != nil {
		return err
	}
	err = l.Build(ctx, []operation.Command{{Op: operation.NetnsAdd{Name: "rehearsal"}}})
	if err == nil {
		_, err = l.State(ctx)
	}
	return errors.Join(err, l.Close())
}

// driversThere are the drivers with these names. One that is not there, though it was when the run was planned, skips
// what it is to play.
func driversThere(names []string) []lab.Driver {
	drivers := make([]lab.Driver, len(names))
	for i, name := range names {
		d, err := lab.NewDriver(name)
		if err != nil {
			d = lab.Absent(name, err)
		}
		drivers[i] = d
	}
	return drivers
}
