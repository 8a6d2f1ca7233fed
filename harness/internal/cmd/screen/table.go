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

// ListWithin is List, but columns are left out, in the order of their headings here, until the last one has room for so
// many columns. On a terminal it says which.
func (s *Screen) ListWithin(rows [][]string, room int, spare ...string) error {
	rows = slices.Clone(rows)
	var left []string
	for _, heading := range spare {
		if least(rows, room) <= s.Columns {
			break
		}
		column := slices.Index(rows[0], heading)
		for i, row := range rows {
			rows[i] = slices.Delete(slices.Clone(row), column, column+1)
		}
		left = append(left, heading)
	}
	if err := s.List(rows); err != nil || len(left) == 0 || !s.Terminal {
		return err
	}
	sheet := s.Sheet()
	sheet.Line("", "columns left out on this narrow terminal: "+strings.Join(left, ", ")+" (see --json)")
	return sheet.Err()
}

// least is how wide rows are if their last column has at most so many columns.
func least(rows [][]string, last int) int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], term.Width(cell))
		}
	}
	sum := 2 * (len(widths) - 1)
	for i, width := range widths {
		if i == len(widths)-1 {
			width = min(width, last)
		}
		sum += width
	}
	return sum
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
