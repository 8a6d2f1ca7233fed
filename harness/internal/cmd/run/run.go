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
	evidence  bool
	reproduce string // a folder of evidence
	again     play.Again
}

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
			if err := o.alone(c.Flags()); err != nil {
				return err
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
	o.again.Flags(c)
	flags.BoolVar(&o.settings.UntilFailure, "until-failure", false,
		"play everything again and again until a case\nfails, or --timeout, which is then no failure")
	flags.BoolVar(&o.evidence, "evidence", true,
		"keep evidence about each case that failed in the\nfolder evidence of --output, and play it once\n"+
			"more for its packets")
	flags.StringVar(&o.reproduce, "reproduce", "",
		"play the case of this `FOLDER` of evidence again,\nas it was played, wherever the folder is now")
	c.MarkFlagDirname("reproduce")
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
	if err := o.again.Check(); err != nil {
		return err
	}
	switch {
	case o.settings.UntilFailure && o.again.Plays() > 1:
		return status.Usagef("--until-failure excludes --retries and --repeat: it plays everything again anyway")
	case o.settings.UntilFailure && o.baseline.Given():
		return status.Usagef("--until-failure and --baseline exclude each other: the former ends with any failure")
	}
	o.settings.Retries, o.settings.Repeat = o.again.Retries, o.again.Repeat
	o.settings.FlakyPasses = o.again.FlakyPasses()
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
	o.settings.Seed, o.settings.FailFast = o.choice.Seed, o.choice.FailFast || o.settings.UntilFailure
	return machine.CheckSandboxMode(o.sandbox)
}

// command is the command that runs something as here.
func (o *options) command() string {
	if o.sandbox == "auto" {
		return "harness run"
	}
	return "harness run --sandbox " + o.sandbox
}

// run reads everything that the user named, plans, opens the reports and runs. Nothing runs and nothing is written
// before all input was found valid.
func run(ctx context.Context, o options) error {
	reproduced, err := o.readEvidence(ctx)
	if err != nil {
		return err
	}
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
	what := input.Selection{Scenarios: reproduced}
	if reproduced == nil {
		if what, err = o.choice.Read(ctx); err != nil {
			return err
		}
	}
	o.settings.Drivers, o.settings.Taken = o.choice.Drivers, o.choice.Taken
	o.settings.StrictOutput = o.choice.StrictOutput
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
		o.playAgain(p[i].Suites)
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	if err := o.demands.Meet(ctx, p, leftOut, sandboxed); err != nil {
		return err
	}
	kept, err := o.openEvidence()
	if err != nil {
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
		Sandboxed: sandboxed, Evidence: kept, Told: told,
	}
	r, ending := s.Run(ctx)
	lost := told.Finish(r)
	return o.baseline.Judge(told, r, o.screen.Columns, play.Verdict(r, ending, lost))
}
