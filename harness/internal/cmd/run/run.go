// Package run is the subcommand that runs scenarios, and `harness` without a subcommand. Only the root imports it.
package run

import (
	"context"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/baseline"
	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/reporting"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/nearest"
	"netnscheck/reports"
)

type options struct {
	screen    *screen.Screen
	choice    play.Choice
	demands   play.Demands
	expect    play.Expectations
	settings  play.Settings
	reporting reporting.Reporting
	baseline  baseline.Baseline
	shard     string
	sandbox   string
	flaky     string
}

// What becomes of a run with flaky cases.
const flakyFails, flakyPasses = "fail", "pass"

// Command is `harness run`.
func Command(s *screen.Screen) *cobra.Command {
	c := Bare(s)
	c.Use = "run [ID | FILE.md | DIR | suites]..."
	c.Short = "Run scenarios and the suites written in Go: those named, or all"
	c.ValidArgsFunction = input.CompleteUnits
	return c
}

// Bare is `harness` without a subcommand: a run of everything.
func Bare(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use: "harness",
		RunE: func(c *cobra.Command, args []string) error {
			o.choice.Names = args
			if len(args) == 0 && !c.Flags().Changed("procs") && !o.choice.FailFast {
				o.settings.Procs = procs()
			}
			return o.demands.Insist(run(c.Context(), o))
		},
	}
	o.choice.Flags(c, "all; one that is missing is skipped")
	o.demands.Flags(c)
	o.expect.Flags(c)
	o.reporting.Flags(c)
	o.baseline.Flags(c)
	flags := c.Flags()
	flags.StringVar(&o.shard, "shard", "",
		"run only the part `I/N` of what is selected:\n1/3 is the first of three\n('harness report merge' joins the reports)")
	flags.IntVar(&o.settings.Procs, "procs", 1,
		"run this `NUMBER` of scenarios in parallel\n(default: 1; for the whole catalogue, as many as\n"+
			"keep the processors busy)")
	flags.Lookup("procs").DefValue = "0" // the text has it
	flags.IntVar(&o.settings.Retries, "retries", 0,
		"play a scenario in which a case failed again, at\nmost this `NUMBER` of times: does it pass now?")
	flags.IntVar(&o.settings.Repeat, "repeat", 1, "play everything this `NUMBER` of times")
	flags.StringVar(&o.flaky, "flaky", flakyFails, "`VERDICT` on a run with flaky cases:\nfail or pass")
	c.RegisterFlagCompletionFunc("flaky",
		cobra.FixedCompletions([]string{flakyFails, flakyPasses}, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&o.settings.Keep, "keep", false,
		"keep a lab in which something failed until Enter\nor Ctrl-C, and print how to enter it")
	flags.StringVar(&o.sandbox, "sandbox", "auto",
		"`MODE` auto, on or off; off needs root and makes\nnamespaces that 'ip netns' shows")
	flags.DurationVar(&o.settings.Timeout, "timeout", 0, "stop the run after this `TIME`, such as 5m\n(default: never)")
	c.RegisterFlagCompletionFunc("sandbox",
		cobra.FixedCompletions([]string{"auto", "on", "off"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// check checks the settings and adds those of the choice to them.
func (o *options) check() error {
	switch {
	case o.settings.Procs < 1:
		return status.Usagef("--procs %d: want at least 1", o.settings.Procs)
	case o.settings.Timeout < 0:
		return status.Usagef("--timeout %v: want a positive time", o.settings.Timeout)
	}
	switch {
	case o.settings.Retries < 0:
		return status.Usagef("--retries %d: want a number of times", o.settings.Retries)
	case o.settings.Repeat < 1:
		return status.Usagef("--repeat %d: want at least 1", o.settings.Repeat)
	case o.settings.Retries > 0 && o.settings.Repeat > 1:
		return status.Usagef("--retries and --repeat exclude each other: the latter plays everything again anyway")
	case o.flaky != flakyFails && o.flaky != flakyPasses:
		return status.Usagef("--flaky %q: want %s or %s%s", o.flaky, flakyFails, flakyPasses,
			nearest.DidYouMean(o.flaky, []string{flakyFails, flakyPasses}))
	}
	o.settings.FlakyPasses = o.flaky == flakyPasses
	var err error
	if o.settings.Filter, err = o.choice.Filter(); err != nil {
		return err
	}
	if o.shard != "" {
		if o.settings.Shard, err = reports.ParseShard(o.shard); err != nil {
			return status.Usagef("--shard %s: %w", o.shard, err)
		}
	}
	if o.shard != "" && o.baseline.Given() {
		return status.Usagef("--shard and --baseline exclude each other: `harness report merge` joins the shards, and " +
			"`harness compare` compares the whole")
	}
	o.settings.Seed, o.settings.FailFast = o.choice.Seed, o.choice.FailFast
	return machine.CheckSandboxMode(o.sandbox)
}

// again is the command that runs something again as here.
func (o *options) again() string {
	if o.sandbox == "auto" {
		return "harness run"
	}
	return "harness run --sandbox " + o.sandbox
}

// run reads everything that the user named, plans, opens the reports and runs. Nothing runs and nothing is written
// before all input was found valid.
func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	wanted, err := o.reporting.Wanted()
	if err != nil {
		return err
	}
	if err := o.baseline.Read(ctx); err != nil {
		return err
	}
	if err := o.expect.Read(ctx); err != nil {
		return err
	}
	what, err := o.choice.Read(ctx)
	if err != nil {
		return err
	}
	o.settings.Drivers, o.settings.Taken = o.choice.Drivers, o.choice.Taken
	box := machine.TrySandbox(o.sandbox)
	p, leftOut, err := play.Plan(what, o.settings)
	if err != nil {
		return err
	}
	if len(p) == 0 {
		return o.choice.NothingSelected()
	}
	if err := o.demands.Check(p); err != nil {
		return err
	}
	var whole []reports.Suite
	for i := range p {
		whole = append(whole, p[i].Suites...)
	}
	if shard := o.settings.Shard; shard != nil {
		if p, err = specrun.Shard(p, shard); err != nil {
			return status.Usagef("--shard %s: %w", o.shard, err)
		}
	}
	for i := range p {
		o.choice.Again(o.again(), p[i].Suites)
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	if err := o.demands.Meet(ctx, p, leftOut, sandboxed); err != nil {
		return err
	}
	told, err := o.reporting.Open(ctx, o.screen, wanted)
	if err != nil {
		return err
	}
	if remark != "" {
		told.Say("%s", remark)
	}
	if o.settings.Seed != 0 {
		told.Say("order of the scenarios: --seed %d", o.settings.Seed)
	}
	if len(o.settings.Taken) > 0 {
		told.Say("whatever this kernel has, blocks are played as on one %s", play.TakenWords(o.settings.Taken))
	}
	for _, line := range o.choice.Values.Told(what.Scenarios) {
		told.Say("%s", line)
	}
	s := play.Session{
		Settings: o.settings, Plan: p, Whole: whole, LeftOut: leftOut, Demands: &o.demands, Expect: o.expect,
		Sandboxed: sandboxed, Told: told,
	}
	r, ending := s.Run(ctx)
	lost := told.Finish(r)
	return o.baseline.Judge(told, r, o.screen.Columns, play.Verdict(r, ending, lost))
}
