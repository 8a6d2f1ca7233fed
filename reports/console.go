package reports

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Verbosity is how much the console says of cases that passed.
type Verbosity int

const (
	Quiet   Verbosity = iota - 1 // failures and the summary
	Normal                       // a line per case
	Verbose                      // its checks and its transcript, too
)

// Console tells people what comes of a run while it goes, and sums it up.
type Console struct {
	Out   io.Writer // with Color one that lets looks pass
	Color bool      // outcomes are words with and without
	Options

	total, done int
	wide        int // columns for the names of scenarios
	counting    bool
}

func newConsole(out io.Writer, o Options) Sink {
	if o.Painted != nil {
		return &Console{Out: o.Painted, Color: true, Options: o}
	}
	return &Console{Out: out, Options: o}
}

// Plan tells the console what will run.
func (o *Console) Plan(suites []Suite) {
	for i := range suites {
		o.total += len(suites[i].Cases)
		o.wide = max(o.wide, term.Width(term.OneLine(suites[i].ID)))
	}
}

// Begin says which case runs now.
func (o *Console) Begin(s *Suite, c *Case) {
	if o.Progress == nil {
		return
	}
	o.clear()
	line := term.OneLine(fmt.Sprintf("%d/%d  %s  %s  %s", o.done+1, o.total, s.ID, s.Driver, c.Name))
	room := 76
	if o.Columns > 0 {
		room = min(room, o.Columns-1) // a full line would go on in the next one, which is not taken away
	}
	fmt.Fprint(o.Progress, term.Cut(line, room, "…"))
	o.counting = true
}

// clear takes the count away.
func (o *Console) clear() {
	if o.counting {
		fmt.Fprint(o.Progress, "\r\x1b[K")
		o.counting = false
	}
}

// Say prints a line of its own, or several.
func (o *Console) Say(format string, args ...any) {
	o.clear()
	fmt.Fprintln(o.Out, term.Printable(fmt.Sprintf(format, args...)))
}

// End tells what came of a case.
func (o *Console) End(s *Suite, c *Case) {
	o.done++
	if o.Verbosity == Quiet && !bad(c.Outcome) {
		return
	}
	o.clear()
	label := fmt.Sprintf("%s  %s  %-8s  ", o.outcome(c.Outcome), term.Pad(term.OneLine(s.ID), o.wide),
		term.OneLine(s.Driver))
	o.wrap(label, term.OneLine(c.Name)+"  "+o.faint("("+duration(c.Duration)+")"))
	switch {
	case c.Outcome == scenario.Pass:
	case len(c.Problems) == 0:
		for line := range strings.Lines(c.Describe()) {
			o.wrap(strings.Repeat(" ", 9), strings.TrimSuffix(line, "\n"))
		}
	default: // which quotes commands and what they print
		fmt.Fprint(o.Out, indent(c.Describe(), 9))
	}
	if o.Verbosity == Verbose {
		fmt.Fprint(o.Out, indent(Transcript(c.Transcript), 9), indent(Checks(c.Checks), 9))
	}
}

// wrap prints a line behind a label. On a terminal that is too narrow for it, it goes on below its own beginning.
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

// Finish tells which cases were slow and repeats what did not pass, each with its transcript; then come the counts,
// what was left out, and where the reports are.
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
	fmt.Fprintf(o.Out, "\n%s in %s\n%s", o.counts(r.Count()), duration(r.Duration), r.LeftOutText())
	if len(o.Files) > 0 {
		fmt.Fprintf(o.Out, "reports: %s\n", term.OneLine(strings.Join(o.Files, ", ")))
	}
	return nil
}

func (o *Console) failures(r *Run) {
	n := 0
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			c := &r.Suites[i].Cases[j]
			if !bad(c.Outcome) || len(c.Problems)+len(c.Transcript) == 0 && c.Duration == 0 {
				continue // it was not run at all: that is told once, below
			}
			if n++; n == 1 {
				fmt.Fprintln(o.Out, "\nWhat did not pass:")
			}
			o.failure(n, &r.Suites[i], c)
		}
	}
}

func (o *Console) failure(n int, s *Suite, c *Case) {
	fmt.Fprintf(o.Out, "\n%d. %s  %s\n", n, o.outcome(c.Outcome), place(s, c))
	fmt.Fprint(o.Out, indent(c.Describe(), 3))
	if len(c.Transcript) > 0 {
		fmt.Fprint(o.Out, "   transcript:\n", indent(Transcript(c.Transcript), 5))
	}
}

// place says where a case is: scenario, driver, step, file and line.
func place(s *Suite, c *Case) string {
	where := s.ID
	if s.Driver != "" {
		where += ", driver " + s.Driver
	}
	if c.Step > 0 {
		where += fmt.Sprintf(", step %d", c.Step)
	}
	where += " “" + c.Name + "”"
	if at := c.Where(scenario.Problem{}); at != "" {
		where += " (" + at + ")"
	}
	return term.OneLine(where)
}

// counts is `12 cases: 10 passed, 1 failed, 1 skipped`; what there is none of is left out, but for those that passed.
func (o *Console) counts(c Counts) string {
	text := fmt.Sprintf("%s: %d passed", plural(c.Total(), "case"), c.Pass)
	if c.Error > 0 {
		text += ", " + plural(c.Error, "error")
	}
	for _, part := range []struct {
		n    int
		word string
	}{{c.Fail, "failed"}, {c.Blocked, "blocked"}, {c.Skip, "skipped"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.word)
		}
	}
	switch {
	case c.Bad() > 0:
		return o.paint(red, text)
	case c.Pass > 0:
		return o.paint(green, text)
	}
	return o.paint(yellow, text)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func bad(outcome scenario.Outcome) bool {
	return outcome != scenario.Pass && outcome != scenario.Skip && outcome != scenario.Blocked
}

// Colours, as term.Paint takes them.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	faint  = "2"
)

// outcome is the word, as wide as the longest one.
func (o *Console) outcome(outcome scenario.Outcome) string {
	word := fmt.Sprintf("%-7s", term.OneLine(string(outcome)))
	switch outcome {
	case scenario.Pass:
		return o.paint(green, word)
	case scenario.Skip, scenario.Blocked:
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
