// Package face lays out what a learner sees of a lab, a sitting.View, as lines of text of a width: for the command lab
// in the lab's shell, and in parts for the screen of `harness lab watch`. What the lines say is the same everywhere.
// Commands and the screen import it. It writes nothing itself and never looks at a terminal; text that came out of a
// sandbox is escaped, so that its lines may go to term.Writer.Painted.
package face

import (
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/markdown"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// Page is where the learner is and what is open: the steps, the current one with its text, checks and hints, and what
// does not work yet.
func Page(v sitting.View, l sitting.Look) []string {
	return joined(Title(v, l), Steps(v, l), Prose(v, l), Checks(v, l), Hints(v, l), Answer(v.Answer, l))
}

// Progress is how far the current step is: its checks, and what does not work yet.
func Progress(v sitting.View, l sitting.Look) []string {
	return joined(Step(v, l), Checks(v, l), Answer(v.Answer, l))
}

// joined are parts with an empty line between them.
func joined(parts ...[]string) []string {
	var all []string
	for _, part := range parts {
		if len(part) > 0 && len(all) > 0 {
			all = append(all, "")
		}
		all = append(all, part...)
	}
	return all
}

// Title is the title of the scenario and the points earned so far.
func Title(v sitting.View, l sitting.Look) []string {
	points := fmt.Sprintf("%d of %s", v.Points, Points(v.OutOf))
	if v.Exam {
		points = "exam, " + points
	}
	title, wide := paint(l, bold, term.Brief(v.Title)), l.Width-term.Width(points)-2
	if term.Width(title) <= wide {
		return []string{term.Pad(title, wide) + "  " + points}
	}
	return append(hanging(l, "", "", strings.Fields(term.Brief(v.Title)), bold), points)
}

// Step names the current step, or says that all are done.
func Step(v sitting.View, l sitting.Look) []string {
	if v.Step < 1 || v.Step > len(v.Steps) {
		return hanging(l, done.of(l), done.paint, strings.Fields(AllDone(v)), "")
	}
	title := fmt.Sprintf("Step %d of %d: %s", v.Step, len(v.Steps), term.Brief(v.Steps[v.Step-1].Title))
	return hanging(l, "", "", strings.Fields(title), bold)
}

// AllDone is the sentence for a scenario of which all steps are done.
func AllDone(v sitting.View) string {
	return fmt.Sprintf("All %d steps are done: %d of %s.", len(v.Steps), v.Points, Points(v.OutOf))
}

// Points is a number of points in words.
func Points(n int) string {
	if n == 1 {
		return "1 point"
	}
	return fmt.Sprint(n, " points")
}

// Steps are all steps, one line each unless the title is longer.
func Steps(v sitting.View, l sitting.Look) []string {
	var lines []string
	digits := len(fmt.Sprint(len(v.Steps)))
	for i, step := range v.Steps {
		m, look := later, ""
		switch {
		case step.Done:
			m = done
		case i+1 == v.Step:
			m = here
		}
		if i+1 == v.Step {
			look = bold
		}
		text := term.Brief(step.Title)
		if note := remark(step); note != "" {
			text += " (" + note + ")"
		}
		begin := m.of(l) + fmt.Sprintf("%*d  ", digits, i+1)
		lines = append(lines, hanging(l, begin, m.paint, strings.Fields(text), look)...)
	}
	if v.Step > len(v.Steps) {
		lines = append(lines, Step(v, l)...)
	}
	return lines
}

// remark is what is unusual about a step.
func remark(s sitting.Step) string {
	var words []string
	if s.OutOf != 1 {
		words = append(words, Points(s.OutOf))
	}
	switch {
	case s.Solved:
		words = append(words, "solved for you")
	case s.Hints == 1:
		words = append(words, "1 hint")
	case s.Hints > 1:
		words = append(words, fmt.Sprint(s.Hints, " hints"))
	}
	return strings.Join(words, ", ")
}

// Prose is what stands at the current step: what comes before it, and its own text.
func Prose(v sitting.View, l sitting.Look) []string {
	return Markdown(strings.TrimSpace(v.Intro+"\n\n"+v.Prose), l)
}

// Hints are the hints that were told of the current step, and how many there are.
func Hints(v sitting.View, l sitting.Look) []string {
	var lines []string
	all := len(v.Hints) + max(v.HintsLeft, 0)
	for i, text := range v.Hints {
		begin := fmt.Sprintf("hint %d of %d:", i+1, all)
		lines = append(lines, hanging(l, tell.of(l), tell.paint, strings.Fields(begin), "")...)
		lines = append(lines, indented(l, 0, text)...)
	}
	return lines
}

// Answer is what is told about what does not work yet; nothing if that is nil.
func Answer(a *sitting.Answer, l sitting.Look) []string {
	if a == nil {
		return nil
	}
	lines := hanging(l, tell.of(l), tell.paint, strings.Fields(term.Brief(a.Title)), bold)
	blank := strings.Repeat(" ", term.Width(tell.of(l)))
	more := indented(l, 0, a.Text)
	if a.Repair != "" {
		more = append(more, blank+"repair: "+paint(l, cyan, term.Brief(a.Repair)))
	}
	if a.Name != "" {
		more = append(more, blank+"more:   "+paint(l, cyan, "harness explain "+term.Brief(a.Name)))
	}
	return append(lines, more...)
}

// Markdown is Markdown laid out in lines; none if it is empty.
func Markdown(text string, l sitting.Look) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	t := markdown.Terminal{Width: max(l.Width, least), Colour: l.Colour, ASCII: l.ASCII}
	return strings.Split(strings.TrimRight(markdown.Render(text, t), "\n"), "\n")
}

// indented is Markdown below a line with a mark, or deeper.
func indented(l sitting.Look, deeper int, text string) []string {
	blank := strings.Repeat(" ", term.Width(tell.of(l))+deeper)
	l.Width -= len(blank)
	lines := Markdown(text, l)
	for i, line := range lines {
		lines[i] = strings.TrimRight(blank+line, " ")
	}
	return lines
}
