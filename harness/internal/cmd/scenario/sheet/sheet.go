// Package sheet is the subcommand that makes a page to print of a scenario. Only the group scenario imports it.
package sheet

import (
	"fmt"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/reports"
)

type options struct {
	screen  *screen.Screen
	values  input.Variables
	file    string
	noHints bool
}

// Command is `harness scenario sheet`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "sheet FILE|ID",
		Short: "Make a page to print: HTML, with boxes to tick and points",
		Long: `Writes one HTML page to print, which needs no other file: what a learner may
read (of a challenge neither the set-up nor its commands), the checks of each
step as boxes to tick, its points, and the hints on a page of their own.`,
		Args:              status.Args(1, 1, "the file or the id of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			sc, err := input.Scenario(c.Context(), args[0])
			if err != nil {
				return err
			}
			if sc, err = o.values.ChooseOne(sc); err != nil {
				return err
			}
			text, err := HTML(sc, !o.noHints)
			if err != nil {
				return fmt.Errorf("make the sheet of %s: %w", sc.ID, err)
			}
			if o.file == "-" {
				_, err := fmt.Fprint(s.Out, text)
				return err
			}
			return status.With(status.Usage, reports.WriteFile(o.file, []byte(text)))
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().StringVarP(&o.file, "output", "o", "-", "write to this `FILE.html` (default: standard output)")
	c.Flags().Lookup("output").DefValue = "" // the text has it
	c.Flags().BoolVar(&o.noHints, "no-hints", false, "leave the hints out")
	return c
}
