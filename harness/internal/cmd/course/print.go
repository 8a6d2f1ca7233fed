package course

import (
	"cmp"
	"fmt"
	"strings"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/term"
)

// Print shows the course, one line for each lab, and what to type for the next one.
func (c Course) Print(s *screen.Screen) error {
	sheet := s.Sheet()
	finished, begun := c.count()
	of := ""
	if c.Folder != "" {
		of = " in " + term.OneLine(c.Folder)
	}
	sheet.Line("", fmt.Sprintf("The course%s: %d of %d labs are finished%s.", of, finished, len(c.Labs),
		map[bool]string{true: "", false: fmt.Sprintf(", %d begun", begun)}[begun == 0]))
	sheet.Line("", "")
	if err := sheet.Err(); err != nil {
		return err
	}
	if err := s.ListWithin(c.rows(s), titleColumns, "POINTS", "TITLE"); err != nil {
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
	c.lacking(s, sheet)
	switch {
	case c.Next == "" && finished == len(c.Labs):
		sheet.Line("", "All are finished.")
	case c.Next != "":
		sheet.Verbatim("Next:  ", s.Type("lab start "+term.ShellWord(c.Next)))
	}
	return sheet.Err()
}

// titleColumns is the least width for titles.
const titleColumns = 12

// lacking says of the labs that this machine cannot do why not.
func (c Course) lacking(s *screen.Screen, sheet *screen.Sheet) {
	mark := sheet.Mark("✗ ", "- ")
	var reasons []string
	of := map[string][]string{}
	some := ""
	for _, l := range c.Labs {
		if len(l.Lacks) == 0 || l.Finished {
			continue
		}
		some = cmp.Or(some, cmp.Or(l.File, l.ID))
		why := l.Lacks[0]
		if of[why] == nil {
			reasons = append(reasons, why)
		}
		of[why] = append(of[why], l.ID)
	}
	for _, why := range reasons {
		which := strings.Join(of[why], ", ")
		if len(of[why]) == len(c.Labs) {
			which = "none of them"
		}
		sheet.Line(mark, fmt.Sprintf("not to be done on this machine: %s (%s)", which, why))
	}
	if some != "" {
		sheet.Verbatim("What to do about that:  ", s.Type("doctor --lab "+term.ShellWord(some)))
	}
}

// rows are the table of the labs, with its heading.
func (c Course) rows(s *screen.Screen) [][]string {
	finished, begun, lacks := "✓ ", "▸ ", "✗ "
	if s.ASCII {
		finished, begun, lacks = "x ", "> ", "- "
	}
	rows := [][]string{{"  LAB", "STEPS", "POINTS", "TITLE"}}
	for _, l := range c.Labs {
		mark, steps, points := "  ", fmt.Sprint(l.Steps), fmt.Sprint(l.OutOf)
		switch {
		case l.Finished:
			mark = finished
		case len(l.Lacks) > 0:
			mark = lacks
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
