// Package play plans a run of scenarios, runs it in workers and collects the results. The commands that run scenarios
// import it; it never reads files that the user names, and prints only through the given reports.
package play

import (
	"math/rand/v2"
	"time"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
	"netnscheck/reports"
)

// Settings are the settings of a run.
type Settings struct {
	Drivers  []string // empty for all
	Filter   specrun.Filter
	Seed     int64 // 0 for the order of the course
	Procs    int
	FailFast bool
	Retries  int // of scenarios in which a case failed
	Repeat   int // how many times everything is played
	// UntilFailure plays everything again and again until something goes wrong; FailFast is then set, too.
	UntilFailure bool
	// FlakyPasses is set if flaky cases keep no run from passing.
	FlakyPasses bool
	Keep        bool
	// Taken and StrictOutput are those of Choice.
	Taken        map[string]bool
	StrictOutput bool
	Timeout      time.Duration  // 0 for none
	Shard        *reports.Shard // nil for the whole plan
}

// Plan makes a job of each scenario and of the suites, with the cases that the filter selects, for all drivers that are
// wanted. leftOut are those that this machine does not have: their cases are planned, and skipped.
func Plan(what input.Selection, s Settings) (p []specrun.Planned, leftOut []reports.LeftOut, err error) {
	_, leftOut, err = machine.Drivers(s.Drivers)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := machine.KnownDrivers(s.Drivers)
	if err != nil {
		return nil, nil, err
	}
	p, err = plan(what, s, wanted, leftOut)
	return p, leftOut, err
}

// PlanHere is Plan with the drivers that this machine has alone.
func PlanHere(what input.Selection, s Settings) (p []specrun.Planned, leftOut []reports.LeftOut, err error) {
	drivers, leftOut, err := machine.Drivers(s.Drivers)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(drivers))
	for i, d := range drivers {
		names[i] = d.Name()
	}
	p, err = PlanWith(what, s, names)
	return p, leftOut, err
}

// PlanWith is Plan with the drivers of these names, whether this machine has them or not.
func PlanWith(what input.Selection, s Settings, drivers []string) ([]specrun.Planned, error) {
	return plan(what, s, drivers, nil)
}

// plan plans for these drivers, some of which are left out.
func plan(what input.Selection, s Settings, drivers []string, leftOut []reports.LeftOut) ([]specrun.Planned, error) {
	job := specrun.Job{Seed: s.Seed, FailFast: s.FailFast, Keep: s.Keep, Taken: s.Taken,
		StrictOutput: s.StrictOutput}
	for _, l := range leftOut {
		job.Absent = append(job.Absent, specrun.Absence{Driver: l.Driver, Reason: l.Reason, Missing: []string{l.Program}})
	}
	jobs := make([]specrun.Job, len(what.Scenarios))
	for i, sc := range what.Scenarios {
		jobs[i] = job
		jobs[i].Unit, jobs[i].Scenario, jobs[i].Drivers = sc.ID, sc, drivers
	}
	if s.Seed != 0 {
		rand.New(rand.NewPCG(uint64(s.Seed), 0)).Shuffle(len(jobs), func(i, j int) {
			jobs[i], jobs[j] = jobs[j], jobs[i]
		})
	}
	if what.Suites {
		job.Unit = specrun.HandWritten
		jobs = append(jobs, job)
	}
	return specrun.Plan(jobs, s.Filter, worker.Register)
}
