package screen

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/term"
)

// List prints rows in columns, one line each, whoever reads it: it cuts the last cell where the line would be wider
// than the screen.
func (s *Screen) List(rows [][]string) error {
	dots := "…"
	if s.ASCII {
		dots = "..."
	}
	rows = slices.Clone(rows)
	last := len(rows[0]) - 1
	room := s.Columns
	for i := range last {
		widest := 0
		for _, row := range rows {
			widest = max(widest, term.Width(row[i]))
		}
		room -= widest + 2
	}
	for i, row := range rows {
		rows[i] = slices.Clone(row)
		rows[i][last] = term.Cut(row[last], max(room, term.Width(dots)), dots)
	}
	_, err := fmt.Fprintln(s.Out, strings.Join(term.Columns(rows), "\n"))
	return err
}

// Table prints rows in columns. On a terminal cells wrap to its width; elsewhere each row is one line.
func (s *Screen) Table(rows [][]string) error {
	lines := term.Columns(rows)
	if s.Terminal {
		lines = term.ColumnsWithin(rows, s.Columns)
	}
	_, err := fmt.Fprintln(s.Out, strings.Join(lines, "\n"))
	return err
}
