package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"netnscheck/harness/internal/face"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

// Plain tells what changes in the lab line by line, in words, until it ends: for a screen reader, or a log. Nothing is
// written over, and marks and colours say nothing that words do not. The text of a step is laid out in so many columns;
// all other lines are whole sentences.
func Plain(ctx context.Context, out io.Writer, lab Lab, columns int, ascii bool) error {
	look := sitting.Look{Width: columns, ASCII: ascii}
	views, done := make(chan viewed), make(chan struct{})
	defer close(done)
	go func() {
		for {
			v, err := lab.Next()
			select {
			case views <- viewed{v, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var before *sitting.View
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("interrupted: %w", context.Cause(ctx))
		case now := <-views:
			if now.err != nil {
				if !errors.Is(now.err, io.EOF) {
					return now.err
				}
				_, err := fmt.Fprintln(out, "The lab has ended.")
				return err
			}
			for _, line := range told(before, &now.view, look) {
				if _, err := fmt.Fprintln(out, line); err != nil {
					return err
				}
			}
			before = &now.view
		}
	}
}

// told is what a view says that the one before did not; all of it if there was none.
func told(before, v *sitting.View, l sitting.Look) []string {
	var lines []string
	if before == nil {
		lines = append(lines, term.Brief(v.Title)+".")
		before = &sitting.View{Changed: v.Changed}
	}
	if !slices.Equal(before.Changed, v.Changed) {
		lines = append(lines, changes(v.Changed)...)
	}
	if before.Step != v.Step {
		if old := before.Step; old >= 1 && old <= len(v.Steps) && v.Steps[old-1].Done && !before.Steps[old-1].Done {
			lines = append(lines, fmt.Sprintf("Step %d is done.", old))
		}
		return append(lines, begun(v, l)...)
	}
	lines = append(lines, judged(before, v)...)
	for i := len(before.Hints); i < len(v.Hints); i++ {
		all := len(v.Hints) + max(v.HintsLeft, 0)
		lines = append(lines, fmt.Sprintf("Hint %d of %d:", i+1, all))
		lines = append(lines, face.Markdown(v.Hints[i], l)...)
	}
	if a := v.Answer; a != nil && (before.Answer == nil || *before.Answer != *a) {
		lines = append(lines, answer(a, l)...)
	}
	return lines
}

// mostChanges is how many changes are told in full.
const mostChanges = 5

func changes(changed []string) []string {
	var lines []string
	for i, sentence := range changed {
		if i == mostChanges {
			return append(lines, fmt.Sprintf("Changed: %d more.", len(changed)-i))
		}
		lines = append(lines, "Changed: "+term.Brief(sentence)+".")
	}
	return lines
}

// begun is the beginning of a step.
func begun(v *sitting.View, l sitting.Look) []string {
	lines := []string{strings.Join(face.Step(*v, unmarked), " ")}
	if v.Step < 1 || v.Step > len(v.Steps) {
		lines[0] = face.AllDone(*v)
	}
	lines = append(lines, face.Prose(*v, l)...)
	for _, c := range current(v) {
		lines = append(lines, check(c, "Holds: ", ""))
	}
	for i, hint := range v.Hints {
		lines = append(append(lines, fmt.Sprintf("Hint %d:", i+1)), face.Markdown(hint, l)...)
	}
	if v.Answer != nil {
		lines = append(lines, answer(v.Answer, l)...)
	}
	return lines
}

// unmarked never wraps.
var unmarked = sitting.Look{Width: 1 << 20, ASCII: true}

// current are the checks of the current step.
func current(v *sitting.View) []sitting.Check {
	if v.Step < 1 || v.Step > len(v.Steps) {
		return nil
	}
	return v.Steps[v.Step-1].Checks
}

// judged is what became of the checks of a step, and whether it is done now.
func judged(before, v *sitting.View) []string {
	var lines []string
	was, now := current(before), current(v)
	holding := 0
	for _, c := range now {
		if c.Status == sitting.Holds {
			holding++
		}
	}
	for i, c := range now {
		if i < len(was) && was[i].Status == c.Status && (c.Status == sitting.Holds || was[i].Found == c.Found) {
			continue
		}
		lines = append(lines, check(c, "Holds now: ", fmt.Sprintf(" (%d of %d)", holding, len(now))))
	}
	if len(now) > 0 && v.Steps[v.Step-1].Done && !before.Steps[v.Step-1].Done {
		lines = append(lines, fmt.Sprintf("Step %d is done.", v.Step)+
			" The next one begins with the next command, or with lab next.")
	}
	return lines
}

// check is a check in one sentence.
func check(c sitting.Check, holds, count string) string {
	text := strings.ReplaceAll(term.Brief(c.Text), "`", "")
	switch {
	case c.Status == sitting.Holds:
		return holds + text + count
	case c.Status == sitting.Lost:
		text = "No longer: " + text
	case c.Status == sitting.Undecided && c.Found != "":
		return "Not judged: " + text + "; " + term.Brief(c.Found)
	default:
		text = "Open: " + text
	}
	if c.Found != "" {
		text += "; found: " + term.Brief(c.Found)
	}
	return text
}

func answer(a *sitting.Answer, l sitting.Look) []string {
	lines := append([]string{"Not right yet: " + term.Brief(a.Title)}, face.Markdown(a.Text, l)...)
	if a.Repair != "" {
		lines = append(lines, "Repair: "+term.Brief(a.Repair))
	}
	return lines
}
