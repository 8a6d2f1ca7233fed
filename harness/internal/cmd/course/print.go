package course

import (
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/term"
)

// Print shows the course, one line for each lab, and what to type for the next one.
func (c Course) Print(s *screen.Screen) error {
	sheet := s.Sheet()
	finished, begun := c.count()
	sheet.Line("", fmt.Sprintf("The course: %d of %d labs are finished%s.", finished, len(c.Labs),
		map[bool]string{true: "", false: fmt.Sprintf(", %d begun", begun)}[begun == 0]))
	sheet.Line("", "")
	if err := sheet.Err(); err != nil {
		return err
	}
	if err := s.List(c.rows(s)); err != nil {
		return err
	}
	sheet.Line("", "")
	for _, l := range c.Labs {
		if l.Changed {
			sheet.Line("* ", fmt.Sprintf("%s has changed since you began it.", l.ID))
		}
	}
	for _, problem := range c.Problems {
		sheet.Line("! ", problem)
	}
	if c.Next == "" {
		sheet.Line("", "All are finished.")
	} else {
		sheet.Verbatim("Next:  ", s.Type("lab start "+c.Next))
	}
	return sheet.Err()
}

// rows are the table of the labs, with its heading.
func (c Course) rows(s *screen.Screen) [][]string {
	finished, begun := "✓ ", "▸ "
	if s.ASCII {
		finished, begun = "x ", "> "
	}
	rows := [][]string{{"  LAB", "STEPS", "POINTS", "TITLE"}}
	for _, l := range c.Labs {
		mark, steps, points := "  ", fmt.Sprint(l.Steps), fmt.Sprint(l.OutOf)
		switch {
		case l.Finished:
			mark = finished
		case l.Begun:
			mark = begun
		}
		if l.Begun {
			steps, points = fmt.Sprintf("%d/%d", l.Done, l.Steps), fmt.Sprintf("%d/%d", l.Points, l.OutOf)
		}
		id := l.ID
		if l.Changed {
			id += " *"
		}
		rows = append(rows, []string{mark + id, steps, points, l.Title})
	}
	width := 0
	for _, row := range rows {
		width = max(width, term.Width(row[2]))
	}
	for _, row := range rows { // numbers end in one column
		row[1] = strings.Repeat(" ", max(0, 5-term.Width(row[1]))) + row[1]
		row[2] = strings.Repeat(" ", width-term.Width(row[2])) + row[2]
	}
	return rows
}
