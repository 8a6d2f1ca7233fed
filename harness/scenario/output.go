package scenario

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/scenario/transcript"
)

// anyText matches any text within a line and, alone on a line, any number of lines.
const anyText = "..."

// Mismatch is the first line where an output differs from the expected one.
type Mismatch struct {
	// Line is the index of the expected line, or their number if the output has more lines.
	Line     int
	Expected string // the line, or "the end of the output"
	Found    string // the line, or "the end of the output"
}

func (m *Mismatch) Error() string { return "expected " + m.Expected + ", found " + m.Found }

const endOfOutput = "the end of the output"

// MatchOutput compares a command's output with the lines of a console block and returns nil if they match. In both,
// runs of blanks count as one blank; blanks at the ends of lines and empty lines at the end are ignored. `...` in a
// line matches any text, also none; alone on a line it matches any number of lines, also none.
func MatchOutput(want []string, got string) *Mismatch {
	found := outputLines(strings.Split(got, "\n"))
	expected := outputLines(want)
	at := 0 // in found: the lines before it are matched
	for start := 0; ; {
		// A segment is the lines up to the next "..." line; it must match consecutive lines.
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

// findSegment finds the first place from `at` on that matches the lines of the segment: exactly at `at` for the first
// segment, exactly at the end of the output for the last. The mismatch is the one of the attempt that matched most
// lines.
func findSegment(segment, found []string, at int, first, last bool) (int, *Mismatch) {
	from, to := at, len(found)-len(segment)
	switch {
	case first:
		to = at
	case last:
		from = max(at, to)
		to = from
	}
	to = max(from, to) // at least one attempt, for the mismatch
	best := &Mismatch{Line: -1}
	for begin := from; begin <= to; begin++ {
		fits := 0
		for fits < len(segment) && begin+fits < len(found) && transcript.MatchLine(segment[fits], found[begin+fits]) {
			fits++
		}
		surplus := last && begin+fits < len(found)
		if fits == len(segment) && !surplus {
			return begin, nil
		}
		if fits > best.Line {
			best = mismatch(fits, segment, found[min(begin, len(found)):])
		}
	}
	return 0, best
}

// mismatch is the mismatch at a line of a segment and of what was found, quoted, so that blanks and characters that
// cannot be seen show.
func mismatch(at int, segment, found []string) *Mismatch {
	m := &Mismatch{Line: at, Expected: endOfOutput, Found: endOfOutput}
	if at >= len(segment) || at >= len(found) {
		if at < len(segment) {
			m.Expected = strconv.Quote(segment[at])
		} else if at < len(found) {
			m.Found = strconv.Quote(found[at])
		}
		return m
	}
	expected, line := segment[at], found[at]
	same := sameBeginning(expected, line)
	m.Expected, m.Found = quoteFrom(expected, same), quoteFrom(line, same)
	if strings.TrimPrefix(line, " ") == strings.TrimPrefix(expected, " ") {
		m.Found += " (only the blank at the beginning is different)"
	}
	return m
}

// sameBeginning is the length of the common beginning of two lines, less some characters for orientation; 0 if it is
// short.
func sameBeginning(a, b string) int {
	const shown = 30
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	if n < 2*shown {
		return 0
	}
	n -= shown
	for n > 0 && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

// quoteFrom quotes a line without its beginning.
func quoteFrom(line string, from int) string {
	if from == 0 {
		return strconv.Quote(line)
	}
	return strconv.Quote("…" + line[from:])
}

func isAnyLines(line string) bool { return strings.TrimSpace(line) == anyText }

// outputLines are the lines as they are compared.
func outputLines(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = transcript.Fold(l)
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}
