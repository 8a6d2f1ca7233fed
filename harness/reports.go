package main

import (
	"cmp"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/input"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// wanted are the reports that a run shall write: those that --report and --junit name, and of the usual formats that
// they do not name one each, in its usual place.
func (f *runFlags) wanted() ([]reports.Wanted, error) {
	words := f.reports
	if f.junit != "" {
		words = append([]string{"junit=" + f.junit}, words...)
	}
	named := map[string][]string{}
	for _, word := range words {
		name, file, placed := strings.Cut(word, "=")
		if _, err := reports.FormatNamed(name); err != nil {
			return nil, usage("--report %s: %w", word, err)
		}
		if placed && file == "" {
			return nil, usage("--report %s: the name of a file is missing; - is standard output", word)
		}
		named[name] = append(named[name], file)
	}
	var all []reports.Wanted
	for _, format := range reports.Formats {
		place := format.File
		if place != "-" {
			place = filepath.Join(f.output, place)
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

// openReports opens them before anything runs. From then on a reader who goes, as `head` does, costs what was for them
// and not the run: the write that would end this process with SIGPIPE is an error. The programs of a lab do not inherit
// that, as they would inherit a signal that is ignored.
func openReports(c *cobra.Command, f runFlags, wanted []reports.Wanted) (*reports.Sinks, error) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	o := reports.Options{}
	switch {
	case f.quiet:
		o.Verbosity = reports.Quiet
	case f.verbose:
		o.Verbosity = reports.Verbose
	}
	if f.slowest {
		o.Slowest = slowestCases
	}
	std := &reports.Standard{
		Out: stream(c.OutOrStdout(), os.Stdout), Err: stream(c.ErrOrStderr(), os.Stderr), Progress: progress(),
	}
	return input.Interruptible(c.Context(), "open the reports", func() (*reports.Sinks, error) {
		told, err := reports.Open(wanted, std, o)
		if err != nil {
			return nil, usage("%w; --output, --junit and --report name another place", err)
		}
		return told, nil
	})
}

// stream is an output of the command, with colours if it goes to a terminal that may be sent some.
func stream(out io.Writer, f *os.File) reports.Stream {
	s := reports.Stream{Writer: out}
	if isTerminal(f) && coloured() {
		s.Painted = out.(*term.Writer).Painted()
	}
	return s
}

// progress is where the count of cases goes: standard error, if it is a terminal, else nil.
func progress() io.Writer {
	if isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb" {
		return os.Stderr
	}
	return nil
}
