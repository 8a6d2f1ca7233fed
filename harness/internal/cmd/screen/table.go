package screen

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// Table prints rows in columns. On a terminal cells wrap to its width; elsewhere each row is one line.
func (s *Screen) Table(rows [][]string) error {
	lines := term.Columns(rows)
	if s.Terminal {
		lines = term.ColumnsWithin(rows, s.Columns)
	}
	_, err := fmt.Fprintln(s.Out, strings.Join(lines, "\n"))
	return err
}
