package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
	"netnscheck/harness/term"
)

// maxLines is how many lines of one command are shown.
const maxLines = 10

// Log prints what a learner did, step by step: when, the command, its exit status if that is not 0, and what he was
// told of it. It is the latest part, with so many entries before it.
func Log(s *screen.Screen, v *sitting.View, all []progress.Entry, earlier int) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(s.Out, "Nothing was done yet.")
		return err
	}
	l := sitting.Look{Width: math.MaxInt32, Colour: s.Colour, ASCII: s.ASCII}
	if s.Terminal {
		l.Width = s.Columns
	}
	var lines []string
	if earlier > 0 {
		lines = append(lines, fmt.Sprintf("(%d before these are in the progress file.)", earlier), "")
	}
	var last progress.Entry
	for _, e := range all {
		newDay := day(e) != day(last) && !e.At.IsZero()
		if e.Step != last.Step || newDay {
			if last.Step != 0 {
				lines = append(lines, "")
			}
			title := heading(v, e.Step)
			if newDay {
				title += " (" + day(e) + ")"
			}
			lines = append(lines, cut(title, l))
		}
		lines = append(lines, entry(e, l)...)
		last = e
	}
	_, err := fmt.Fprintln(s.Out.Painted(), strings.Join(lines, "\n"))
	return err
}

func day(e progress.Entry) string { return e.At.Local().Format("2 January 2006") }

// heading names a step.
func heading(v *sitting.View, step int) string {
	if step < 1 || step > len(v.Steps) {
		return "After the last step"
	}
	return fmt.Sprintf("Step %d: %s", step, v.Steps[step-1].Title)
}

// asked is what a learner types for an act.
var asked = map[progress.Act]string{progress.Hint: "lab hint", progress.Why: "lab why", progress.Next: "lab next",
	progress.Solve: "lab solve", progress.ResetStep: "lab reset --step", progress.Reset: "lab reset"}

// entry is one entry.
func entry(e progress.Entry, l sitting.Look) (lines []string) {
	begin := "  " + e.At.Local().Format(time.TimeOnly) + "  "
	indent := strings.Repeat(" ", len(begin))
	line := asked[e.Do]
	if e.Do == "" {
		begin += term.OneLine(e.Netns)
		if e.Netns != "" {
			begin += " "
		}
		begin, line = begin+"$ ", e.Line
		switch {
		case e.Untold():
			line = "(a command that the shell does not tell)"
		case e.Cut:
			line += " ..."
		}
	}
	typed := strings.Split(line, "\n")
	if len(typed) > maxLines {
		typed = append(typed[:maxLines], "...")
	}
	for i, part := range typed {
		if i > 0 {
			begin = indent + "> "
		}
		lines = append(lines, cut(begin+term.OneLine(part), l))
	}
	if e.Status > 0 {
		lines = append(lines, fmt.Sprintf("%s[%d]", indent, e.Status))
	}
	inner := l
	inner.Width = max(l.Width-len(indent), 20)
	for _, told := range e.Told {
		lines = append(lines, indent+inner.Again(told))
	}
	return lines
}

// cut cuts a line to the width.
func cut(line string, l sitting.Look) string {
	dots := "…"
	if l.ASCII {
		dots = "..."
	}
	return term.Cut(term.OneLine(line), l.Width, dots)
}
