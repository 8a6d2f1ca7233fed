package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/netns"
)

func cleanCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what a killed run with --sandbox=off left behind",
		Long: `Finds the namespaces of runs with --sandbox=off whose harness is dead, by the owner that is recorded for each,
shows them and removes them. It touches no namespace that has no such record, and needs root.`,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return clean(c, dry) },
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "show what would be removed, and remove nothing")
	return c
}

func clean(c *cobra.Command, dry bool) error {
	out := c.OutOrStdout()
	found, err := netns.Leftovers()
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return cannot("%w: only root may", err)
	}
	unsure := err
	if len(found) == 0 && unsure == nil {
		fmt.Fprintln(out, "nothing is left behind")
		return nil
	}
	var errs []error
	for _, l := range found {
		fmt.Fprintf(out, "lab %s of process %d, which is gone: %s\n", l.ID, l.PID, names(l))
		if dry {
			continue
		}
		if err := l.Remove(); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(out, "  removed")
	}
	if err := errors.Join(append(errs, unsure)...); err != nil {
		return &exit{statusLeftover, err}
	}
	return nil
}

func names(l netns.Leftover) string {
	switch {
	case l.Gone:
		return "only its record, from before the last boot"
	case len(l.Names) == 0:
		return "only its record"
	}
	return strings.Join(l.Names, ", ")
}
