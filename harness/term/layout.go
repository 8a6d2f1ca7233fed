package term

import (
	"iter"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// measure counts columns as charmbracelet/x/ansi does, by the same library. x/ansi itself would initialize tables of
// its other methods whenever the program starts, and so in each worker, which takes longer than the rest of a start.
var measure = displaywidth.Options{ControlSequences: true}

// Width is the number of terminal columns of a line: two for an East Asian wide character or an emoji, none for a
// combining character and for the escape sequences of Paint.
func Width(s string) int { return measure.String(s) }

// Pad appends blanks to a line up to a width. A wider line is returned unchanged.
func Pad(s string, width int) string { return s + strings.Repeat(" ", max(width-Width(s), 0)) }

// Cut truncates a line to a width. A truncated line ends with end, such as an ellipsis.
func Cut(s string, width int, end string) string {
	if width < Width(end) {
		return ""
	}
	return measure.TruncateString(s, width, end)
}

// Characters are the grapheme clusters of a line, each with its width in columns.
func Characters(s string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for g := measure.StringGraphemes(s); g.Next(); {
			if !yield(g.Value(), g.Width()) {
				return
			}
		}
	}
}

// Wrap breaks a text at blanks into lines of at most the given width; a wider word has a line of its own.
func Wrap(text string, width int) []string {
	if Width(text) <= width {
		return []string{text}
	}
	return Fill(strings.Split(text, " "), " ", width)
}

// Fill joins words with gaps into lines of at most the given width; a wider word has a line of its own.
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

// Columns aligns the cells of rows in columns, two blanks apart.
func Columns(rows [][]string) []string { return columns(rows, natural(rows)) }

// ColumnsWithin is Columns for a width: if the rows are wider, the widest columns shrink and their cells wrap at
// blanks. A column stays as wide as its longest word, so lines may still be wider.
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

// natural are the widths of columns without wrapping.
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
