package transcript

import "strings"

// anyText matches any text within a line.
const anyText = "..."

// Fold replaces every run of blanks and tabs by one blank, and removes those at the end.
func Fold(line string) string {
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

// MatchLine reports whether a folded line matches a folded pattern, in which `...` matches any text, also none. The
// pieces between them are found from left to right, each as early as possible, which leaves the most text for the rest.
func MatchLine(pattern, line string) bool {
	pieces := strings.Split(pattern, anyText)
	first, rest := pieces[0], pieces[1:]
	if len(rest) == 0 {
		return pattern == line
	}
	if rest[len(rest)-1] == "" {
		line += " " // `...` at the end also matches blanks, which were removed
	}
	if !strings.HasPrefix(line, first) {
		return false
	}
	at, piece := len(first), first
	for i, next := range rest {
		from := at
		if strings.HasSuffix(piece, " ") && strings.HasPrefix(next, " ") {
			from-- // `...` may be empty, and the blanks on both sides are folded into one
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
