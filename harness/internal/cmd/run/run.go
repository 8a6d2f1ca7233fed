// Package run is the subcommand that runs scenarios, and `harness` without a subcommand. Only the root imports it.
package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/lab"
	"netnscheck/reports"
)

type options struct {
	screen   *screen.Screen
	names    []string // empty for everything
	settings play.Settings
	values   input.Variables
	labels   string
	focus    string
	sandbox  string

	output  string
	junit   string
	reports []string
	verbose bool
	quiet   bool
	slowest bool
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
			o.names = args
			if len(args) == 0 && !c.Flags().Changed("procs") && !o.settings.FailFast {
				o.settings.Procs = procs()
			}
			return run(c.Context(), o)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&o.settings.Drivers, "driver", nil,
		"`DRIVERS` to play with: "+strings.Join(lab.DriverNames(), ", ")+"\n(default: those that this machine has)")
	flags.StringVar(&o.output, "output", "results", "`FOLDER` for the report files")
	flags.StringVar(&o.junit, "junit", "", "`FILE` for the JUnit report\n(default: junit.xml in --output)")
	flags.StringArrayVar(&o.reports, "report", nil,
		"write `FORMAT[=FILE]`; FILE - is standard output;\nrepeatable; formats: "+
			strings.Join(reports.FormatNames(), ", "))
	flags.StringVar(&o.labels, "label-filter", "",
		"run only cases whose labels match this `FILTER`,\nsuch as 'netlink && mistake'\n"+
			"(labels: 'harness list --labels')")
	flags.StringVar(&o.focus, "focus", "", "run only cases whose text matches this `REGEXP`")
	flags.Int64Var(&o.settings.Seed, "seed", 0,
		"shuffle the scenarios with this `NUMBER`\n(default: the order of the course)")
	o.values.Flags(flags)
	flags.IntVar(&o.settings.Procs, "procs", 1,
		"run this `NUMBER` of scenarios in parallel\n(default: 1; for the whole catalogue, as many as\n"+
			"keep the processors busy)")
	flags.Lookup("procs").DefValue = "0" // the text has it
	flags.BoolVar(&o.settings.FailFast, "fail-fast", false, "stop after the first failure")
	flags.BoolVar(&o.settings.Keep, "keep", false,
		"keep a lab in which something failed until Enter\nor Ctrl-C, and print how to enter it")
	flags.StringVar(&o.sandbox, "sandbox", "auto",
		"`MODE` auto, on or off; off needs root and makes\nnamespaces that 'ip netns' shows")
	flags.DurationVar(&o.settings.Timeout, "timeout", 0, "stop the run after this `TIME`, such as 5m\n(default: never)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show the checks and the transcript of each step")
	flags.BoolVar(&o.slowest, "slowest", false, "list the ten slowest steps")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "show only failures and the summary")
	c.RegisterFlagCompletionFunc("report",
		cobra.FixedCompletions(reports.FormatNames(), cobra.ShellCompDirectiveNoSpace))
	c.RegisterFlagCompletionFunc("driver",
		cobra.FixedCompletions(lab.DriverNames(), cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("label-filter", input.CompleteLabels)
	c.RegisterFlagCompletionFunc("sandbox",
		cobra.FixedCompletions([]string{"auto", "on", "off"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *options) check() error {
	switch {
	case o.settings.Procs < 1:
		return status.Usagef("--procs %d: want at least 1", o.settings.Procs)
	case o.settings.Timeout < 0:
		return status.Usagef("--timeout %v: want a positive time", o.settings.Timeout)
	case o.verbose && o.quiet:
		return status.Usagef("-v and -q exclude each other")
	case o.output == "":
		return status.Usagef("--output: the name of a folder is missing")
	}
	var err error
	if o.settings.Filter, err = specrun.ParseFilter(o.labels, o.focus); err != nil {
		return status.With(status.Usage, err)
	}
	return machine.CheckSandboxMode(o.sandbox)
}

// run reads everything that the user named, plans, opens the reports and runs. Nothing runs and nothing is written
// before all input was found valid.
func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	wanted, err := o.wanted()
	if err != nil {
		return err
	}
	what, err := input.Selected(ctx, o.names)
	if err != nil {
		return machine.BeforeRun(err)
	}
	if what.Scenarios, err = o.values.Choose(what.Scenarios); err != nil {
		return err
	}
	box := machine.TrySandbox(o.sandbox)
	p, leftOut, err := play.Plan(what, o.settings)
	if err != nil {
		return err
	}
	if len(p) == 0 {
		return o.nothingSelected(leftOut)
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	told, err := o.open(ctx, wanted)
	if err != nil {
		return err
	}
	if remark != "" {
		told.Say("%s", remark)
	}
	if o.settings.Seed != 0 {
		told.Say("order of the scenarios: --seed %d", o.settings.Seed)
	}
	for _, line := range o.values.Told(what.Scenarios) {
		told.Say("%s", line)
	}
	s := play.Session{Settings: o.settings, Plan: p, LeftOut: leftOut, Sandboxed: sandboxed, Told: told}
	r, ending := s.Run(ctx)
	if err := told.Finish(r); err != nil {
		return status.With(status.Failed, err)
	}
	return play.Verdict(r, ending)
}

func (o *options) nothingSelected(leftOut []reports.LeftOut) error {
	var set []string
	for _, s := range []struct{ flag, value string }{{"--label-filter", o.labels}, {"--focus", o.focus}} {
		if s.value != "" {
			set = append(set, fmt.Sprintf("%s %q", s.flag, s.value))
		}
	}
	if len(set) == 0 {
		return status.Usagef("select what to run: the selection has no steps")
	}
	why := ""
	for _, l := range leftOut {
		why += fmt.Sprintf("; left out is %s", l)
	}
	return status.Usagef("select what to run: nothing matches %s%s", strings.Join(set, " and "), why)
}
