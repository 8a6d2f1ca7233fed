package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/internal/worker"
	"netnscheck/reports"
)

// grace is how long a worker may take to clean up when the run is stopped.
const grace = 10 * time.Second

// slowestCases is how many --slowest tells of.
const slowestCases = 10

// runFlags are the flags of `harness run`, and of a bare `harness`.
type runFlags struct {
	drivers  []string
	output   string
	junit    string
	reports  []string
	labels   string
	focus    string
	seed     int64
	procs    int
	failFast bool
	keep     bool
	sandbox  string
	timeout  time.Duration
	verbose  bool
	quiet    bool
	slowest  bool

	filter specrun.Filter // of labels and focus, once they are checked
}

func runCommand(use string) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use: use,
		RunE: func(c *cobra.Command, args []string) error {
			return runScenarios(c, f, args)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.drivers, "driver", nil, "play with these drivers: iproute2, netlink, busybox (default: those that this machine has)")
	flags.StringVar(&f.output, "output", "results", "folder for junit.xml and results.json")
	flags.StringVar(&f.junit, "junit", "", "file for the JUnit report (default junit.xml in --output)")
	flags.StringArrayVar(&f.reports, "report", nil, "write a report as `FORMAT[=FILE]`, - is standard output; repeat it for more: "+
		strings.Join(reports.FormatNames(), ", "))
	flags.StringVar(&f.labels, "label-filter", "", "run what has these labels, in Ginkgo's syntax: 'netlink && mistake'")
	flags.StringVar(&f.focus, "focus", "", "run what has this regular expression in its text")
	flags.Int64Var(&f.seed, "seed", 0, "shuffle the scenarios by this number (default: the order of the course)")
	flags.IntVar(&f.procs, "procs", 1, "how many scenarios run side by side (default: 1; with nothing named, one for each processor)")
	flags.Lookup("procs").DefValue = "0" // said in words
	flags.BoolVar(&f.failFast, "fail-fast", false, "stop after the first failure")
	flags.BoolVar(&f.keep, "keep", false, "let a lab in which something failed stay until Enter or Ctrl-C, and say how to enter it")
	flags.StringVar(&f.sandbox, "sandbox", "auto", "auto, on, or off: off puts the namespaces where 'ip netns' shows them (root)")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop the run after this time, such as 5m (default: never)")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show the checks and the transcript of each step")
	flags.BoolVar(&f.slowest, "slowest", false, "tell which ten steps took the longest")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show failures and the summary alone")
	c.RegisterFlagCompletionFunc("report", cobra.FixedCompletions(reports.FormatNames(), cobra.ShellCompDirectiveNoSpace))
	c.RegisterFlagCompletionFunc("driver", cobra.FixedCompletions(knownDrivers, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("sandbox", cobra.FixedCompletions([]string{"auto", "on", "off"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (f *runFlags) check() error {
	switch {
	case f.procs < 1:
		return usage("--procs %d: there has to be at least one", f.procs)
	case f.timeout < 0:
		return usage("--timeout %v: a time cannot be negative", f.timeout)
	case f.verbose && f.quiet:
		return usage("-v and -q exclude each other")
	case f.output == "":
		return usage("--output: the name of a folder is missing")
	}
	var err error
	if f.filter, err = specrun.ParseFilter(f.labels, f.focus); err != nil {
		return &exit{statusUsage, err}
	}
	return checkSandboxMode(f.sandbox)
}

// runScenarios is the subcommand: read, look ahead, run, report. Nothing is run or written before all that the user said was read.
func runScenarios(c *cobra.Command, f runFlags, names []string) error {
	if err := f.check(); err != nil {
		return err
	}
	wanted, err := f.wanted()
	if err != nil {
		return err
	}
	if len(names) == 0 && !c.Flags().Changed("procs") && !f.failFast {
		f.procs = runtime.NumCPU()
	}
	what, err := input.Selected(c.Context(), names)
	if err != nil {
		return beforeRun(err)
	}
	box := trySandbox(f.sandbox)
	p, leftOut, err := plan(what, f)
	if err != nil {
		return err
	}
	if len(p) == 0 {
		return f.nothingSelected(leftOut)
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	told, err := openReports(c, f, wanted)
	if err != nil {
		return err
	}
	s := session{flags: f, plan: p, leftOut: leftOut, sandboxed: sandboxed, told: told}
	if remark != "" {
		told.Say("%s", remark)
	}
	if f.seed != 0 {
		told.Say("order of the scenarios: --seed %d", f.seed)
	}
	r, ending := s.run(c.Context())
	if err := told.Finish(r); err != nil {
		return &exit{statusFailed, err}
	}
	return verdict(r, ending)
}

func (f *runFlags) nothingSelected(leftOut []reports.LeftOut) error {
	var set []string
	for _, s := range []struct{ flag, value string }{{"--label-filter", f.labels}, {"--focus", f.focus}} {
		if s.value != "" {
			set = append(set, fmt.Sprintf("%s %q", s.flag, s.value))
		}
	}
	if len(set) == 0 {
		return usage("select what to run: there are no steps in it")
	}
	why := ""
	for _, l := range leftOut {
		why += fmt.Sprintf("; left out is %s", l)
	}
	return usage("select what to run: nothing fits %s%s", strings.Join(set, " and "), why)
}

// plan makes a job of each scenario, and of the suites, and finds which of their cases the filters select. What it
// leaves out are drivers.
func plan(what input.Selection, f runFlags) (p []specrun.Planned, leftOut []reports.LeftOut, err error) {
	drivers, leftOut, err := driversNamed(f.drivers)
	if err != nil {
		return nil, nil, err
	}
	job := specrun.Job{Seed: f.seed, FailFast: f.failFast, Keep: f.keep}
	jobs := make([]specrun.Job, len(what.Scenarios))
	for i, sc := range what.Scenarios {
		jobs[i] = job
		jobs[i].Unit, jobs[i].Scenario, jobs[i].Drivers = sc.ID, sc, driverNames(drivers)
	}
	if f.seed != 0 {
		rand.New(rand.NewPCG(uint64(f.seed), 0)).Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	}
	if what.Suites {
		job.Unit = specrun.HandWritten
		jobs = append(jobs, job)
	}
	p, err = specrun.Plan(jobs, f.filter, worker.Register)
	return p, leftOut, err
}

// session is one run of a plan.
type session struct {
	flags     runFlags
	plan      []specrun.Planned
	leftOut   []reports.LeftOut // drivers
	sandboxed bool
	told      *reports.Sinks
}

// ending is how a run ended, beside what came of its cases.
type ending struct {
	unable error // this machine cannot run anything
	cut    bool  // something else than the cases cut it short
}

// run runs the plan and returns everything that came of it, whatever ended it.
func (s *session) run(ctx context.Context) (*reports.Run, ending) {
	if s.flags.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.flags.timeout, fmt.Errorf("after %v (--timeout)", s.flags.timeout))
		defer cancel()
	}
	var suites []reports.Suite
	for i := range s.plan {
		s.plan[i].Job.Shared = !s.sandboxed
		suites = append(suites, s.plan[i].Suites...)
	}
	s.told.Plan(suites)
	w := worker.NewStarter(s.plan, s.sandboxed)
	r := &reports.Run{Started: time.Now(), Properties: properties(s.flags, s.sandboxed)}
	r.Hostname, _ = os.Hostname() // a report without it is as good
	result := specrun.Run(ctx, s.plan, specrun.Options{
		Procs: s.flags.procs, Start: w.Start, FailFast: s.flags.failFast, Grace: grace,
		Started: s.told.Begin, Ended: s.told.End, Kept: s.keep,
	})
	r.Suites, r.Problems, r.Leftovers = result.Suites, result.Problems, result.Leftovers
	tellLeftOut(r, s.leftOut)
	if !s.sandboxed {
		left, err := sweep(w.Kept)
		if err != nil && result.Unable == nil { // where no lab could be made, nothing need be there to be looked at
			left = append(left, err.Error())
		}
		r.Leftovers = append(r.Leftovers, left...)
	}
	r.Duration = time.Since(r.Started)
	return r, ending{result.Unable, result.Cut}
}

// verdict is the exit status of a run: what was left behind outweighs everything else, a failure what is less. A run in
// which nothing passed is no success.
func verdict(r *reports.Run, e ending) error {
	c := r.Count()
	switch {
	case len(r.Leftovers) > 0:
		return &exit{status: statusLeftover}
	case e.unable != nil:
		return cannot("%w", kernel.Explain(e.unable))
	case e.cut:
		return &exit{status: statusCut}
	case c.Bad() > 0 || len(r.Problems) > 0:
		return &exit{status: statusFailed}
	case c.Pass == 0:
		return cannot("nothing could be run here: all %d cases were skipped", c.Skip)
	}
	return nil
}
