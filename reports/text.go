package reports

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"netnscheck/harness/scenario"
)

// Printable makes text of what a kernel or a program printed that any terminal shows as it is and that XML 1.0 can hold. What
// is not valid UTF-8, control characters other than tab and newline, and U+FFFE and U+FFFF become visible: `\x1b`, `\u009b`.
// Printable text comes out as it went in.
func Printable(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; {
		r, size := utf8.DecodeRuneInString(s[i:])
		clean = printable(r, size)
		i += size
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case printable(r, size):
			b.WriteRune(r)
		case r < 0x80 || r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func printable(r rune, size int) bool {
	switch {
	case r == '\t' || r == '\n':
		return true
	case r == utf8.RuneError && size == 1:
		return false
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return false
	}
	return r != 0xfffe && r != 0xffff
}

// Clean makes all texts of a case printable.
func (c *Case) Clean() {
	clean := func(texts ...*string) {
		for _, t := range texts {
			*t = Printable(*t)
		}
	}
	clean(&c.Name, &c.Title, &c.File, &c.Reason)
	for i := range c.Missing {
		clean(&c.Missing[i])
	}
	for i := range c.Problems {
		p := &c.Problems[i]
		clean(&p.File, &p.Message, &p.Expected, &p.Found)
		for j := range p.Diagnosis {
			clean(&p.Diagnosis[j])
		}
	}
	for i := range c.Checks {
		k := &c.Checks[i]
		clean(&k.Text, &k.Expected, &k.Found, &k.Reason)
	}
	for i := range c.Transcript {
		x := &c.Transcript[i]
		clean(&x.Command, &x.Output, &x.Message, &x.Note)
		for j := range x.Argv {
			clean(&x.Argv[j])
		}
	}
}

// Transcript shows the commands of a section as they ran, as a console block does.
func Transcript(exchanges []scenario.Exchange) string {
	var b strings.Builder
	for _, x := range exchanges {
		fmt.Fprintf(&b, "$ %s\n", Printable(x.Command))
		if x.Output != "" {
			b.WriteString(strings.TrimSuffix(Printable(x.Output), "\n") + "\n")
		}
		if !strings.Contains(x.Output, x.Message) { // a driver in the process has printed it, and not all of it is the kernel's
			b.WriteString("kernel: " + Printable(x.Message) + "\n")
		}
		switch {
		case x.Errno != "":
			fmt.Fprintf(&b, "[%d] %s\n", x.Status, x.Errno)
		case x.Status != 0:
			fmt.Fprintf(&b, "[%d]\n", x.Status)
		}
		if x.Note != "" {
			b.WriteString("^ " + strings.ReplaceAll(Printable(x.Note), "\n", "\n  ") + "\n")
		}
	}
	return b.String()
}

// Checks lists the checks of a section and their outcomes, a line each.
func Checks(checks []scenario.CheckResult) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%-7s %-8s line %d: %s", c.Outcome, c.Phase, c.Line, Printable(c.Text))
		if c.Outcome != scenario.Pass {
			if c.Reason != "" {
				b.WriteString(": " + Printable(c.Reason))
			} else if c.Found != "" {
				b.WriteString(": found " + Printable(c.Found))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Where is the place of a problem: the file and line that it names, else those of its section.
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

// Describe says why a case did not pass, with both sides of each comparison.
func (c *Case) Describe() string {
	var b strings.Builder
	if c.Reason != "" {
		b.WriteString(Printable(c.Reason) + "\n")
	}
	for _, p := range c.Problems {
		if where := c.Where(p); where != "" {
			b.WriteString(Printable(where) + ": ")
		}
		b.WriteString(Printable(p.Message) + "\n")
		if p.Expected != "" || p.Found != "" {
			b.WriteString("  expected: " + indentRest(Printable(p.Expected), 12) + "\n")
			b.WriteString("  found:    " + indentRest(Printable(p.Found), 12) + "\n")
		}
		for _, line := range p.Diagnosis {
			b.WriteString("  " + indentRest(Printable(line), 12) + "\n")
		}
	}
	return b.String()
}

// headline is the shortest account of why a case did not pass: one line.
func (c *Case) headline() string {
	text := c.Reason
	if len(c.Problems) > 0 {
		p := c.Problems[0]
		text, _, _ = strings.Cut(strings.TrimSpace(p.Message), "\n")
		if p.Expected != "" || p.Found != "" {
			text += ": expected " + p.Expected + ", found " + p.Found
		}
	}
	return strings.Join(strings.Fields(Printable(text)), " ")
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

// duration is a time for people: 3 ms, 1.2 s.
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
