// Package run is the subcommand that runs scenarios, which `harness` by itself is, too.
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
	names    []string // none for all
	settings play.Settings
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
		"play with these drivers: iproute2, netlink, busybox (default: those that this machine has)")
	flags.StringVar(&o.output, "output", "results", "folder for junit.xml and results.json")
	flags.StringVar(&o.junit, "junit", "", "file for the JUnit report (default junit.xml in --output)")
	flags.StringArrayVar(&o.reports, "report", nil,
		"write a report as `FORMAT[=FILE]`, - is standard output; repeat it for more: "+
			strings.Join(reports.FormatNames(), ", "))
	flags.StringVar(&o.labels, "label-filter", "",
		"run what has these labels, in Ginkgo's syntax: 'netlink && mistake' ('harness list --labels')")
	flags.StringVar(&o.focus, "focus", "", "run what has this regular expression in its text")
	flags.Int64Var(&o.settings.Seed, "seed", 0,
		"shuffle the scenarios by this number (default: the order of the course)")
	flags.IntVar(&o.settings.Procs, "procs", 1,
		"how many scenarios run side by side (default: 1; with nothing named, what keeps the processors busy)")
	flags.Lookup("procs").DefValue = "0" // said in words
	flags.BoolVar(&o.settings.FailFast, "fail-fast", false, "stop after the first failure")
	flags.BoolVar(&o.settings.Keep, "keep", false,
		"let a lab in which something failed stay until Enter or Ctrl-C, and say how to enter it")
	flags.StringVar(&o.sandbox, "sandbox", "auto",
		"auto, on, or off: off puts the namespaces where 'ip netns' shows them (root)")
	flags.DurationVar(&o.settings.Timeout, "timeout", 0, "stop the run after this time, such as 5m (default: never)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show the checks and the transcript of each step")
	flags.BoolVar(&o.slowest, "slowest", false, "tell which ten steps took the longest")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "show failures and the summary alone")
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
		return status.Usagef("--procs %d: there has to be at least one", o.settings.Procs)
	case o.settings.Timeout < 0:
		return status.Usagef("--timeout %v: a time cannot be negative", o.settings.Timeout)
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

// run reads, looks ahead, runs and reports. Nothing is run or written before all that the user said was read.
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
		return status.Usagef("select what to run: there are no steps in it")
	}
	why := ""
	for _, l := range leftOut {
		why += fmt.Sprintf("; left out is %s", l)
	}
	return status.Usagef("select what to run: nothing fits %s%s", strings.Join(set, " and "), why)
}
