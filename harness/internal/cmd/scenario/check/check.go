// Package check is the subcommand that reads, reviews and plays scenarios and reports their problems. Only the group
// scenario imports it.
package check

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/machine"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

type options struct {
	screen  *screen.Screen
	files   []string
	sandbox string
	values  input.Variables
}

// Command is `harness scenario check`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Read, review and play scenarios; name what is wrong as FILE:LINE",
		Args:  status.Args(1, status.Any, "the file of a scenario"),
		RunE: func(c *cobra.Command, files []string) error {
			o.files = files
			return run(c.Context(), o)
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().StringVar(&o.sandbox, "sandbox", "auto", "`MODE` auto, on or off")
	return c
}

// run reports all problems of the texts, and plays the scenarios if there are none.
func run(ctx context.Context, o options) error {
	if err := machine.CheckSandboxMode(o.sandbox); err != nil {
		return err
	}
	var scs []*scenario.Scenario
	var errs []error
	for _, file := range o.files {
		sc, err := input.Interruptible(ctx, "read "+file, func() (*scenario.Scenario, error) {
			return input.ScenarioFile(file)
		})
		if err != nil && ctx.Err() != nil {
			return err // no problem of the file
		}
		if err == nil {
			scs = append(scs, sc)
			err = reviewed(sc)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(o.screen.Out, err)
		return &status.Error{Status: status.Usage}
	}
	scs, err := input.WithoutRepeats(scs)
	if err != nil {
		return err
	}
	if scs, err = o.values.Choose(scs); err != nil {
		return err
	}
	for _, line := range o.values.Told(scs) {
		fmt.Fprintln(o.screen.Err, line)
	}
	return playAll(ctx, o, scs)
}

func reviewed(sc *scenario.Scenario) error {
	if problems := scenario.Review(sc); len(problems) > 0 {
		return problems
	}
	return nil
}

// playAll plays the scenarios with every driver that this machine has.
func playAll(ctx context.Context, o options, scs []*scenario.Scenario) error {
	box := machine.TrySandbox(o.sandbox)
	settings := play.Settings{Procs: 1}
	p, leftOut, err := play.Plan(input.Selection{Scenarios: scs}, settings)
	if err != nil {
		return err
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	if remark != "" {
		fmt.Fprintln(o.screen.Err, remark)
	}
	if len(p) == 0 {
		return status.Usagef("play the scenarios: they have no steps")
	}
	told := reports.Told(&reports.Console{Out: io.Discard, Options: reports.Options{Progress: o.screen.Progress}})
	s := play.Session{Settings: settings, Plan: p, LeftOut: leftOut, Sandboxed: sandboxed, Told: told}
	r, ending := s.Run(ctx)
	told.Say("")
	if ending.Unable == nil {
		out := bufio.NewWriter(o.screen.Out)
		printProblems(out, r)
		if err := out.Flush(); err != nil {
			return fmt.Errorf("print the problems: %w", err)
		}
	}
	return play.Verdict(r, ending)
}

// printProblems prints each problem with its place, and each case that did not pass for another reason, such as a skip.
func printProblems(out io.Writer, r *reports.Run) {
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			k := &s.Cases[j]
			if len(k.Problems) == 0 && k.Outcome != scenario.Pass {
				fmt.Fprintf(out, "%s: %s, driver %s: %s: %s\n", k.Where(scenario.Problem{}), k.Name, s.Driver,
					k.Outcome, k.Reason)
			}
			for _, p := range k.Problems {
				p.Message = fmt.Sprintf("%s, driver %s: %s", k.Name, s.Driver, p.Message)
				fmt.Fprintln(out, p)
			}
		}
	}
	for _, p := range append(append([]string{}, r.Problems...), r.Leftovers...) {
		fmt.Fprintln(out, p)
	}
	c := r.Count()
	fmt.Fprintf(out, "played: %d passed, %d did not, %d skipped\n%s", c.Pass, c.Bad(), c.Skip, r.LeftOutText())
}
