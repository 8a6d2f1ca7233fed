package drawing

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"netnscheck/harness/term"
)

// printable is the name as it can be shown, in ASCII alone where that is wanted. Characters without a width of their
// own become visible, too: what is drawn beside a name has to stand where it was put.
func printable(name string, ascii bool) string {
	return term.Escape(name, func(r rune) bool {
		return term.Safe(r) && unicode.IsPrint(r) && !unicode.Is(unicode.M, r) && !(ascii && r >= utf8.RuneSelf)
	})
}

// wide are the characters that take two columns (East Asian Width W and F, in coarse ranges).
var wide = []struct{ from, to rune }{
	{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
	{0x1f300, 0x1faff}, {0x20000, 0x3fffd},
}

func runeColumns(r rune) int {
	for _, w := range wide {
		if r >= w.from && r <= w.to {
			return 2
		}
	}
	return 1
}

// columns is the number of columns that a printable text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// cut shortens a text to so many columns; its end then says that something is missing.
func cut(s string, room int, ascii bool) string {
	if columns(s) <= room {
		return s
	}
	end := "…"
	if ascii {
		end = "~"
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		if used += runeColumns(r); used > room-1 {
			break
		}
		b.WriteRune(r)
	}
	if room < 1 {
		return ""
	}
	return b.String() + end
}

// natural orders names as people do: n2 before n10.
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

// digits is how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
