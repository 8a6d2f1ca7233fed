// Package worker plays one unit of a run in a process of its own, and starts that process: in a sandbox, or directly on
// the host below a keeper. The command line imports it; it may import the suites, lab and specrun. It never decides
// what runs or how a result counts: specrun does.
package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"netnscheck/harness/internal/inside"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/suites"
	"netnscheck/suites/conformance"
)

// Role is the role of a worker. Its request is a specrun.Job.
var Role = inside.Role{Name: "worker-of-a-run", Play: func(in io.Reader, out io.Writer) (status int, err error) {
	return 0, specrun.Work(in, out, Register)
}}

// Register builds the specs of a job. A worker calls it to run them; for suites written in Go, it is also called to
// plan them.
func Register(job specrun.Job, tell specrun.Tell) error {
	lab.SetPace(job.Pace)
	world := lab.Options{Shared: job.Shared}
	if job.Shared {
		world.Ancestor = os.Getppid() // the keeper
	}
	if job.Rehearse && job.Shared { // with a sandbox, its trial has done as much
		if err := rehearse(world); err != nil {
			return &specrun.UnableError{Cause: err}
		}
	}
	if job.Scenario == nil {
		o := conformance.Options{World: world}
		if job.Keep {
			o.OnKept = tell.Kept
		}
		conformance.Register(o)
		return nil
	}
	options := lab.PlayOptions{World: world, Keep: job.Keep, Taken: job.Taken, StrictOutput: job.StrictOutput}
	if job.Evidence {
		options.OnFailure = func(r *scenario.SectionResult, left *lab.Remains) {
			tell.Evidence(r.CaseID(), bundle(left))
		}
	}
	if len(job.Capture) > 0 {
		options.Capture = func(of *scenario.SectionResult, c lab.Captured) {
			if slices.Contains(job.Capture, of.CaseID()) {
				tell.Evidence(of.CaseID(), packets(c))
			}
		}
	}
	suites.Register(suites.Unit{
		Scenario: job.Scenario,
		Drivers:  driversThere(job.Drivers),
		Cases:    job.Cases,
		Options:  options,
		OnKept:   tell.Kept,
	})
	return nil
}

// rehearse starts a lab with a second namespace, takes a snapshot and closes it: no scenario needs less.
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

// driversThere returns the drivers with these names. A driver that has become unavailable since the run was planned
// skips its cases.
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
