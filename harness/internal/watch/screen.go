package watch

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/internal/face"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state/drawing"
	"netnscheck/harness/term"
)

// The least size that the screen is made for. In a narrow terminal the map is not beside the lesson, but in its place,
// by its key; in a low one, such as half of a terminal of 24 rows, the text of the step makes room for its checks.
const (
	leastColumns = 40
	leastRows    = 10
	wide         = 80 // columns, with the map
	high         = 20 // rows, with the text
)

// screen is what the terminal shows now, one string for each row.
func (m *model) screen() []string {
	var lines []string
	switch {
	case m.rows < leastRows || m.columns < leastColumns:
		lines = m.tooSmall()
	case m.view == nil:
		lines = m.page([]string{"Waiting for the lab."}, nil)
	case m.large:
		lines = m.page(m.window(m.chart(m.columns), m.rows-len(m.top())-1), nil)
	default:
		below := m.below()
		height := m.rows - len(m.top()) - 1
		if len(below) > 0 {
			height -= 1 + len(below)
		}
		lines = m.page(m.sides(height), below)
	}
	for len(lines) < m.rows {
		lines = append(lines, "")
	}
	lines = lines[:max(m.rows, 0)]
	for i, line := range lines {
		lines[i] = m.cut(line, m.columns)
	}
	return lines
}

func (m *model) sign(sign, ascii string) string {
	if m.look.ASCII {
		return ascii
	}
	return sign
}

// cut shortens a line to so many columns. What was painted ends there.
func (m *model) cut(line string, columns int) string {
	if term.Width(line) <= columns {
		return line
	}
	line = term.Cut(line, columns, m.sign("…", ">"))
	if m.look.Colour {
		line += "\x1b[0m"
	}
	return line
}

// faceOf is the look of a part of so many columns.
func (m *model) faceOf(columns int) sitting.Look {
	return sitting.Look{Width: columns, Colour: m.look.Colour, ASCII: m.look.ASCII}
}

func (m *model) paint(look, text string) string {
	if !m.look.Colour || text == "" {
		return text
	}
	return term.Paint(look, text)
}

func (m *model) tooSmall() []string {
	m.room = 0
	lines := term.Wrap(fmt.Sprintf("This terminal has %d%s%d characters, and this view needs %d%s%d.", m.columns,
		m.sign("×", "x"), m.rows, leastColumns, m.sign("×", "x"), leastRows), max(m.columns, 1))
	lines = append(lines, term.Wrap("Make it larger, or use: harness lab watch --plain", max(m.columns, 1))...)
	return append(lines, "q quit")
}

// page is a whole screen: the title, what is in the middle, what is below it, and the keys.
func (m *model) page(middle, below []string) []string {
	lines := append(m.top(), middle...)
	last := 1
	if len(below) > 0 {
		last += 1 + len(below)
	}
	for len(lines) < m.rows-last {
		lines = append(lines, "")
	}
	if len(below) > 0 {
		lines = append(append(lines, m.rule()), below...)
	}
	return append(lines, m.help())
}

// top is what stands above everything else.
func (m *model) top() []string {
	if m.rows < high {
		return []string{m.title()}
	}
	return []string{m.title(), m.rule()}
}

func (m *model) rule() string { return strings.Repeat(m.sign("─", "-"), m.columns) }

// title is the line at the top.
func (m *model) title() string {
	if m.view == nil {
		return ""
	}
	v := m.view
	where := fmt.Sprintf("%d of %s", v.Points, term.Count(v.OutOf, "point"))
	if v.Step >= 1 && v.Step <= len(v.Steps) {
		where = fmt.Sprintf("step %d of %d, ", v.Step, len(v.Steps)) + where
	}
	if v.Exam {
		where = "exam, " + where
	}
	room := m.columns - term.Width(where) - 2
	title := term.Pad(term.Cut(term.Brief(v.Title), room, m.sign("…", "...")), room)
	return m.paint("1", title) + "  " + where
}

// help is the line of the keys.
func (m *model) help() string {
	var keys []string
	switch {
	case m.question != nil:
		return m.paint("1", m.question.text)
	case m.large:
		keys = []string{"m the lesson"}
	case m.view != nil && m.view.Exam:
		keys = []string{"n next", "r reset", "m map"}
	default:
		keys = []string{"h hint", "n next", "s solve", "r reset", "m map"}
	}
	if m.room > 0 {
		keys = append(keys, m.sign("↑↓", "arrows")+" scroll")
	}
	keys = append(keys, "q quit")
	if line := strings.Join(keys, "   "); term.Width(line) <= m.columns {
		return line
	}
	return strings.Join(keys, " ")
}

