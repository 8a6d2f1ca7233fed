package scenario

import (
	"strconv"
	"strings"
)

// anyText stands for any text inside a line, and for any number of lines when it is alone on one.
const anyText = "..."

// Mismatch is the first line of an expected output that the real one does not have.
type Mismatch struct {
	// Line is the index in the expected lines, their number when the real output goes on after them.
	Line     int
	Expected string // the line, or "the end of the output"
	Found    string // the line, or "the end of the output"
}

func (m *Mismatch) Error() string { return "expected " + m.Expected + ", found " + m.Found }

const endOfOutput = "the end of the output"

// MatchOutput compares what a command printed with the lines of a console block; nil means that it fits. In both, runs
// of blanks count as one, blanks at the end of a line do not count, nor do empty lines at the end of the output. An
// empty line before that fits an empty line alone. `...` in a line fits any text, also none; alone on a line any number
// of lines, also none.
func MatchOutput(want []string, got string) *Mismatch {
	found := outputLines(strings.Split(got, "\n"))
	expected := outputLines(want)
	at := 0 // in found: all before it is spoken for
	for start := 0; ; {
		// A segment is the lines up to the next rule of any lines; it has to be found in one piece.
		end := start
		for end < len(expected) && !isAnyLines(expected[end]) {
			end++
		}
		segment := expected[start:end]
		first, last := start == 0, end == len(expected)
		begin, bad := findSegment(segment, found, at, first, last)
		if bad != nil {
			bad.Line += start
			return bad
		}
		if last {
			return nil
		}
		at = begin + len(segment)
		start = end + 1
	}
}

// findSegment is the first place from `at` on where the lines of the segment stand one after the other: exactly there
// if the segment is the output's first, up to its very end if it is the last. Else the mismatch is where the best
// attempt broke off.
func findSegment(segment, found []string, at int, first, last bool) (int, *Mismatch) {
	from, to := at, len(found)-len(segment)
	switch {
	case first:
		to = at
	case last:
		from = max(at, to)
		to = from
	}
	to = max(from, to) // at least one attempt, so that the mismatch can be told
	best := &Mismatch{Line: -1}
	for begin := from; begin <= to; begin++ {
		fits := 0
		for fits < len(segment) && begin+fits < len(found) && matchLine(segment[fits], found[begin+fits]) {
			fits++
		}
		surplus := last && begin+fits < len(found)
		if fits == len(segment) && !surplus {
			return begin, nil
		}
		if fits > best.Line {
			best = &Mismatch{Line: fits, Expected: lineOrEnd(segment, fits), Found: lineOrEnd(found, begin+fits)}
		}
	}
	return 0, best
}

func lineOrEnd(lines []string, i int) string {
	if i < len(lines) {
		return strconv.Quote(lines[i])
	}
	return endOfOutput
}

func isAnyLines(line string) bool { return strings.TrimSpace(line) == anyText }

// outputLines are the lines in the form in which they are compared.
func outputLines(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = foldBlanks(l)
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// foldBlanks makes one blank of every run of blanks and tabs, and cuts those at the end.
func foldBlanks(line string) string {
	var b strings.Builder
	blank := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\r':
			blank = true
		default:
			if blank {
				b.WriteByte(' ')
				blank = false
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

// matchLine says whether some text for each `...` makes the folded pattern the folded line. The pieces between them are
// looked for from left to right, each as early as it goes; what is left over can only grow by that.
func matchLine(pattern, line string) bool {
	pieces := strings.Split(pattern, anyText)
	first, rest := pieces[0], pieces[1:]
	if len(rest) == 0 {
		return pattern == line
	}
	if rest[len(rest)-1] == "" {
		line += " " // the text at the end may have been blanks, and they were cut
	}
	if !strings.HasPrefix(line, first) {
		return false
	}
	at, piece := len(first), first
	for i, next := range rest {
		from := at
		if strings.HasSuffix(piece, " ") && strings.HasPrefix(next, " ") {
			from-- // no text between two blanks: they are folded to one
		}
		if i == len(rest)-1 {
			return len(line)-len(next) >= from && strings.HasSuffix(line, next)
		}
		if next == "" {
			continue
		}
		found := strings.Index(line[from:], next)
		if found < 0 {
			return false
		}
		at, piece = max(at, from+found+len(next)), next
	}
	return true
}
