// Package lab is the subcommand lab with its own subcommands: a learner's sandbox. Only the root imports it.
package lab

import (
	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/lab/start"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

// Command is `harness lab`.
func Command(s *screen.Screen) *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Do a scenario by hand, in a sandbox of your own",
		Args:  status.NoSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(start.Command(s))
	return c
}
