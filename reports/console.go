package reports

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Verbosity is how much the console prints about cases that passed.
type Verbosity int

const (
	Quiet   Verbosity = iota - 1 // failures and the summary
	Normal                       // a line per case
	Verbose                      // also the checks and the transcript
)

// Console prints the cases of a run as they end, and a summary.
type Console struct {
	Out   io.Writer // with Color it has to pass escape sequences on
	Color bool      // outcomes are words in either case
	Options

	total, done int
	wide        int // columns for the ids of suites
	counting    bool
}

func newConsole(out io.Writer, o Options) Sink {
	if o.Painted != nil {
		return &Console{Out: o.Painted, Color: true, Options: o}
	}
	return &Console{Out: out, Options: o}
}

// Plan notes what will run.
func (o *Console) Plan(suites []Suite) {
	for i := range suites {
		o.total += len(suites[i].Cases)
		o.wide = max(o.wide, term.Width(term.OneLine(suites[i].ID)))
	}
}

// Begin shows the running case and the count of cases.
func (o *Console) Begin(s *Suite, c *Case) {
	if o.Progress == nil {
		return
	}
	o.clear()
	line := term.OneLine(fmt.Sprintf("%d/%d  %s  %s  %s", o.done+1, o.total, s.ID, s.Driver, term.Brief(c.Name)))
	room := 76
	if o.Columns > 0 {
		room = min(room, o.Columns-1) // clear does not erase a line that wraps
	}
	fmt.Fprint(o.Progress, term.Cut(line, room, "…"))
	o.counting = true
}

// clear erases the count.
func (o *Console) clear() {
	if o.counting {
		fmt.Fprint(o.Progress, "\r\x1b[K")
		o.counting = false
	}
}

// Say prints one or more lines of their own.
func (o *Console) Say(format string, args ...any) {
	o.clear()
	fmt.Fprintln(o.Out, term.Printable(fmt.Sprintf(format, args...)))
}

// Wrote notes the files of the reports that were written, which are not all if a disk is full.
func (o *Console) Wrote(files []string) { o.Files = files }

// End prints the outcome of a case.
func (o *Console) End(s *Suite, c *Case) {
	o.done++
	if o.Verbosity == Quiet && !bad(c.Outcome) || s.Guest != "" && o.Verbosity != Verbose {
		return // there are too many cases of guests: their failures are told at the end
	}
	if s.Absent != "" {
		o.absent(s, c)
		return
	}
	o.clear()
	label := fmt.Sprintf("%s  %s  %-8s  ", o.outcome(c.Outcome), term.Pad(term.OneLine(s.ID), o.wide),
		term.OneLine(s.Driver))
	if s.Guest != "" {
		label = term.Pad(term.OneLine(s.Guest), 8) + "  " + label
	}
	o.wrap(label, term.Brief(c.Name)+"  "+o.faint("("+duration(c.Duration)+")"))
	for _, line := range c.briefly() {
		o.wrap(strings.Repeat(" ", 9), line)
	}
	if o.Verbosity == Verbose {
		for _, sentence := range c.Excluded {
			o.wrap(strings.Repeat(" ", 9), "not played: "+term.Brief(sentence))
		}
		fmt.Fprint(o.Out, indent(bounded(Transcript(c.Transcript)), 9), indent(bounded(Checks(c.Checks)), 9))
	}
}

// absent prints one line for all cases of a driver that this machine does not have.
func (o *Console) absent(s *Suite, c *Case) {
	if c.Name != s.Cases[0].Name {
		return
	}
	o.clear()
	o.wrap(fmt.Sprintf("%s  %s  %-8s  ", o.outcome(c.Outcome), term.Pad(term.OneLine(s.ID), o.wide),
		term.OneLine(s.Driver)), term.Count(len(s.Cases), "case")+": "+term.Brief(s.Absent))
}

// wrap prints a line after a label. On a narrow terminal the line is wrapped below its own beginning.
func (o *Console) wrap(label, text string) {
	lines := []string{text}
	if room := o.Columns - term.Width(label); o.Columns > 0 {
		lines = term.Wrap(text, max(room, 20))
	}
	for _, line := range lines {
		fmt.Fprintln(o.Out, strings.TrimRight(label+line, " "))
		label = strings.Repeat(" ", term.Width(label))
	}
}

// Finish prints the slowest cases, then the failures, each with its transcript, then how guests ended and their matrix,
// the counts, the reasons of skips, what was left out, and the paths of the reports.
func (o *Console) Finish(r *Run) error {
	o.clear()
	o.slowest(r)
	o.failures(r)
	for _, p := range r.Problems {
		fmt.Fprintf(o.Out, "\n%s  %s\n", o.outcome(scenario.Error), strings.TrimSpace(indent(term.Printable(p), 9)))
	}
	for _, p := range r.Leftovers {
		fmt.Fprintf(o.Out, "\n%s  left behind: %s\n", o.outcome(scenario.Error),
			strings.TrimSpace(indent(term.Printable(p), 9)))
	}
	o.guests(r)
	fmt.Fprintf(o.Out, "\n%s in %s\n%s%s", o.counts(r.Count()), duration(r.Duration), r.SkipsText(), r.LeftOutText())
	if slow := r.slow(); slow != "" {
		fmt.Fprintf(o.Out, "this machine takes %s times as long as usual: all limits for waiting were as much longer\n",
			term.OneLine(slow))
	}
	if len(o.Files) > 0 {
		fmt.Fprintf(o.Out, "reports: %s\n", term.OneLine(strings.Join(o.Files, ", ")))
	}
	return nil
}

