// Package show is the subcommand that shows a scenario. Only the root imports it.
package show

import (
	"context"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/sitting/page"
)

type options struct {
	screen   *screen.Screen
	name     string
	solution bool
	values   input.Variables
}

// Command is `harness show`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:               "show ID|FILE",
		Short:             "Show a scenario: rendered on a terminal, as Markdown otherwise",
		Args:              status.Args(1, 1, "the id or the file of one scenario"),
		ValidArgsFunction: input.CompleteIDs,
		RunE: func(c *cobra.Command, args []string) error {
			o.name = args[0]
			return run(c.Context(), o)
		},
	}
	o.values.Flags(c.Flags())
	c.Flags().BoolVar(&o.solution, "solution", false,
		"show the solution of a challenge, too: its setup,\nits commands and which checks hold from the start")
	return c
}

func run(ctx context.Context, o options) error {
	if o.name == specrun.HandWritten {
		return status.Usagef("show %s: they are written in Go, in %s; `harness run %[1]s` runs them", o.name,
			input.SuitesFolder)
	}
	sc, err := input.Scenario(ctx, o.name)
	if err != nil {
		return err
	}
	if sc, err = o.values.ChooseOne(sc); err != nil {
		return err
	}
	text := page.Text(sc, o.solution)
	if o.screen.Terminal || o.values.Given() { // otherwise it stays the Markdown of the file
		text = page.WithValues(sc, text)
	}
	return o.screen.Page(text)
}
