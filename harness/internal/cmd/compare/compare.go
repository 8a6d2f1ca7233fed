// Package compare is the subcommand that compares two runs by their reports. Only the root imports it.
package compare

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/nearest"
	"netnscheck/harness/term"
	"netnscheck/reports/compare"
)

// formats are the forms in which a comparison is printed.
var formats = []string{"text", "markdown", "json"}

// Command is `harness compare`.
func Command(s *screen.Screen) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two runs by their JSON reports: what is worse now",
		Long: `Tells which cases fail, are gone, were not run or are skipped and did not or
were not before, and which pass, are expected to fail or are there and did not
or were not before.

OLD and NEW are each a JSON report (results.json). Several reports of the same
run, repeated, tell what takes longer and what is flaky: files with commas
between, or a folder, of which all *.json are read, or else the results.json of
the folders in it.

Exit status:
  0  nothing is worse
  1  a case fails, is gone, was not run or is skipped, and was not before
  2  a file is no report, or that of a run that did not finish`,
		Example: `  harness compare main.json results/results.json
  harness compare main-1.json,main-2.json,main-3.json,main-4.json results`,
		Args: status.Args(2, 2, "two reports"),
		RunE: func(c *cobra.Command, args []string) error { return run(c.Context(), s, format, args[0], args[1]) },
	}
	c.Flags().StringVar(&format, "format", formats[0], "print `FORMAT`: "+strings.Join(formats, ", "))
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func run(ctx context.Context, s *screen.Screen, format, old, new string) error {
	var print func(*compare.Comparison) error
	switch format {
	case "text":
		print = func(c *compare.Comparison) error { return write(s.Out, c.Text(s.Columns)) }
	case "markdown":
		print = func(c *compare.Comparison) error { return write(s.Out, c.Markdown()) }
	case "json":
		print = func(c *compare.Comparison) error { return term.WriteJSON(s.Out, c) }
	default:
		return status.Usagef("--format %s: there is no such format%s; the formats are %s", format,
			nearest.DidYouMean(format, formats), strings.Join(formats, ", "))
	}
	before, err := input.Reports(ctx, old)
	if err != nil {
		return err
	}
	now, err := input.Reports(ctx, new)
	if err != nil {
		return err
	}
	c, err := compare.Reports(before, now)
	if err != nil {
		return status.With(status.Usage, err)
	}
	if err := print(c); err != nil {
		return fmt.Errorf("print the comparison: %w", err)
	}
	if c.Regressions > 0 {
		return &status.Error{Status: status.Failed}
	}
	return nil
}

func write(out io.Writer, text string) error {
	_, err := io.WriteString(out, text)
	return err
}
