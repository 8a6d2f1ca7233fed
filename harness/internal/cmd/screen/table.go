package screen

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// Table writes rows in columns. On a terminal they are as wide as that; elsewhere each row stays one line.
func (s *Screen) Table(rows [][]string) error {
	lines := term.Columns(rows)
	if s.Terminal {
		lines = term.ColumnsWithin(rows, s.Columns)
	}
	_, err := fmt.Fprintln(s.Out, strings.Join(lines, "\n"))
	return err
}
