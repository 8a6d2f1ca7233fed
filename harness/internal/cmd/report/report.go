// Package report is the subcommand for reports that are there already. Only the root imports it.
package report

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/play"
	"netnscheck/harness/internal/cmd/reporting"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/reports"
	"netnscheck/reports/merge"
)

// Command is `harness report`.
func Command(s *screen.Screen) *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "Commands for reports that are there already",
		Args:  status.NoSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(mergeCommand(s))
	return c
}

func mergeCommand(s *screen.Screen) *cobra.Command {
	var o reporting.Reporting
	c := &cobra.Command{
		Use:   "merge FILE | DIR...",
		Short: "Make one report of all shards of a run",
		Long: `Makes one run of the JSON reports of all its shards ('harness run --shard'), and
reports of it as 'harness run' would have. Of a folder all *.json are read, or
else the results.json of the folders in it. Refused are shards of different
plans, runs that did not finish, the same shard with different results, and a
number of shards that is not complete.

The exit status is that of the whole run; 2 if it cannot be made.`,
		Example: `  harness report merge shard-1.json shard-2.json shard-3.json --output whole`,
		Args:    status.Args(1, status.Any, "the JSON reports of shards"),
		RunE:    func(c *cobra.Command, args []string) error { return runMerge(c.Context(), s, &o, args) },
	}
	o.Flags(c)
	return c
}

func runMerge(ctx context.Context, s *screen.Screen, o *reporting.Reporting, args []string) error {
	wanted, err := o.Wanted()
	if err != nil {
		return err
	}
	shards, err := input.Reports(ctx, args...)
	if err != nil {
		return err
	}
	r, err := merge.Shards(shards)
	if err != nil {
		return status.With(status.Usage, err)
	}
	if err := notItsOwn(wanted, shards); err != nil {
		return err
	}
	told, err := o.Open(ctx, s, wanted)
	if err != nil {
		return err
	}
	tell(told, r)
	lost := told.Finish(r)
	ending := play.Ending{Cut: r.Cut}
	if r.Unable != "" {
		ending.Unable = errors.New(r.Unable)
	}
	return play.Verdict(r, ending, lost)
}

// notItsOwn refuses to write the whole over one of its shards: it could not be merged a second time.
func notItsOwn(wanted []reports.Wanted, shards []reports.Saved) error {
	for _, w := range wanted {
		there, err := os.Stat(w.File)
		if err != nil {
			continue
		}
		for _, shard := range shards {
			if info, err := os.Stat(shard.File); err == nil && os.SameFile(there, info) {
				return status.Usagef("write the report %s: it is one of the shards; --output and --report name another place",
					w.File)
			}
		}
	}
	return nil
}

// tell tells a finished run case by case.
func tell(told *reports.Sinks, r *reports.Run) {
	told.Plan(r.Suites)
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			told.Begin(s, c)
			told.End(s, c)
		}
	}
}