// sides are the lesson on the left and the map on the right, in so many rows.
func (m *model) sides(height int) []string {
	if m.columns < wide {
		lines := make([]string, height)
		copy(lines, m.lesson(m.columns, height))
		return lines
	}
	left := min(max(m.columns*2/5, 36), 64)
	right := m.columns - left - 3
	text := m.lesson(left, height)
	chart := m.chart(right)
	if len(chart) > height {
		chart = append(chart[:height-1], m.sign("…", "...")+" m shows the whole map")
	}
	lines := make([]string, height)
	for i := range lines {
		var l, r string
		if i < len(text) {
			l = text[i]
		}
		if i < len(chart) {
			r = chart[i]
		}
		l = m.cut(l, left)
		lines[i] = strings.TrimRight(term.Pad(l, left)+" "+m.sign("│", "|")+" "+r, " ")
	}
	return lines
}

// chart is the map in so many columns.
func (m *model) chart(columns int) []string {
	if m.view.State == nil {
		return nil
	}
	d := drawing.Of(m.view.State, drawing.Options{Width: columns, ASCII: m.look.ASCII, Changed: m.view.Changed})
	text := d.Text()
	if m.look.Colour {
		text = d.Painted()
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// lesson is the current step. If it does not fit, its text is folded, then the checks that hold are, then what is there
// instead of the others.
func (m *model) lesson(columns, height int) []string {
	l := m.faceOf(columns)
	head, prose, checks := face.Step(*m.view, l), face.Prose(*m.view, l), face.Checks(*m.view, l)
	if s := m.current(); s.Done {
		done := sitting.Check{Text: "done: n, or the next command, goes on", Status: sitting.Holds}
		head = append(head, face.Check(done, l)...)
	}
	whole := joined(head, prose, checks, face.Hints(*m.view, l))
	if m.scroll > 0 || len(whole) <= height {
		return m.window(whole, height)
	}
	m.room = len(whole) - height
	if m.rows < high { // the checks are what changes
		prose = nil
	}
	if len(prose) > 0 && m.view.Prose != "" { // without what comes before the step
		prose = face.Markdown(m.view.Prose, l)
	}
	folded := min(len(prose), 3) // lines of the text that are always shown
	room := height - len(head) - folded - 2
	if len(checks) > room {
		checks = m.open(l, true)
	}
	if len(checks) > room {
		checks = m.open(l, false)
	}
	if left := height - len(head) - min(len(checks), room) - 2; len(prose) > left && left > 0 {
		prose = append(slices.Clip(prose[:left-1]), m.sign("…", "..."))
	}
	lines := joined(head, prose, checks)
	if len(lines) > height {
		lines = append(lines[:height-1], m.sign("…", "..."))
	}
	return lines
}

// current is the current step.
func (m *model) current() sitting.Step {
	if v := m.view; v.Step >= 1 && v.Step <= len(v.Steps) {
		return v.Steps[v.Step-1]
	}
	return sitting.Step{}
}

// open are the checks of the step, those that hold in one line, the others with what is there instead if found is set.
func (m *model) open(l sitting.Look, found bool) []string {
	var lines []string
	holding := 0
	all := m.current().Checks
	for _, c := range all {
		if c.Status == sitting.Holds {
			holding++
			continue
		}
		if !found {
			c.Found, c.Fail = "", ""
		}
		lines = append(lines, face.Check(c, l)...)
	}
	if holding == 0 {
		return lines
	}
	sum := sitting.Check{Text: fmt.Sprintf("%d of %d hold", holding, len(all)), Status: sitting.Holds}
	return append(face.Check(sum, l), lines...)
}

// window is the part of lines that is seen now.
func (m *model) window(lines []string, height int) []string {
	m.room = max(len(lines)-height, 0)
	m.scroll = min(m.scroll, m.room)
	return lines[m.scroll:min(m.scroll+height, len(lines))]
}

// below is what changed last, and then the answer to a key, or what does not work yet.
func (m *model) below() []string {
	l := m.faceOf(m.columns)
	var lines []string
	if n := len(m.view.Changed); n > 0 {
		more := ""
		if n > 1 {
			more = fmt.Sprintf(", and %d more", n-1)
		}
		text := term.Cut("* "+term.Brief(m.view.Changed[0]), m.columns-term.Width(more), m.sign("…", "..."))
		lines = append(lines, m.paint("1;33", text+more))
	}
	switch {
	case m.wrong:
		c := sitting.Answer{Title: m.said}
		lines = append(lines, face.Answer(&c, l)...)
	case m.said != "":
		lines = append(lines, face.Markdown(m.said, l)...)
	case m.waiting:
		lines = append(lines, m.sign("…", "..."))
	default:
		lines = append(lines, face.Answer(m.view.Answer, l)...)
	}
	most := max(m.rows/4, 6)
	if m.rows < high {
		most = 2
	}
	if len(lines) > most {
		lines = append(lines[:most-1], m.sign("…", "..."))
	}
	return lines
}

// joined are parts with an empty line between them.
func joined(parts ...[]string) []string {
	var all []string
	for _, part := range parts {
		if len(part) > 0 && len(all) > 0 {
			all = append(all, "")
		}
		all = append(all, part...)
	}
	return all
}
