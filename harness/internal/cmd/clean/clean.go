// Package clean is the subcommand that removes what killed runs with --sandbox=off left behind. Only the root imports
// it.
package clean

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/netns"
)

type options struct {
	screen *screen.Screen
	dry    bool
}

// Command is `harness clean`.
func Command(s *screen.Screen) *cobra.Command {
	o := options{screen: s}
	c := &cobra.Command{
		Use:   "clean",
		Short: "Remove what a killed run with --sandbox=off left behind",
		Long: `Finds the namespaces of killed runs with --sandbox=off by the recorded owner of
each, lists them and removes them. It touches no namespace without such a
record, and needs root.`,
		Args: status.NoArgs,
		RunE: func(*cobra.Command, []string) error { return run(o) },
	}
	c.Flags().BoolVar(&o.dry, "dry-run", false, "list what would be removed, and remove nothing")
	return c
}

func run(o options) error {
	out := o.screen.Out
	found, err := netns.Leftovers()
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return status.Cannotf("%w: only root may", err)
	}
	unsure := err
	if len(found) == 0 && unsure == nil {
		fmt.Fprintln(out, "nothing is left behind")
		return nil
	}
	var errs []error
	for _, l := range found {
		fmt.Fprintf(out, "lab %s of process %d, which is gone: %s\n", l.ID, l.PID, names(l))
		if o.dry {
			continue
		}
		if err := l.Remove(); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(out, "  removed")
	}
	if err := errors.Join(append(errs, unsure)...); err != nil {
		return status.With(status.Leftover, err)
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
