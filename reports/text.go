package reports

import (
	"fmt"
	"strings"
	"time"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Clean makes all texts of a case printable.
func (c *Case) Clean() { c.Rewrite(term.Printable) }

// Rewrite applies f to each text of a case, except the harness's own words such as the outcome.
func (c *Case) Rewrite(f func(string) string) {
	c.Name, c.Evidence = f(c.Name), f(c.Evidence)
	c.SectionResult.Rewrite(f)
	for i := range c.Attempts {
		a := &c.Attempts[i]
		one := scenario.SectionResult{Reason: a.Reason, Problems: a.Problems, Checks: a.Checks, Transcript: a.Transcript}
		one.Rewrite(f)
		a.Reason = one.Reason
	}
	if e := c.Expectation; e != nil {
		c.Expectation = &Expectation{File: f(e.File), Line: e.Line, Reason: f(e.Reason), Link: f(e.Link), Expires: e.Expires}
	}
}

// Transcript formats the commands of a section as a console block, with their results.
func Transcript(exchanges []scenario.Exchange) string {
	var b strings.Builder
	for _, x := range exchanges {
		fmt.Fprintf(&b, "$ %s\n", x.Command)
		if x.Output != "" {
			b.WriteString(strings.TrimSuffix(x.Output, "\n") + "\n")
		}
		// the output of a driver in the process already contains the message
		if !strings.Contains(x.Output, x.Message) {
			b.WriteString("kernel: " + x.Message + "\n")
		}
		switch {
		case x.Errno != "":
			fmt.Fprintf(&b, "[%d] %s\n", x.Status, x.Errno)
		case x.Status != 0:
			fmt.Fprintf(&b, "[%d]\n", x.Status)
		}
		if x.Note != "" {
			b.WriteString("^ " + strings.ReplaceAll(x.Note, "\n", "\n  ") + "\n")
		}
	}
	return term.Printable(b.String())
}

// Checks lists the checks of a section with their outcomes, one a line.
func Checks(checks []scenario.CheckResult) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-7s %-8s line %d: %s", c.Outcome, c.Phase, c.Line, c.Text)
		if c.Outcome != scenario.Pass {
			if c.Reason != "" {
				b.WriteString(": " + c.Reason)
			} else if c.Found != "" {
				b.WriteString(": found " + c.Found)
			}
			if c.Hint != "" {
				b.WriteString(": hint " + c.Hint)
			}
		}
		b.WriteByte('\n')
	}
	return term.Printable(b.String())
}

// Where is the place of a problem: its own file and line, or else those of its section.
func (c *Case) Where(p scenario.Problem) string {
	file, line := p.File, p.Line
	if file == "" {
		file = c.File
	}
	if line == 0 {
		line = c.Line
	}
	switch {
	case file == "":
		return ""
	case line == 0:
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Describe explains why a case did not pass, with both sides of each comparison.
func (c *Case) Describe() string {
	var b strings.Builder
	if c.Reason != "" {
		b.WriteString(bounded(c.Reason) + "\n")
	}
	for _, p := range c.Problems {
		if where := c.Where(p); where != "" {
			b.WriteString(term.OneLine(where) + ": ")
		}
		b.WriteString(bounded(p.Message) + "\n")
		if p.Expected != "" {
			b.WriteString("  expected: " + indentRest(bounded(p.Expected), 12) + "\n")
		}
		if p.Found != "" {
			b.WriteString("  found:    " + indentRest(bounded(p.Found), 12) + "\n")
		}
		if p.Hint != "" {
			b.WriteString("  hint:     " + indentRest(p.Hint, 12) + "\n")
		}
		for _, line := range p.Diagnosis {
			b.WriteString("  " + indentRest(line, 12) + "\n")
		}
	}
	return term.Printable(b.String())
}

// bounded is a text of several lines, each of a length that can be read.
func bounded(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if len(line) > longLine {
			lines[i] = term.Brief(line)
		}
	}
	return strings.Join(lines, "\n")
}

// longLine is the length of a line above which it is shortened, in bytes.
const longLine = 480

// Headline is the reason why a case did not pass, in one line.
func (c *Case) Headline() string {
	if len(c.Problems) == 0 {
		return term.Brief(c.Reason)
	}
	p := c.Problems[0]
	p.Message = firstLine(p.Message)
	return p.Text()
}

// Why is what decided the outcome of a case, in one line: its reason or, if it has none, its headline.
func (c *Case) Why() string {
	if c.Reason != "" {
		return term.Brief(c.Reason)
	}
	return c.Headline()
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

func indentRest(s string, by int) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+strings.Repeat(" ", by))
}

func indent(s string, by int) string {
	s = strings.TrimRight(s, "\n")
	if s == "" {
		return ""
	}
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad) + "\n"
}

// duration formats a duration for people: 3 ms, 1.2 s.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
