package screen

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/term"
)

// Sheet prints labelled lines. On a terminal it wraps them to its width; elsewhere they stay whole.
type Sheet struct {
	out   io.Writer
	width int // 0 for no limit
	ascii bool
	err   error
}

// Sheet is a new sheet on standard output.
func (s *Screen) Sheet() *Sheet {
	sheet := &Sheet{out: s.Out, ascii: s.ASCII}
	if s.Terminal {
		sheet.width = s.Columns
	}
	return sheet
}

// Mark is a mark, such as an ellipsis, or its substitute in a locale that has ASCII characters only.
func (s *Sheet) Mark(mark, ascii string) string {
	if s.ascii {
		return ascii
	}
	return mark
}

// Line prints a label and a text; where the text wraps, it is indented by the width of the label.
func (s *Sheet) Line(label, text string) {
	lines := []string{text}
	if s.width > 0 {
		lines = term.Wrap(text, max(s.width-term.Width(label), 20))
	}
	for i, line := range lines {
		s.print(strings.TrimRight(Once(label, i)+line, " "))
	}
}

// Verbatim prints a label and a text that never wraps, such as a command to copy.
func (s *Sheet) Verbatim(label, text string) { s.print(label + text) }

func (s *Sheet) print(line string) {
	if _, err := fmt.Fprintln(s.out, line); err != nil && s.err == nil {
		s.err = err
	}
}

// Err is the first error of a write.
func (s *Sheet) Err() error { return s.err }

// Once is the label for line 0, and as many blanks for the following lines.
func Once(label string, i int) string {
	if i > 0 {
		return strings.Repeat(" ", term.Width(label))
	}
	return label
}
