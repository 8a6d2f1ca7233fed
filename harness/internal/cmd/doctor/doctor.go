// Package doctor is the subcommand that shows what this machine can and cannot run. Only the root imports it.
package doctor

import (
	"context"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
)

type options struct {
	screen *screen.Screen
	json   bool
	lab    string
}

// Command is `harness doctor`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Show what this machine can and cannot run, and what to do about it",
		Long: `Shows what this machine can and cannot run, and what to do about it.

It tries every feature that a scenario can require, in temporary namespaces.
This may make the kernel load modules, and some of them add devices to the
machine's own namespace (tunl0, sit0, gre0, ifb0), which stay. A run tries only
what the selected scenarios require. With --lab ID it says in one screen whether
this machine can do that lab, and tries only what that requires.`,
		Args: status.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("lab") {
				return runLab(c.Context(), o)
			}
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	c.Flags().StringVar(&o.lab, "lab", "", "the `ID` or the file of a lab: can it be done here?")
	c.RegisterFlagCompletionFunc("lab", input.CompleteIDs)
	return c
}

// run prints the findings. Its error, and so the exit status, is that of a run on this machine.
func run(ctx context.Context, o options) error {
	f, ended := examine(ctx)
	tell := f.print
	if o.json {
		tell = func(s *screen.Screen) error { return s.Document(1, f) }
	}
	if err := tell(o.screen); err != nil {
		return err
	}
	return ended
}
