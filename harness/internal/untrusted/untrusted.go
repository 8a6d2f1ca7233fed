// Package untrusted reads what comes out of a sandbox, which a hostile program may have written: one JSON value per
// line, of bounded size, without unknown keys, and text that is safe to print. What a value means is for the caller to
// check. Packages under internal and the command line may import it; it imports term alone, and it never starts, opens
// or writes anything.
package untrusted

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"netnscheck/harness/term"
)

// TextSize limits what Shown returns, in bytes.
const TextSize = 16 << 10

// Lines reads line by line and never holds more than one line.
type Lines struct{ from *bufio.Reader }

// NewLines reads lines of at most size bytes.
func NewLines(from io.Reader, size int) Lines { return Lines{bufio.NewReaderSize(from, size)} }

// TooLongError is the error for a line of more than Size bytes.
type TooLongError struct{ Size int }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("a message of more than %d KiB", e.Size>>10)
}

// Next returns the next line, valid until the next call. The error is a *TooLongError, or io.EOF at the end of the
// stream, which also drops a last line without a newline.
func (l Lines) Next() ([]byte, error) {
	line, err := l.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &TooLongError{l.from.Size()}
	}
	return line, err
}

// Decode reads a text that is one JSON value. Invalid UTF-8, an unknown key and anything after the value are errors.
func Decode(text []byte, into any) error {
	if !utf8.Valid(text) {
		return errors.New("text that is not UTF-8")
	}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	if err := from.Decode(into); err != nil {
		return err
	}
	if _, err := from.Token(); err != io.EOF {
		return errors.New("text after the JSON value")
	}
	return nil
}

// Shown returns a text made printable (term.Printable) and cut to TextSize.
func Shown(text string) string { return Cut(term.Printable(text), TextSize) }

// CutMark ends a text that was cut.
const CutMark = " … (cut off here)"

// Cut shortens a text to at most size bytes, CutMark included.
func Cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	n := max(0, size-len(CutMark))
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + CutMark
}
