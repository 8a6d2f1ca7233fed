// Package untrusted reads what a process in a sandbox says, which may have been written by whoever got hold of its
// pipes: one JSON value a line, never more of it in memory than was allowed, no key that is not known, text that can be
// printed. What a value means is for the caller to check. Anybody below internal and the command line may import it;
// it imports term alone, and it never starts, opens or writes anything.
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

// TextSize is how much of one text is kept, in bytes.
const TextSize = 16 << 10

// Lines reads one line after the other and never holds more than one.
type Lines struct{ from *bufio.Reader }

// NewLines reads lines of at most so many bytes.
func NewLines(from io.Reader, size int) Lines { return Lines{bufio.NewReaderSize(from, size)} }

// TooLongError says that a line does not end where it should.
type TooLongError struct{ Size int }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("a message of more than %d KiB", e.Size>>10)
}

// Next is the next line, valid until the next call. What has no end of a line when the stream ends was none.
func (l Lines) Next() ([]byte, error) {
	line, err := l.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &TooLongError{l.from.Size()}
	}
	return line, err
}

// Decode reads the one JSON value of a text: valid UTF-8, no key that is not known, nothing behind it.
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
		return errors.New("something behind the JSON value")
	}
	return nil
}

// Shown is a text as it can be printed: printable, and not too long.
func Shown(text string) string { return Cut(term.Printable(text), TextSize) }

// CutMark stands where the end of a text was.
const CutMark = " … (cut off here)"

// Cut takes the end from a text of more than so many bytes.
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
