// Package page lays out where a learner is, for a terminal or a file: the step, its text, its checks and what can be
// done. Only the subcommands of lab import it; what it gets came out of a sandbox.
package page

import (
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// marks are how a check is marked, and without other characters than those of ASCII.
var marks = map[sitting.Status][2]string{
	sitting.Holds: {"✓ ", "[x] "}, sitting.Open: {"· ", "[ ] "}, sitting.Lost: {"✗ ", "[!] "},
	sitting.Undecided: {"? ", "[?] "},
}

// looks are the colours of the marks.
var looks = map[sitting.Status]string{sitting.Holds: "32", sitting.Lost: "31"}

// Step prints the current step, or that all are done: with its text if prose is set, and its checks.
func Step(s *screen.Screen, v *sitting.View, prose bool) error {
	if v.Step > len(v.Steps) {
		return all(s, v)
	}
	step := v.Steps[v.Step-1]
	var text strings.Builder
	if prose && v.Step == 1 {
		fmt.Fprintf(&text, "# %s\n\n", v.Title)
	}
	if prose && v.Intro != "" {
		text.WriteString(v.Intro + "\n\n")
	}
	fmt.Fprintf(&text, "## Step %d of %d: %s\n", v.Step, len(v.Steps), step.Title)
	if prose && v.Prose != "" {
		text.WriteString("\n" + v.Prose + "\n")
	}
	if err := s.Page(text.String()); err != nil {
		return err
	}
	if err := checks(s, step); err != nil {
		return err
	}
	for i, hint := range v.Hints {
		if err := s.Page(fmt.Sprintf("\n> Hint %d: %s\n", i+1, strings.ReplaceAll(hint, "\n", "\n> "))); err != nil {
			return err
		}
	}
	return hereNow(s, v, step)
}

// checks prints the checks of a step, each with what is there instead of it.
func checks(s *screen.Screen, step sitting.Step) error {
	if len(step.Checks) == 0 {
		return nil
	}
	lines := []string{""}
	for _, c := range step.Checks {
		mark, ok := marks[c.Status]
		if !ok {
			mark = marks[sitting.Undecided]
		}
		begin := mark[0]
		if s.ASCII {
			begin = mark[1]
		}
		lines = append(lines, folded(s, begin, looks[c.Status], c.Text)...)
		if c.Status == sitting.Lost && c.Found != "" {
			lines = append(lines, folded(s, strings.Repeat(" ", term.Width(begin)), "", "now: "+c.Found)...)
		}
	}
	_, err := fmt.Fprintln(s.Out.Painted(), strings.Join(lines, "\n"))
	return err
}

// folded is a text behind a mark, in lines of the terminal.
func folded(s *screen.Screen, mark, look, text string) []string {
	width := term.Width(mark)
	painted := mark
	if s.Colour && look != "" {
		painted = term.Paint(look, mark)
	}
	lines := []string{term.OneLine(text)}
	if s.Terminal {
		lines = term.Wrap(term.OneLine(text), max(min(s.Columns, 100)-width, 20))
	}
	for i := range lines {
		if i == 0 {
			lines[i] = painted + lines[i]
		} else {
			lines[i] = strings.Repeat(" ", width) + lines[i]
		}
	}
	return lines
}

// hereNow says what can be done now.
func hereNow(s *screen.Screen, v *sitting.View, step sitting.Step) error {
	var says string
	switch {
	case step.Done && v.Step < len(v.Steps):
		says = fmt.Sprintf("Done. `lab next` goes on to step %d: %s.", v.Step+1, v.Steps[v.Step].Title)
	case v.Exam:
		says = "This is an exam: without hints."
	case v.HintsLeft > 0:
		says = fmt.Sprintf("`lab hint` gives a hint (%d left), `lab why` says why something does not work yet.",
			v.HintsLeft)
	default:
		says = "`lab why` says why something does not work yet, `lab solve` does this step for you."
	}
	if _, err := fmt.Fprintln(s.Out); err != nil {
		return err
	}
	return s.Page(says + "\n")
}

// all says that all steps are done.
func all(s *screen.Screen, v *sitting.View) error {
	text := ""
	if v.Intro != "" {
		text = v.Intro + "\n\n"
	}
	text += fmt.Sprintf("All %d steps of “%s” are done", len(v.Steps), v.Title)
	if v.OutOf > 0 {
		text += fmt.Sprintf(": %d of %d points", v.Points, v.OutOf)
	}
	return s.Page(text + ". Stay as long as you like; `exit` ends the lab.\n")
}
