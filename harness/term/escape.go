// Package term handles text on a terminal. It escapes text from outside (names, titles, labels, output of programs,
// errors that quote them) for terminals, logs of CI runners and reports, and it measures, wraps and aligns text by
// columns. It is pure: any package may import it, it imports nothing of this project, and it never looks at the
// terminal itself.
package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable escapes multi-line text so that any terminal shows it unchanged and XML 1.0 can hold it. Bytes that are not
// UTF-8, and characters that are not Safe except tab and newline, become visible: `\xff`, `\x1b`, `\u202e`. Safe text
// is returned unchanged.
func Printable(s string) string {
	return Escape(s, func(r rune) bool { return r == '\t' || r == '\n' || Safe(r) })
}

// OneLine is Printable for text that has to stay in one line, such as a name: it escapes tabs and newlines, too,
// because a newline could forge a line of output.
func OneLine(s string) string { return Escape(s, Safe) }

// Escape makes visible each byte that is not UTF-8 and each character for which shown is false.
func Escape(s string, shown func(rune) bool) string {
	var b strings.Builder
	kept := 0 // s is written up to here
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

// visible is the escape of a character: of its byte if it is a single one, otherwise of its code point.
func visible(encoded string, r rune) string {
	switch {
	case len(encoded) == 1:
		return fmt.Sprintf(`\x%02x`, encoded[0])
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// Safe reports whether a character is visible and has no other effect. Controls act on the terminal; format characters
// change the direction of writing or are invisible, so that a name is not what it looks like; line and paragraph
// separators break a line in some viewers; U+FFFE and U+FFFF are not allowed in XML 1.0 (production 2, Char).
func Safe(r rune) bool {
	switch {
	case r < 0x7f:
		return r >= ' '
	case r == 0xfffe || r == 0xffff:
		return false
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// Paint gives text a look, by the parameters of the SGR escape sequence: 31 is red, 1;36 bold and cyan. Only the writer
// of Writer.Painted passes it to the terminal; everywhere else the sequence is escaped.
func Paint(look, text string) string { return "\x1b[" + look + "m" + text + "\x1b[0m" }
