package grade

import (
	"fmt"
	"strconv"
	"strings"

	"netnscheck/harness/term"
)

// Look is how a terminal shows the table.
type Look struct {
	Width  int // in columns
	ASCII  bool
	Colour bool // for term.Writer.Painted
}

// symbol is a sign and how it looks.
type symbol struct{ sign, ascii, colour string }

var (
	passed = symbol{"✓", "+", "32"}
	failed = symbol{"✗", ".", "31"}
	full   = symbol{"█", "#", ""}
	empty  = symbol{"░", "-", ""}
)

func (k Look) show(s symbol) string {
	sign := s.sign
	if k.ASCII {
		sign = s.ascii
	}
	if k.Colour && s.colour != "" {
		return term.Paint(s.colour, sign)
	}
	return sign
}

func (k Look) cut(text string, width int) string {
	dots := "…"
	if k.ASCII {
		dots = "..."
	}
	return term.Cut(term.OneLine(text), max(width, 1), dots)
}

// longestName is how many columns of the table a name may take.
const longestName = 24

// Text is the table for a terminal.
func (c *Class) Text(k Look) string {
	var b strings.Builder
	fmt.Fprintln(&b, k.cut(c.Title, k.Width))
	fmt.Fprintln(&b, k.cut(c.about(), k.Width))
	b.WriteString("\n")
	c.rows(&b, k)
	c.causes(&b, k)
	c.bars(&b, k)
	return b.String()
}

// about says what the lab is worth.
func (c *Class) about() string {
	text := fmt.Sprintf("%s: %s, %s", c.Scenario, term.Count(len(c.Steps), "step"), term.Count(c.OutOf, "point"))
	if c.HintCost > 0 {
		text += fmt.Sprintf("; a hint costs %s", term.Count(c.HintCost, "point"))
	}
	return text
}

func (c *Class) rows(b *strings.Builder, k Look) {
	names := make([]string, len(c.Learners))
	wide := len("learner")
	for i, l := range c.Learners {
		names[i] = k.cut(l.Name, longestName)
		wide = max(wide, term.Width(names[i]))
	}
	cell := len(strconv.Itoa(len(c.Steps))) + 1
	head := make([]string, len(c.Steps))
	for i := range head {
		head[i] = fmt.Sprintf("%*d", cell, i+1)
	}
	perLine := max((k.Width-wide-len("  points 100/100"))/cell, 1)
	gap := cell - 1
	if len(head) > perLine { // marks alone, without numbers
		gap = 0
		fmt.Fprintf(b, "%s  steps 1 to %d\n", term.Pad("learner", wide), len(head))
	} else {
		fmt.Fprintf(b, "%s %s  points\n", term.Pad("learner", wide), strings.Join(head, ""))
	}
	for i, l := range c.Learners {
		if what := l.outcome(); what != "" {
			for n, line := range term.Wrap(term.OneLine(what), max(k.Width-wide-2, 20)) {
				name := names[i]
				if n > 0 {
					name = ""
				}
				fmt.Fprintf(b, "%s  %s\n", term.Pad(name, wide), line)
			}
			continue
		}
		marks := ""
		for _, m := range l.Marks {
			s := failed
			if m.Passed {
				s = passed
			}
			marks += strings.Repeat(" ", gap) + k.show(s)
		}
		if gap == 0 {
			marks = " " + marks
		}
		fmt.Fprintf(b, "%s %s  %d/%d%s\n", term.Pad(names[i], wide), marks, l.Points, c.OutOf, l.remarks())
	}
}

// causes tells of each learner what went wrong first.
func (c *Class) causes(b *strings.Builder, k Look) {
	for i, l := range c.wrong() {
		if i == 0 {
			fmt.Fprint(b, "\nWhat went wrong first:\n")
		}
		name := k.cut(l.Name, longestName)
		say := func(label, text string) {
			if text == "" {
				return
			}
			for n, line := range term.Wrap(term.OneLine(text), max(k.Width-term.Width(label), 20)) {
				if n > 0 {
					label = strings.Repeat(" ", term.Width(label))
				}
				fmt.Fprintln(b, label+k.cut(line, k.Width-term.Width(label))) // a long word is not broken
			}
		}
		if l.First == nil {
			say(name+": ", l.Trouble)
			continue
		}
		printed := ""
		if l.Trouble != "" {
			printed = k.cut(lastLine(l.Said), k.Width-len("  printed: "))
		}
		say(fmt.Sprintf("%s, step %d: ", name, l.First.Step), l.First.Check)
		say("  found: ", l.First.Found)
		say("  ", l.First.Note)
		for _, line := range l.First.Cause {
			say("  ", line)
		}
		say("  ", l.Trouble)
		say("  printed: ", printed)
	}
}

// lastLine is the last line of a text that is not empty.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// bars tells how many have passed each step.
func (c *Class) bars(b *strings.Builder, k Look) {
	graded := c.Count(Graded)
	if graded == 0 {
		return
	}
	fmt.Fprintf(b, "\nWhere the class is stuck (of %d graded):\n", graded)
	const bar = 20
	number := len(strconv.Itoa(len(c.Steps)))
	end := len(fmt.Sprintf(" %d passed, %d stuck here", graded, graded))
	wide := 0
	for _, s := range c.Steps {
		wide = max(wide, term.Width(term.OneLine(s.Title)))
	}
	wide = min(wide, max(k.Width-number-bar-end-4, 10))
	for i, s := range c.Steps {
		filled := s.Passed * bar / graded
		line := fmt.Sprintf("%*d  %s  %s%s %d passed", number, i+1, term.Pad(k.cut(s.Title, wide), wide),
			strings.Repeat(k.show(full), filled), strings.Repeat(k.show(empty), bar-filled), s.Passed)
		if s.Stuck > 0 {
			line += fmt.Sprintf(", %d stuck here", s.Stuck)
		}
		fmt.Fprintln(b, line)
	}
}
