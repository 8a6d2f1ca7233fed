package term

import (
	"iter"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// measure counts columns as charmbracelet/x/ansi does, whose library this is. x/ansi itself would fill tables of its
// other ways to count at every start of the program, and so of each worker, which takes longer than all the rest of a
// start.
var measure = displaywidth.Options{ControlSequences: true}

// Width is how many columns of a terminal a line takes: two for an East Asian wide character and for an emoji, none for
// a combining character and for the escape sequences of Paint.
func Width(s string) int { return measure.String(s) }

// Pad fills a line with blanks up to a width. A wider line stays as it is.
func Pad(s string, width int) string { return s + strings.Repeat(" ", max(width-Width(s), 0)) }

// Cut shortens a line to a width. One that was shortened has the end, such as an ellipsis, for its last character.
func Cut(s string, width int, end string) string {
	if width < Width(end) {
		return ""
	}
	return measure.TruncateString(s, width, end)
}

// Characters are the pieces of a line of which each is one character to who reads it, whatever it is made of, with the
// columns that it takes.
func Characters(s string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for g := measure.StringGraphemes(s); g.Next(); {
			if !yield(g.Value(), g.Width()) {
				return
			}
		}
	}
}

// Wrap breaks a text at its blanks into lines that are no wider than the width, but for a single word that is.
func Wrap(text string, width int) []string {
	if Width(text) <= width {
		return []string{text}
	}
	return Fill(strings.Split(text, " "), " ", width)
}

// Fill joins words, with a gap between two in one line, into lines that are no wider than the width, but for a single
// word that is.
func Fill(words []string, gap string, width int) []string {
	var lines []string
	used := 0
	for _, word := range words {
		wide := Width(word)
		switch last := len(lines) - 1; {
		case last < 0 || used > 0 && used+Width(gap)+wide > width:
			lines, used = append(lines, word), wide
		case used == 0:
			lines[last], used = word, wide
		default:
			lines[last], used = lines[last]+gap+word, used+Width(gap)+wide
		}
	}
	return lines
}

// Columns puts the cells of rows below each other, with a gap of two blanks between two columns.
func Columns(rows [][]string) []string { return columns(rows, natural(rows)) }

// ColumnsWithin is Columns for a width: where the rows are wider, the widest columns are made narrower, and their cells
// wrap at blanks. No column is made narrower than its longest word, so the lines may still be wider than that.
func ColumnsWithin(rows [][]string, width int) []string {
	widths := natural(rows)
	least := make([]int, len(widths))
	for _, row := range rows {
		for i, cell := range row {
			for word := range strings.FieldsSeq(cell) {
				least[i] = max(least[i], Width(word))
			}
		}
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, w := range widths {
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	var lines [][]string
	for _, row := range rows {
		cells := make([][]string, len(row))
		tall := 1
		for i, cell := range row {
			cells[i] = Wrap(cell, widths[i])
			tall = max(tall, len(cells[i]))
		}
		for n := range tall {
			line := make([]string, len(row))
			for i := range row {
				if n < len(cells[i]) {
					line[i] = cells[i][n]
				}
			}
			lines = append(lines, line)
		}
	}
	return columns(lines, natural(lines))
}

// natural are the widths of columns whose cells stand in one line.
func natural(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	return widths
}

func columns(rows [][]string, widths []int) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		var line strings.Builder
		for j, cell := range row {
			line.WriteString(Pad(cell, widths[j]) + "  ")
		}
		lines[i] = strings.TrimRight(line.String(), " ")
	}
	return lines
}
