// Package baseline judges a run by an earlier one: only what is worse than there fails it. The commands that run
// scenarios import it; it never runs anything.
package baseline

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/reports"
	"netnscheck/reports/compare"
)

// Baseline is the run by which another one is judged; without --baseline it is none, and changes nothing.
type Baseline struct {
	word string
	runs []reports.Saved
}

// Flags adds the flag to a command.
func (b *Baseline) Flags(c *cobra.Command) {
	c.Flags().StringVar(&b.word, "baseline", "",
		"fail only for what is worse than in the report\n`FILE` (JSON) of an earlier run of the same")
}

// Given reports whether there is one.
func (b *Baseline) Given() bool { return b.word != "" }

// Read reads it, before anything runs.
func (b *Baseline) Read(ctx context.Context) (err error) {
	if !b.Given() {
		return nil
	}
	if b.runs, err = input.Reports(ctx, b.word); err != nil {
		return err
	}
	if shard := b.runs[0].Shard; shard != nil {
		return status.Usagef("--baseline %s: it is shard %s of a run: `harness report merge` makes one report of all shards",
			b.word, shard)
	}
	_, err = compare.Reports(b.runs, b.runs) // are several of them repeats?
	return status.With(status.Usage, err)
}

// Judge tells how a run differs from the baseline, in lines of at most so many columns, and gives it another verdict
// than its own: it has failed if something is worse, and if cases alone made it fail that failed before, it has not.
// What else keeps a run from passing, such as an interruption or something left behind, stays.
func (b *Baseline) Judge(told *reports.Sinks, r *reports.Run, columns int, verdict error) error {
	if !b.Given() {
		return verdict
	}
	c, err := compare.Reports(b.runs, []reports.Saved{{File: "this run", Run: r}})
	if err != nil {
		return status.With(status.Usage, err)
	}
	told.Say("\n%s", strings.TrimSuffix("compared with the baseline:\n"+c.Text(columns), "\n"))
	ended, _ := status.Of(verdict)
	switch {
	case ended == status.Passed && c.Regressions > 0:
		return &status.Error{Status: status.Failed}
	case ended == status.Failed && c.Regressions == 0 && byCasesAlone(r):
		return nil
	}
	return verdict
}

// byCasesAlone reports whether nothing but its cases keeps a run from passing.
func byCasesAlone(r *reports.Run) bool {
	return r.Count().Bad() > 0 && !r.Cut && len(r.Problems)+len(r.Leftovers) == 0 &&
		!slices.ContainsFunc(r.Guests, func(g reports.Guest) bool { return g.Bad() })
}
