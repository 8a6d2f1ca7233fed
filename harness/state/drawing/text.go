package drawing

import (
	"strings"

	"netnscheck/harness/term"
)

// Marks are the characters that distinguish states and wires without colour.
type marks struct {
	up, down, noCarrier    string
	cable, segment, broken string
}

func marksOf(ascii bool) marks {
	if ascii {
		return marks{"+", "-", "!", "---", "===", "x"}
	}
	return marks{"●", "○", "!", "──", "══", "×"}
}

func (m marks) of(s State) string {
	switch s {
	case Up:
		return m.up
	case Down:
		return m.down
	}
	return m.noCarrier
}

// The directions in which a line can leave a character cell.
const (
	north = iota
	east
	south
	west
)

// cell is one character of a canvas: the lines that leave it, 1 for a thin and 2 for a double one, or a text.
type cell struct {
	lines [4]int
	text  string
	taken bool // a character of text is here, or the second half of one
	look  string
}

// looks of what is painted, as term.Paint takes them. The marks say the same without colour.
var looks = map[State]string{Up: "32", Down: "31", NoCarrier: "33"}

// changedLook is the look of what changed last.
const changedLook = "1;33"

// Text renders the drawing as lines of text, each with a newline.
func (d *Drawing) Text() string { return d.canvas().text(false) }

// Painted is Text in colours, by term.Paint.
func (d *Drawing) Painted() string { return d.canvas().text(true) }

func (d *Drawing) canvas() canvas {
	grid := make([][]cell, d.Height)
	for i := range grid {
		grid[i] = make([]cell, d.Width)
	}
	c := canvas{grid, d.ascii}
	m := marksOf(d.ascii)
	for _, b := range d.Boxes {
		right, bottom := b.X+b.W-1, b.Y+b.H-1
		c.draw([]Point{{b.X, b.Y}, {right, b.Y}, {right, bottom}, {b.X, bottom}, {b.X, b.Y}}, 1)
	}
	for _, w := range d.Wires {
		weight := 1
		if w.Segment {
			weight = 2
		}
		c.draw(w.Points, weight)
	}
	for _, b := range d.Boxes {
		if b.Changed {
			c.write(b.X+b.TitleAt, b.Y, changedMark+b.Title+" ", changedLook)
		} else {
			c.write(b.X+b.TitleAt, b.Y, " "+b.Title+" ", "")
		}
		for i, l := range b.Lines {
			look := ""
			if l.Changed {
				c.write(b.X+1, b.Y+1+i, changedMark, changedLook)
				look = changedLook
			}
			x, room := b.X+2, b.W-4
			for _, part := range []struct{ text, look string }{
				{l.Before, look}, {l.stateText(m.of), looks[l.State]}, {l.After, look},
			} {
				part.text = cut(part.text, room, d.ascii)
				c.write(x, b.Y+1+i, part.text, part.look)
				x, room = x+term.Width(part.text), room-term.Width(part.text)
			}
		}
	}
	for _, w := range d.Wires {
		if w.Broken != nil {
			c.write(w.Broken.X, w.Broken.Y, m.broken, looks[NoCarrier])
		}
	}
	for _, l := range d.Labels {
		c.write(l.X, l.Y, l.Text, "")
	}
	return c
}

type canvas struct {
	grid  [][]cell
	ascii bool
}

// draw draws a line from corner to corner.
func (c canvas) draw(points []Point, weight int) {
	for i := 1; i < len(points); i++ {
		at, to := points[i-1], points[i]
		for at != to {
			next, out, in := at, east, west
			switch {
			case to.X > at.X:
				next.X++
			case to.X < at.X:
				next.X--
				out, in = west, east
			case to.Y > at.Y:
				next.Y++
				out, in = south, north
			default:
				next.Y--
				out, in = north, south
			}
			c.grid[at.Y][at.X].add(out, weight)
			c.grid[next.Y][next.X].add(in, weight)
			at = next
		}
	}
}

func (c *cell) add(direction, weight int) { c.lines[direction] = max(c.lines[direction], weight) }

