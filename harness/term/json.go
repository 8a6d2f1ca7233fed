package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes a value as indented JSON that a terminal can show: characters that are not Safe are written as JSON
// escapes, so that programs read the same text.
func WriteJSON(out io.Writer, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return err
	}
	var safe []byte
	for _, r := range b.String() {
		switch {
		case r == '\n' || Safe(r):
			safe = utf8.AppendRune(safe, r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				safe = fmt.Appendf(safe, `\u%04x`, unit)
			}
		}
	}
	_, err := out.Write(safe)
	return err
}
