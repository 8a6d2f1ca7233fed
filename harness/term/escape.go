// Package term is text on a terminal. It makes text of others fit to be shown there, in the log of a CI runner and in a
// report: whatever did not come from this program (names, titles, labels, output of programs, errors about them) goes
// through it before a person or a machine reads it. And it counts the columns that text takes, and fits text into
// them. It is pure: anybody may import it, it imports nothing of this project, and it never asks what terminal there
// is.
package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable is text of several lines that any terminal shows as it is and that XML 1.0 can hold. Bytes that are no
// UTF-8 and characters that are not Safe, but for tab and newline, become visible: `\xff`, `\x1b`, `\u202e`. Safe text
// comes out as it went in.
func Printable(s string) string {
	return Escape(s, func(r rune) bool { return r == '\t' || r == '\n' || Safe(r) })
}

// OneLine is Printable for what has to stay in one line, such as a name: a newline in it would begin a line that looks
// like one of ours.
func OneLine(s string) string { return Escape(s, Safe) }

// Escape makes visible what is no UTF-8 and each character that is not to be shown as it is.
func Escape(s string, shown func(rune) bool) string {
	var b strings.Builder
	kept := 0 // up to here s was written
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if invalid := r == utf8.RuneError && size == 1; invalid || !shown(r) {
			b.WriteString(s[kept:i])
			b.WriteString(visible(s[i:i+size], r))
			kept = i + size
		}
		i += size
	}
	if kept == 0 {
		return s
	}
	return b.String() + s[kept:]
}

// visible is how a character that is not shown is written: its byte where it is one, or else its code point.
func visible(encoded string, r rune) string {
	switch {
	case len(encoded) == 1:
		return fmt.Sprintf(`\x%02x`, encoded[0])
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Safe says that a character shows itself and does nothing else. Controls do something to the terminal; format
// characters turn the direction of writing or cannot be seen, so that a name is not what it looks like; the separators
// of lines and paragraphs break a line in some viewers; and the two noncharacters are not allowed in XML 1.0
// (production 2, Char).
func Safe(r rune) bool {
	switch {
	case r < 0x7f:
		return r >= ' '
	case r == 0xfffe || r == 0xffff:
		return false
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// Paint gives text a look, as the digits of the terminal's escape sequence: 31 is red, 1;36 bold and cyan. It shows as
// such on what Writer.Painted returns; everywhere else the sequence becomes visible.
func Paint(look, text string) string { return "\x1b[" + look + "m" + text + "\x1b[0m" }
