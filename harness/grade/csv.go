package grade

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"netnscheck/harness/term"
)

// CSV is the table for a spreadsheet: a header, and a line for each learner (RFC 4180, with LF).
func (c *Class) CSV() string {
	header := []string{"learner", "file", "seed", "status", "points", "out of", "exam", "hints"}
	for i, s := range c.Steps {
		header = append(header, fmt.Sprintf("%d %s", i+1, s.Title))
	}
	header = append(header, "first step", "first check", "found", "note", "cause", "trouble")
	var b strings.Builder
	writeRecord(&b, header)
	for _, l := range c.Learners {
		exam := ""
		if l.Exam {
			exam = "yes"
		}
		row := []string{l.Name, l.File, l.Seed, string(l.Status), strconv.Itoa(l.Points), strconv.Itoa(c.OutOf), exam,
			strconv.Itoa(l.hints())}
		for i := range c.Steps {
			switch {
			case l.Status != Graded:
				row = append(row, "")
			case l.Marks[i].Passed && l.Marks[i].Solved:
				row = append(row, "solved")
			case l.Marks[i].Passed:
				row = append(row, "pass")
			default:
				row = append(row, "fail")
			}
		}
		first, trouble := Open{}, l.Trouble
		step := ""
		if l.First != nil {
			first, step = *l.First, strconv.Itoa(l.First.Step)
		}
		if l.Status == Ungraded {
			trouble = l.Reason
		}
		writeRecord(&b, append(row, step, first.Check, first.Found, first.Note, strings.Join(first.Cause, "; "),
			trouble))
	}
	return b.String()
}

// writeRecord writes a line. Each field is quoted, so that none can be taken for two.
func writeRecord(b *strings.Builder, fields []string) {
	for i, field := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.ReplaceAll(harmless(field), `"`, `""`) + `"`)
	}
	b.WriteByte('\n')
}

// formula is the beginning of what a spreadsheet computes: at the beginning of a cell, perhaps behind blanks and
// quotes, or behind what separates cells for it, which is a semicolon where the comma is part of a number. In East
// Asian locales the wide forms count, too.
var formula = regexp.MustCompile(`(^|[;,|])([\s\p{Z}"']*[=+\-@` + "\uff1d\uff0b\uff0d\uff20" + `])`)

// harmless is a text that no spreadsheet takes for a formula or for more than one cell: control characters are made
// visible, and an apostrophe makes what would begin a formula a text.
func harmless(text string) string { return formula.ReplaceAllString(term.OneLine(text), "$1'$2") }
