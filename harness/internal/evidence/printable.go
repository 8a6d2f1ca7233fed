package evidence

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"netnscheck/harness/term"
)

// Printable is the content of a file as it may be shown on a terminal. Packets stay as they are. In a file of JSON,
// what is not printable becomes an escape of JSON, so that the value stays the same.
func Printable(name string, content []byte) []byte {
	switch {
	case name == Packets:
		return content
	case !strings.HasSuffix(name, ".json"):
		return []byte(term.Printable(string(content)))
	}
	var b bytes.Buffer
	for _, r := range string(content) {
		if r == '\n' || term.Safe(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}