// write writes a text over whatever is there.
func (c canvas) write(x, y int, s, look string) {
	for character, columns := range term.Characters(s) {
		for i := range columns {
			if x+i < len(c.grid[y]) {
				c.grid[y][x+i] = cell{taken: true, look: look}
			}
		}
		if x < len(c.grid[y]) {
			c.grid[y][x].text = character
		}
		x += columns
	}
}

func (c canvas) text(painted bool) string {
	var b strings.Builder
	for _, row := range c.grid {
		for len(row) > 0 && c.blank(row[len(row)-1]) {
			row = row[:len(row)-1]
		}
		for len(row) > 0 {
			run, text := 0, ""
			for ; run < len(row) && row[run].look == row[0].look; run++ {
				text += c.character(row[run])
			}
			if look := row[0].look; painted && look != "" {
				text = term.Paint(look, text)
			}
			b.WriteString(text)
			row = row[run:]
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// character is what is in a cell; "" for the second half of a wide character.
func (c canvas) character(of cell) string {
	if of.taken {
		return of.text
	}
	return c.glyph(of.lines)
}

func (c canvas) blank(of cell) bool { return c.character(of) == " " }

// glyphs are the characters for lines to the north, east, south and west, each thin or double.
var glyphs = map[[4]int]string{
	{1, 0, 1, 0}: "│", {0, 1, 0, 1}: "─", {0, 1, 1, 0}: "┌", {0, 0, 1, 1}: "┐", {1, 1, 0, 0}: "└", {1, 0, 0, 1}: "┘",
	{1, 1, 1, 0}: "├", {1, 0, 1, 1}: "┤", {0, 1, 1, 1}: "┬", {1, 1, 0, 1}: "┴",
	{2, 0, 2, 0}: "║", {0, 2, 0, 2}: "═", {0, 2, 2, 0}: "╔", {0, 0, 2, 2}: "╗", {2, 2, 0, 0}: "╚", {2, 0, 0, 2}: "╝",
	{2, 2, 2, 0}: "╠", {2, 0, 2, 2}: "╣", {0, 2, 2, 2}: "╦", {2, 2, 0, 2}: "╩",
	{0, 2, 1, 0}: "╒", {0, 1, 2, 0}: "╓", {0, 0, 1, 2}: "╕", {0, 0, 2, 1}: "╖", {1, 2, 0, 0}: "╘", {2, 1, 0, 0}: "╙",
	{1, 0, 0, 2}: "╛", {2, 0, 0, 1}: "╜", {1, 2, 1, 0}: "╞", {2, 1, 2, 0}: "╟", {1, 0, 1, 2}: "╡", {2, 0, 2, 1}: "╢",
	{0, 2, 1, 2}: "╤", {0, 1, 2, 1}: "╥", {1, 2, 0, 2}: "╧", {2, 1, 0, 1}: "╨",
}

// glyph is the character for lines. Of two crossing lines, the one from north to south is drawn over the other.
func (c canvas) glyph(lines [4]int) string {
	vertical, horizontal := max(lines[north], lines[south]), max(lines[east], lines[west])
	if vertical == 0 && horizontal == 0 {
		return " "
	}
	if lines[north] > 0 && lines[south] > 0 && lines[east] > 0 && lines[west] > 0 {
		lines[east], lines[west] = 0, 0
		horizontal = 0
	}
	if c.ascii {
		switch {
		case horizontal == 0:
			return "|"
		case vertical == 0 && horizontal == 2:
			return "="
		case vertical == 0:
			return "-"
		}
		return "+"
	}
	// The end of a line is drawn like its middle, and a line has one weight.
	if horizontal == 0 {
		lines[north], lines[south] = 1, 1
	}
	if vertical == 0 {
		lines[east], lines[west] = 1, 1
	}
	for i, weight := range []int{vertical, horizontal, vertical, horizontal} {
		if lines[i] > 0 {
			lines[i] = weight
		}
	}
	return glyphs[lines]
}
