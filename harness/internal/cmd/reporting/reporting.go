// Package reporting opens the reports of a run, where the flags of a command want them. The commands that run scenarios
// import it; it never runs anything.
package reporting

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// slowestCases is the number of cases that --slowest lists.
const slowestCases = 10

// helpColumns is the width of the text of a flag in a help text.
const helpColumns = 48

// Reporting are the reports that a user wants.
type Reporting struct {
	Output  string // the folder of the files
	Verbose bool
	Quiet   bool

	junit   string
	reports []string
	slowest bool
	codes   string
}

// exitCodes is the flag for the set of exit statuses.
const exitCodes = "exit-codes"

// ExitCodes is the set of exit statuses that a user wants of a command: its own, if it has no flag for that.
func ExitCodes(c *cobra.Command) string {
	if f := c.Flags().Lookup(exitCodes); f != nil {
		return f.Value.String()
	}
	return status.Own
}

// Flags adds the flags to a command.
func (o *Reporting) Flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&o.Output, "output", "results", "`FOLDER` for the report files")
	flags.StringVar(&o.junit, "junit", "", "`FILE` for the JUnit report\n(default: junit.xml in --output)")
	formats := term.Wrap("repeatable; formats: "+strings.Join(reports.FormatNames(), ", "), helpColumns)
	flags.StringArrayVar(&o.reports, "report", nil,
		"write `FORMAT[=FILE]`; FILE - is standard output;\n"+strings.Join(formats, "\n"))
	flags.BoolVarP(&o.Verbose, "verbose", "v", false, "show the checks and the transcript of each step")
	flags.BoolVar(&o.slowest, "slowest", false, "list the ten slowest steps")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "show only failures and the summary")
	flags.StringVar(&o.codes, exitCodes, status.Own,
		"`SET` of exit statuses: "+strings.Join(status.Sets, " or ")+", where\n0 is pass, 1 fail and 4 skip")
	c.RegisterFlagCompletionFunc(exitCodes,
		cobra.FixedCompletions(status.Sets, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("report",
		cobra.FixedCompletions(reports.FormatNames(), cobra.ShellCompDirectiveNoSpace))
}

// Wanted are the reports to write: those that --report and --junit name, and each usual format that they do not name,
// in its usual place. Its errors are those of usage.
func (o *Reporting) Wanted() ([]reports.Wanted, error) {
	switch {
	case o.Verbose && o.Quiet:
		return nil, status.Usagef("-v and -q exclude each other")
	case o.Output == "":
		return nil, status.Usagef("--output: the name of a folder is missing")
	}
	if err := status.CheckSet(o.codes); err != nil {
		return nil, err
	}
	words := o.reports
	if o.junit != "" {
		words = append([]string{"junit=" + o.junit}, words...)
	}
	named := map[string][]string{}
	for _, word := range words {
		name, file, placed := strings.Cut(word, "=")
		if _, err := reports.FormatNamed(name); err != nil {
			return nil, status.Usagef("--report %s: %w", word, err)
		}
		if placed && file == "" {
			return nil, status.Usagef("--report %s: the name of a file is missing; - is standard output", word)
		}
		named[name] = append(named[name], file)
	}
	var all []reports.Wanted
	for _, format := range reports.Formats {
		place := format.File
		if place != "-" {
			place = filepath.Join(o.Output, place)
		}
		for _, file := range named[format.Name] {
			all = append(all, reports.Wanted{Format: format, File: cmp.Or(file, place)})
		}
		if format.Usual && named[format.Name] == nil {
			all = append(all, reports.Wanted{Format: format, File: place, Usual: true})
		}
	}
	return all, nil
}

// Open opens the reports before anything runs. From then on a reader that exits, such as head, costs its report and not
// the run: with SIGPIPE caught, the write fails with EPIPE instead of ending this process. The programs of a lab do not
// inherit a caught signal, as they would an ignored one.
func (o *Reporting) Open(ctx context.Context, s *screen.Screen, wanted []reports.Wanted) (*reports.Sinks, error) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	how := reports.Options{}
	switch {
	case o.Quiet:
		how.Verbosity = reports.Quiet
	case o.Verbose:
		how.Verbosity = reports.Verbose
	}
	if o.slowest {
		how.Slowest = slowestCases
	}
	std := &reports.Standard{
		Out: stream(s.Out, s.Colour), Err: stream(s.Err, s.ErrColour), Progress: s.Progress,
	}
	if s.Terminal {
		std.Out.Columns = s.Columns
	}
	return input.Interruptible(ctx, "open the reports", func() (*reports.Sinks, error) {
		told, err := reports.Open(wanted, std, how)
		if err != nil {
			return nil, status.Usagef("%w; --output, --junit and --report name another place", err)
		}
		return told, nil
	})
}

// stream is a standard output, with colours if it may be sent colours.
func stream(out *term.Writer, colour bool) reports.Stream {
	s := reports.Stream{Writer: out, Commanding: out.Commanding()}
	if colour {
		s.Painted = out.Painted()
	}
	return s
}
