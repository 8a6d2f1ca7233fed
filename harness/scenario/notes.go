package scenario

import (
	"fmt"
	"strconv"
)

// maxPoints is the largest number of points for a step or a scenario.
const maxPoints = 1_000_000

// note reads a comment: the words for a check that is not true, on the line below it, or the points of a step.
func (b *builder) note(n note) {
	switch {
	case n.word == failWord && n.line != b.checkEnd+1:
		b.add(n.line, "<!-- fail: … --> stands on the line below a check, and there is none above it")
	case n.word == failWord && b.judged:
		last := &b.current.Checks[len(b.current.Checks)-1]
		last.Fail = Note{Text: b.consoles.vars.replace(n.text, n.line, b.findings), Line: n.line, End: n.end}
	case n.word == failWord: // the check has a problem of its own
	case b.current == nil:
		b.add(n.line, "points outside a step: expected them below a heading ## …; those of the scenario stand in "+
			"the front "+
			"matter (points: %s)", n.text)
	case b.current.kind != StepSection:
		b.add(n.line, "points are for a step: expected them above its mistakes, and not in the set-up")
	case b.current.points.Line > 0:
		b.add(n.line, "the step has points already, in line %d", b.current.points.Line)
	default:
		b.current.points = Note{Text: n.text, Line: n.line, End: n.end}
	}
}

// pointsOf are the points of a section.
func (b *builder) pointsOf(d *draft) int {
	if d.points.Line == 0 {
		return 0
	}
	points, err := parsePoints(d.points.Text)
	switch {
	case err != nil:
		b.add(d.points.Line, "%v", err)
	case d.empty():
		b.add(d.points.Line, "points without a step: %q in line %d has neither commands nor checks", d.Title, d.Line)
	}
	return points
}

func parsePoints(text string) (int, error) {
	points, err := strconv.Atoi(text)
	if err != nil || points < 0 || points > maxPoints {
		return 0, fmt.Errorf("points are a whole number from 0 to %d, found %q", maxPoints, text)
	}
	return points, nil
}

// points adds up the points of the steps. If the front matter has points, too, in this line, the steps have no more
// than those, and exactly those if each of them has some.
func (b *builder) points(line int) {
	sum, stated := 0, 0
	for _, d := range b.sections {
		if d.points.Line > 0 {
			stated++
		}
	}
	for _, step := range b.sc.Steps {
		sum += step.Points
	}
	switch {
	case line == 0:
		b.sc.Points = sum
	case sum > b.sc.Points, stated == len(b.sc.Steps) && sum != b.sc.Points:
		b.add(line, "points: %d in the front matter, but those of the steps are %d together", b.sc.Points, sum)
	}
}
