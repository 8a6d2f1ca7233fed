package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

func scenarioCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "scenario",
		Short: "Help for people who write scenarios",
		Args:  noSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(checkCommand())
	return c
}

func checkCommand() *cobra.Command {
	mode := ""
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Read, review and play scenarios; name what is wrong as FILE:LINE",
		Args:  wantArgs(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, files []string) error {
			if err := checkSandboxMode(mode); err != nil {
				return err
			}
			return checkScenarios(c, files, mode)
		},
	}
	c.Flags().StringVar(&mode, "sandbox", "auto", "auto, on, or off")
	return c
}

// checkScenarios names all that is wrong with the files as texts; only when nothing is, it plays them.
func checkScenarios(c *cobra.Command, files []string, mode string) error {
	var scs []*scenario.Scenario
	var errs []error
	for _, file := range files {
		sc, err := input.Interruptible(c.Context(), "read "+file, func() (*scenario.Scenario, error) { return input.ScenarioFile(file) })
		if err == nil {
			scs = append(scs, sc)
			err = reviewed(sc)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(c.OutOrStdout(), err)
		return &exit{status: statusUsage}
	}
	scs, err := input.WithoutRepeats(scs)
	if err != nil {
		return err
	}
	return playToCheck(c, scs, mode)
}

func reviewed(sc *scenario.Scenario) error {
	if problems := scenario.Review(sc); len(problems) > 0 {
		return problems
	}
	return nil
}

func playToCheck(c *cobra.Command, scs []*scenario.Scenario, mode string) error {
	box := trySandbox(mode)
	f := runFlags{procs: 1}
	p, leftOut, err := plan(input.Selection{Scenarios: scs}, f)
	if err != nil {
		return err
	}
	sandboxed, remark, err := box()
	if err != nil {
		return err
	}
	if remark != "" {
		fmt.Fprintln(c.ErrOrStderr(), remark)
	}
	if len(p) == 0 {
		return usage("play the scenarios: they have no steps")
	}
	s := session{flags: f, plan: p, leftOut: leftOut, sandboxed: sandboxed}
	s.told = reports.Told(&reports.Console{Out: io.Discard, Options: reports.Options{Progress: progress()}})
	r, ending := s.run(c.Context())
	s.told.Say("")
	if ending.unable == nil {
		printProblems(c.OutOrStdout(), r)
	}
	return verdict(r, ending)
}

// printProblems names each place at which the play went wrong, then what was skipped: that was not checked.
func printProblems(out io.Writer, r *reports.Run) {
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			k := &s.Cases[j]
			if len(k.Problems) == 0 && k.Outcome != scenario.Pass {
				fmt.Fprintf(out, "%s: %s, driver %s: %s: %s\n", k.Where(scenario.Problem{}), k.Name, s.Driver, k.Outcome, k.Reason)
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
