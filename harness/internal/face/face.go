// Package face lays out the parts of what a learner sees of a lab, a sitting.View, as lines of text of a width: for the
// command lab in the lab's shell, and for the screen of `harness lab watch`, which so look alike. Both import it. It
// writes nothing itself and never looks at a terminal; text that came out of a sandbox is escaped, so that its lines
// may go to term.Writer.Painted.
package face

import (
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/markdown"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

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
	if len(v.Steps) == 1 {
		return fmt.Sprintf("The step is done: %s.", Earned(v))
	}
	return fmt.Sprintf("All %d steps are done: %s.", len(v.Steps), Earned(v))
}

// Earned says how many points were earned, and with how many hints, which cost what who grades decides.
func Earned(v sitting.View) string {
	text := fmt.Sprintf("%d of %s", v.Points, term.Count(v.OutOf, "point"))
	hints := 0
	for _, step := range v.Steps {
		hints += max(step.Hints, 0)
	}
	switch hints {
	case 0:
		return text
	case 1:
		return text + ", with a hint, which may cost points where it is graded"
	}
	return fmt.Sprintf("%s, with %d hints, which may cost points where it is graded", text, hints)
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
