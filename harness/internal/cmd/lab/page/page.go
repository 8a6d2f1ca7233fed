// Package page lays out where a learner is, for a terminal or a file: the step, its text, its checks and what can be
// done. Only the subcommands of lab import it; what it gets came out of a sandbox.
package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/face"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

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
		if _, err := fmt.Fprintln(s.Out); err != nil {
			return err
		}
		if err := s.Page(fmt.Sprintf("> Hint %d: %s\n", i+1, strings.ReplaceAll(hint, "\n", "\n> "))); err != nil {
			return err
		}
	}
	return hereNow(s, v, step)
}

// Where prints where the learner is, without what stands before the step: what is done, the step with its text, and
// what of it is open.
func Where(s *screen.Screen, v *sitting.View) error {
	if v.Step > len(v.Steps) {
		return all(s, v)
	}
	step := v.Steps[v.Step-1]
	text := fmt.Sprintf("# %s\n\n## Step %d of %d: %s\n", v.Title, v.Step, len(v.Steps), step.Title)
	if v.Prose != "" && !step.Done {
		text += "\n" + v.Prose + "\n"
	}
	if err := s.Page(text); err != nil {
		return err
	}
	if err := stillOpen(s, v, step); err != nil {
		return err
	}
	return hereNow(s, v, step)
}

// stillOpen prints the checks of a step that do not hold, and how many do. The text above it may be long, so that this
// is all that a learner sees.
func stillOpen(s *screen.Screen, v *sitting.View, step sitting.Step) error {
	open := step
	open.Checks = slices.DeleteFunc(slices.Clone(step.Checks), func(c sitting.Check) bool {
		return c.Status == sitting.Holds
	})
	held := len(step.Checks) - len(open.Checks)
	if len(open.Checks) > 0 {
		if _, err := fmt.Fprintln(s.Out); err != nil {
			return err
		}
		if err := s.Page(fmt.Sprintf("Open in step %d of %d, “%s”:\n", v.Step, len(v.Steps), step.Title)); err != nil {
			return err
		}
	}
	if err := checks(s, open); err != nil || held == 0 {
		return err
	}
	if len(open.Checks) == 0 {
		if _, err := fmt.Fprintln(s.Out); err != nil {
			return err
		}
	}
	told := fmt.Sprintf("%d of %d hold", held, len(step.Checks))
	_, err := fmt.Fprintln(s.Out.Painted(),
		strings.Join(face.Check(sitting.Check{Text: told, Status: sitting.Holds}, look(s)), "\n"))
	return err
}

func look(s *screen.Screen) sitting.Look {
	l := sitting.Look{Width: math.MaxInt32, Colour: s.Colour, ASCII: s.ASCII}
	if s.Terminal {
		l.Width = min(s.Columns, 100)
	}
	return l
}

// checks prints the checks of a step, each with what is there instead of it.
func checks(s *screen.Screen, step sitting.Step) error {
	if len(step.Checks) == 0 {
		return nil
	}
	lines := []string{""}
	for _, c := range step.Checks {
		if c.Status != sitting.Lost { // of what is not done yet it would be a long list
			c.Found = ""
		}
		lines = append(lines, face.Check(c, look(s))...)
	}
	_, err := fmt.Fprintln(s.Out.Painted(), strings.Join(lines, "\n"))
	return err
}

// hereNow says what can be done now.
func hereNow(s *screen.Screen, v *sitting.View, step sitting.Step) error {
	var says string
	switch {
	case step.Done && v.Step < len(v.Steps):
		says = fmt.Sprintf("Done. `lab next` goes on to step %d: %s.", v.Step+1, v.Steps[v.Step].Title)
	case v.Looks:
		says = face.OnlyLooks(*v)
	case len(step.Checks) > 0 && !slices.ContainsFunc(step.Checks, func(c sitting.Check) bool {
		return c.Status != sitting.Holds
	}):
		says = "All of it holds already: look at what the step shows, or go on with `lab next`."
	case v.Exam:
		says = "This is an exam: without hints."
	case v.HintsLeft > 0 && v.Kind == scenario.Challenge:
		says = fmt.Sprintf("`lab hint` gives a hint (%d left); `lab why` says what is wrong, and counts as one.",
			v.HintsLeft)
	case v.HintsLeft > 0:
		says = fmt.Sprintf("`lab hint` gives a hint (%d left), `lab why` says why something does not work yet.",
			v.HintsLeft)
	case v.Kind == scenario.Challenge:
		says = "`lab why` says what is wrong, and counts as a hint; `lab solve` does this step for you."
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
	if len(v.Steps) == 1 {
		text += fmt.Sprintf("“%s” is done", v.Title)
	} else {
		text += fmt.Sprintf("All %d steps of “%s” are done", len(v.Steps), v.Title)
	}
	if v.OutOf > 0 {
		text += ": " + face.Earned(*v)
	}
	return s.Page(text + ". Stay as long as you like; `exit` ends the lab.\n")
}
