// Package scenario is the group of subcommands for authors of scenarios. Only the root imports it.
package scenario

import (
	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/scenario/check"
	"netnscheck/harness/internal/cmd/scenario/newcmd"
	"netnscheck/harness/internal/cmd/scenario/preview"
	"netnscheck/harness/internal/cmd/scenario/record"
	"netnscheck/harness/internal/cmd/scenario/sheet"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

// Command is `harness scenario`.
func Command(s *screen.Screen) *cobra.Command {
	c := &cobra.Command{
		Use:   "scenario",
		Short: "Commands for authors of scenarios",
		Args:  status.NoSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newcmd.Command(s), check.Command(s), preview.Command(s), record.Command(s), sheet.Command(s))
	return c
}
