package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes a value as JSON that is fit to be shown, indented, for people and programs: a character that is not
// Safe stands in it as JSON escapes it, so that a program reads the same text and a terminal shows it.
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