// failures lists what did not pass. What several drivers say alike is one entry.
func (o *Console) failures(r *Run) {
	n := 0
	for _, f := range alike(r, whyBad) {
		if n++; n == 1 {
			fmt.Fprintln(o.Out, "\nWhat did not pass:")
		}
		fmt.Fprintf(o.Out, "\n%d. %s  %s\n", n, o.outcome(f.Case.Outcome), place(f.Suite, f.At, f.Case))
		fmt.Fprint(o.Out, indent(f.Said, 3))
		of := ""
		if len(f.At) > 1 {
			of = " of " + strings.TrimPrefix(played(f.At[:1]), "driver ")
		}
		if f.Case.Evidence != "" {
			fmt.Fprintf(o.Out, "   evidence%s in %s\n", of, term.OneLine(f.Case.Evidence))
		}
		if again := f.Suite.PlayAgain(f.Case); again != "" {
			fmt.Fprintf(o.Out, "   to run it again: %s\n", term.OneLine(again))
		}
		if len(f.Case.Transcript) > 0 {
			fmt.Fprint(o.Out, "   transcript"+of+":\n", indent(bounded(Transcript(f.Case.Transcript)), 5))
		}
	}
}

// briefly are the reasons why a case did not pass, one a line. The end of the console has the rest.
func (c *Case) briefly() (lines []string) {
	if c.Outcome == scenario.Pass {
		return nil
	}
	if c.Reason != "" {
		lines = append(lines, term.Brief(c.Reason))
	}
	for _, p := range c.Problems {
		line := term.Brief(firstLine(p.Message))
		if where := c.Where(p); where != "" {
			line = term.OneLine(where) + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// whyBad describes a case that went wrong itself, "" for others.
func whyBad(s *Suite, c *Case) string {
	silent := s.Guest == "" && len(c.Problems)+len(c.Transcript) == 0 && c.Duration == 0
	if !bad(c.Outcome) || silent {
		return "" // it was not run; the reason is a problem of the run
	}
	return c.Describe()
}

// place is the place of a case: scenario, where it was played, step, file and line.
func place(s *Suite, at []At, c *Case) string {
	where := s.ID
	if there := played(at); there != "" {
		where += ", " + there
	}
	if c.Step > 0 {
		where += fmt.Sprintf(", step %d", c.Step)
	}
	where += " “" + term.Brief(c.Name) + "”"
	if at := c.Where(scenario.Problem{}); at != "" {
		where += " (" + at + ")"
	}
	return term.OneLine(where)
}

// String is a line such as `12 cases: 10 passed, 1 failed, 1 skipped`; a count of 0 is left out, except that of passed
// cases.
func (c Counts) String() string {
	text := fmt.Sprintf("%s: %d passed", term.Count(c.Total(), "case"), c.Pass)
	if c.Error > 0 {
		text += ", " + term.Count(c.Error, "error")
	}
	for _, part := range []struct {
		n    int
		word string
	}{{c.Fail, "failed"}, {c.XPass, "passed unexpectedly"}, {c.Flaky, "flaky"}, {c.Blocked, "blocked"},
		{c.NotRun, "not run"}, {c.XFail, "failed as expected"}, {c.Skip, "skipped"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	return text
}

// counts are the counts in the colour of the worst of them.
func (o *Console) counts(c Counts) string {
	switch {
	case c.Bad() > 0:
		return o.paint(red, c.String())
	case c.Pass > 0:
		return o.paint(green, c.String())
	}
	return o.paint(yellow, c.String())
}

// bad reports whether a case itself went wrong: why others are blocked or were not run is told once.
func bad(outcome scenario.Outcome) bool {
	return outcome.Bad() && outcome != scenario.Blocked && outcome != scenario.NotRun
}

// Colours for term.Paint.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	faint  = "2"
)

// outcome is an outcome's word, padded to the longest one.
func (o *Console) outcome(outcome scenario.Outcome) string {
	word := fmt.Sprintf("%-7s", term.OneLine(string(outcome)))
	switch outcome {
	case scenario.Pass:
		return o.paint(green, word)
	case scenario.Skip, scenario.Blocked, scenario.XFail, scenario.NotRun:
		return o.paint(yellow, word)
	}
	return o.paint(red, word)
}

func (o *Console) faint(text string) string { return o.paint(faint, text) }

func (o *Console) paint(color, text string) string {
	if !o.Color {
		return text
	}
	return term.Paint(color, text)
}
