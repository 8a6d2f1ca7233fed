package screen

import (
	"fmt"
	"io"
	"strings"

	"netnscheck/harness/term"
)

// Sheet is a page of findings for people. On a terminal it is as wide as that and wraps what is longer; elsewhere lines
// stay whole.
type Sheet struct {
	out   io.Writer
	width int // 0 for no limit
	ascii bool
	err   error
}

// Sheet is a new one, on standard output.
func (s *Screen) Sheet() *Sheet {
	sheet := &Sheet{out: s.Out, ascii: s.ASCII}
	if s.Terminal {
		sheet.width = s.Columns
	}
	return sheet
}

// Mark is a mark, such as an ellipsis, or what stands for it where the locale knows ASCII characters only.
func (s *Sheet) Mark(mark, ascii string) string {
	if s.ascii {
		return ascii
	}
	return mark
}

// Line writes a text behind a label; its further lines stand below its first.
func (s *Sheet) Line(label, text string) {
	lines := []string{text}
	if s.width > 0 {
		lines = term.Wrap(text, max(s.width-term.Width(label), 20))
	}
	for i, line := range lines {
		s.print(strings.TrimRight(Once(label, i)+line, " "))
	}
}

// Verbatim writes a text, such as a command that is to be copied, and never changes it.
func (s *Sheet) Verbatim(label, text string) { s.print(label + text) }

func (s *Sheet) print(line string) {
	if _, err := fmt.Fprintln(s.out, line); err != nil && s.err == nil {
		s.err = err
	}
}

// Err is the first error that writing met.
func (s *Sheet) Err() error { return s.err }

// Once is the label of the first line of several, and blanks for the others.
func Once(label string, i int) string {
	if i > 0 {
		return strings.Repeat(" ", term.Width(label))
	}
	return label
}
