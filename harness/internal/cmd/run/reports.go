package run

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// slowestCases is the number of cases that --slowest lists.
const slowestCases = 10

// wanted are the reports to write: those that --report and --junit name, and each usual format that they do not name,
// in its usual place.
func (o *options) wanted() ([]reports.Wanted, error) {
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
			place = filepath.Join(o.output, place)
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

// open opens the reports before anything runs. From then on a reader that exits, such as head, costs its report and not
// the run: with SIGPIPE caught, the write fails with EPIPE instead of ending this process. The programs of a lab do not
// inherit a caught signal, as they would an ignored one.
func (o *options) open(ctx context.Context, wanted []reports.Wanted) (*reports.Sinks, error) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	how := reports.Options{}
	switch {
	case o.quiet:
		how.Verbosity = reports.Quiet
	case o.verbose:
		how.Verbosity = reports.Verbose
	}
	if o.slowest {
		how.Slowest = slowestCases
	}
	std := &reports.Standard{
		Out: stream(o.screen.Out, o.screen.Colour), Err: stream(o.screen.Err, o.screen.ErrColour),
		Progress: o.screen.Progress,
	}
	if o.screen.Terminal {
		std.Out.Columns = o.screen.Columns
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
	s := reports.Stream{Writer: out}
	if colour {
		s.Painted = out.Painted()
	}
	return s
}
