// Package lab is the subcommand lab with its own subcommands: a learner's sandbox. Only the root imports it.
package lab

import (
	"errors"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/lab/attach"
	"netnscheck/harness/internal/cmd/lab/client"
	"netnscheck/harness/internal/cmd/lab/grade"
	"netnscheck/harness/internal/cmd/lab/here"
	"netnscheck/harness/internal/cmd/lab/start"
	"netnscheck/harness/internal/cmd/lab/watch"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	opened "netnscheck/harness/internal/session/client"
)

// Command is `harness lab`.
func Command(s *screen.Screen) *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Do a scenario by hand, in a sandbox of your own",
		Args:  status.NoSuchCommand,
		Long: `With a lab open, ` + "`harness lab`" + ` alone says where you are. In the shell of
a lab all of this is the command lab: lab check, lab hint and so on.`,
		RunE: func(c *cobra.Command, _ []string) error {
			err := client.Where(c.Context(), s)
			if errors.Is(err, opened.ErrNone) {
				return c.Help()
			}
			return err
		},
	}
	c.AddCommand(start.Command(s), attach.Command(s), watch.Command(s), here.Command(), grade.Command(s))
	c.AddCommand(client.Commands(s)...)
	return c
}
