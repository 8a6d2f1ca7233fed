package reports

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/nearest"
)

// Sink writes a report of a run in progress. Its methods are called one at a time.
type Sink interface {
	// Plan announces the cases, in the order of the course. They have no outcome yet.
	Plan(suites []Suite)
	// Begin announces that a case begins now. Other cases may be running.
	Begin(s *Suite, c *Case)
	// End reports the result of a case. Cases end in the order of the plan, even if several run at the same time.
	End(s *Suite, c *Case)
	// Finish reports the result of the run and ends the report. The run has every planned case, also those without an
	// End because this machine could not run them. An error means that the report is wrong, not that its output failed.
	Finish(r *Run) error
}

// Format is a kind of report.
type Format struct {
	Name string
	// File is the default destination: a file in the results folder, or "-" for standard output.
	File string
	// Usual means that a run writes such a report by default.
	Usual bool
	// Commands means that its lines are commands to a CI runner, which takes them from the standard streams.
	Commands bool
	New      func(out io.Writer, o Options) Sink
}

// Formats are all formats. A new one takes a line here and a file with its sink.
var Formats = []Format{
	{Name: "console", File: "-", Usual: true, New: newConsole},
	{Name: "junit", File: "junit.xml", Usual: true, New: newJUnit},
	{Name: "json", File: "results.json", Usual: true, New: newJSON},
	{Name: "html", File: "report.html", New: newHTML},
	{Name: "events", File: "events.jsonl", New: newEvents},
	{Name: "ktap", File: "results.ktap", New: newKTAP},
	{Name: "kselftest", File: "results.tap", New: newKselftest},
	{Name: "markdown", File: "summary.md", New: newMarkdown},
	{Name: "github", File: "-", Commands: true, New: newGitHub},
	{Name: "ctrf", File: "ctrf.json", New: newCTRF},
}

// Options are the user's choices; a format ignores those that it has no use for.
type Options struct {
	Verbosity Verbosity
	// Slowest is how many of the slowest cases to list.
	Slowest int
	// File is the path of this report, "" for a stream.
	File string
	// Files are the paths of the run's reports.
	Files []string
	// Painted is the same output for text with colours, nil without colours (term.Writer.Painted).
	Painted io.Writer
	// Columns is the width of the output's terminal, 0 if it is not a terminal.
	Columns int
	// Progress is the terminal for the count of cases, nil if there is none.
	Progress io.Writer
}

// FormatNames are the names of the formats.
func FormatNames() []string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return names
}

// FormatNamed finds a format by name; the error suggests the nearest name.
func FormatNamed(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	if near, ok := nearest.Word(name, FormatNames()); ok {
		return Format{}, fmt.Errorf("there is no format %q, did you mean %s?", name, near)
	}
	all := strings.Join(FormatNames(), ", ")
	return Format{}, fmt.Errorf("there is no format %q; the formats are %s", name, all)
}

// errNotTheRun means that a report reads back as another run.
var errNotTheRun = errors.New("the report reads back as another run")

// atEnd is a sink that writes its whole report in Finish.
type atEnd func(r *Run) error

func (atEnd) Plan([]Suite)              {}
func (atEnd) Begin(*Suite, *Case)       {}
func (atEnd) End(*Suite, *Case)         {}
func (write atEnd) Finish(r *Run) error { return write(r) }
