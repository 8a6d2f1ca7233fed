package reports

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/nearest"
)

// Sink makes a report of a run that it is told of while it goes. The calls come one at a time.
type Sink interface {
	// Plan says what will run, in the order of the course. The cases have no outcome yet.
	Plan(suites []Suite)
	// Begin says that a case begins, at that moment: others may be under way.
	Begin(s *Suite, c *Case)
	// End says what came of a case. Cases end in the order of the plan, whatever runs side by side.
	End(s *Suite, c *Case)
	// Finish says what came of the run as a whole and ends the report. Every planned case is in the run, also where no
	// End told of any because this machine could not run them. The error says what is wrong with the report, not with
	// the output.
	Finish(r *Run) error
}

// Format is a kind of report.
type Format struct {
	Name string
	// File is where such a report goes if nobody says: a file in the folder of results, or "-", standard output.
	File string
	// Usual says that a run writes such a report if nobody asks for it.
	Usual bool
	New   func(out io.Writer, o Options) Sink
}

// Formats are all kinds of reports: a new one is a line here and a file with its sink.
var Formats = []Format{
	{Name: "console", File: "-", Usual: true, New: newConsole},
	{Name: "junit", File: "junit.xml", Usual: true, New: newJUnit},
	{Name: "json", File: "results.json", Usual: true, New: newJSON},
}

// Options are what a person may ask of a report; a format takes what it has a use for.
type Options struct {
	Verbosity Verbosity
	// Slowest is how many of the cases that took the longest are told.
	Slowest int
	// Files are where the reports of the run are.
	Files []string
	// Painted is the same output for text with colours, nil where there are none (term.Writer.Painted).
	Painted io.Writer
	// Columns is how wide the terminal is that the output goes to, 0 where it goes elsewhere.
	Columns int
	// Progress is where the count of cases goes, nil when nobody looks at it; it must be a terminal.
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

// FormatNamed finds a format; the error says which name was probably meant.
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
	return Format{}, fmt.Errorf("there is no format %q; those that there are: %s", name, all)
}

// errNotTheRun is for a report that says something else when it is read.
var errNotTheRun = errors.New("what is read from the report is not the run")

// atEnd is a sink that writes its report when the run has finished.
type atEnd func(r *Run) error

func (atEnd) Plan([]Suite)              {}
func (atEnd) Begin(*Suite, *Case)       {}
func (atEnd) End(*Suite, *Case)         {}
func (write atEnd) Finish(r *Run) error { return write(r) }
