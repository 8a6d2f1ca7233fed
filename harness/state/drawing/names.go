package drawing

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"netnscheck/harness/term"
)

// printable is the name with all unprintable characters escaped, and with ascii all others than ASCII. Characters
// without a width are escaped too, so that columns stay aligned.
func printable(name string, ascii bool) string {
	return term.Escape(name, func(r rune) bool {
		return term.Safe(r) && unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && !(ascii && r >= utf8.RuneSelf)
	})
}

// cut shortens a text to so many columns, with an ellipsis at the end.
func cut(s string, room int, ascii bool) string {
	if ascii {
		return term.Cut(s, room, "~")
	}
	return term.Cut(s, room, "…")
}

// natural compares names in natural order: n2 before n10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
			if len(m) != len(n) {
				return len(m) - len(n)
			}
			if c := strings.Compare(m, n); c != 0 {
				return c
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// digits is the number of digits at the beginning of a text.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
