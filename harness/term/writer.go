package term

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Writer writes to a terminal or a log and escapes what Printable escapes. For the log of a CI runner it also breaks
// what the runner would take for a command.
//
// GitHub's runner obeys a line that begins, after white space, with `::` and has another `::` after the name of a
// command, and the older form `##[command]` anywhere in a line (actions/runner, src/Runner.Common/ActionCommand.cs). It
// compares by the culture of the machine, which ignores characters without weight. Azure Pipelines obeys `##vso[`,
// TeamCity `##teamcity[`. So the second colon and the bracket are written as `\u003a` and `\u005b`, which are the same
// characters in JSON.
//
// Writer, its Painted and its Commanding share the state of the current line. Several goroutines may use them if each
// call writes whole lines.
type Writer struct {
	out io.Writer
	ci  bool

	mu   sync.Mutex
	rest []byte // the beginning of an incomplete character
	line line
}

// NewWriter returns a Writer to out; ci if out is the log of a CI runner.
func NewWriter(out io.Writer, ci bool) *Writer { return &Writer{out: out, ci: ci, line: newLine} }

// Write writes text of any origin. An incomplete character at its end is kept until the next call.
func (w *Writer) Write(p []byte) (int, error) { return w.write(p, false, w.ci) }

// Painted is a writer to the same output that passes the escape sequences of Paint. Text from outside has to be
// Printable before it is painted.
func (w *Writer) Painted() io.Writer { return painted{w} }

type painted struct{ w *Writer }

func (p painted) Write(text []byte) (int, error) { return p.w.write(text, true, p.w.ci) }

// Commanding is a writer to the same output that passes commands to a CI runner. Whoever writes them escapes the texts
// in them.
func (w *Writer) Commanding() io.Writer { return commanding{w} }

type commanding struct{ w *Writer }

func (c commanding) Write(text []byte) (int, error) { return c.w.write(text, false, false) }

// write writes text. With looks it passes the sequences of Paint; with breaking it breaks commands to a CI runner.
func (w *Writer) write(p []byte, looks, breaking bool) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := string(append(w.rest, p...))
	w.rest = nil
	var b strings.Builder
	for i := 0; i < len(text); {
		if !utf8.FullRuneInString(text[i:]) {
			w.rest = []byte(text[i:])
			break
		}
		if n := lookAt(text[i:]); looks && n > 0 {
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		shown := Printable(text[i : i+size])
		if shown == text[i:i+size] && w.line.commands(r) && breaking {
			shown = fmt.Sprintf(`\u%04x`, r)
		}
		if shown != text[i:i+size] {
			w.line.shut()
		}
		b.WriteString(shown)
		i += size
	}
	if _, err := io.WriteString(w.out, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lookAt is the length of the SGR escape sequence at the beginning of a text; 0 if there is none.
func lookAt(text string) int {
	rest, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		return 0
	}
	n := strings.IndexFunc(rest, func(r rune) bool { return r != ';' && (r < '0' || r > '9') })
	if n < 0 || rest[n] != 'm' {
		return 0
	}
	return len(text) - len(rest) + n + 1
}

// line is how much of a command to a runner the current line contains.
type line struct {
	colons int // how many colons the line begins with after white space; -1 if it begins with anything else
	hash   int // how much of `##word[` was written last: 1 and 2 count its marks, 3 is a word after them
}

var newLine = line{}

// commands takes the next character of the line and reports whether it would complete a command.
func (l *line) commands(r rune) bool {
	switch {
	case r == '\n':
		*l = newLine
		return false
	case unicode.Is(unicode.Variation_Selector, r): // without weight
		return false
	case r == ':' && l.colons == 0:
		l.colons, l.hash = 1, 0
		return false
	case r == ':' && l.colons == 1, r == '[' && l.hash >= 2:
		return true
	case !unicode.IsSpace(r) || l.colons > 0:
		l.colons = -1
	}
	switch {
	case r == '#' && l.hash <= 2:
		l.hash = min(l.hash+1, 2)
	case r == '#':
		l.hash = 1
	case l.hash >= 2 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-'):
		l.hash = 3
	default:
		l.hash = 0
	}
	return false
}

// shut records that the line contains something that no command contains.
func (l *line) shut() { *l = line{colons: -1} }
