package term

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Writer writes to a terminal or a log, and lets nothing pass that does something there: it makes visible what
// Printable makes visible. For the log of a CI runner it also breaks what the runner would take for a command to
// itself.
//
// GitHub's runner obeys a line that begins, after white space, with `::` and has another `::` behind the name of a
// command, and the older form `##[command]` wherever it stands in a line (actions/runner,
// src/Runner.Common/ActionCommand.cs). It compares as the culture of the machine does, so that characters which weigh
// nothing may stand between. Azure Pipelines obeys `##vso[`, TeamCity `##teamcity[`. So the second colon, and the
// bracket, are written as `\u003a` and `\u005b`, which in JSON are the same characters.
//
// The two writers that Writer and Painted are write the same lines; both may be used from several goroutines, a line in
// one call.
type Writer struct {
	out io.Writer
	ci  bool

	mu   sync.Mutex
	rest []byte // the beginning of a character whose end has not come yet
	line line
}

// NewWriter makes a Writer in front of another one, in a CI runner's log or not.
func NewWriter(out io.Writer, ci bool) *Writer { return &Writer{out: out, ci: ci, line: newLine} }

// Write writes text of whatever origin. The beginning of a character at its end waits for the rest of it.
func (w *Writer) Write(p []byte) (int, error) { return w.write(p, false) }

// Painted is the Writer for what this program has painted: the looks of Paint pass. All text of others in it has to be
// Printable already.
func (w *Writer) Painted() io.Writer { return painted{w} }

type painted struct{ w *Writer }

func (p painted) Write(text []byte) (int, error) { return p.w.write(text, true) }

func (w *Writer) write(p []byte, looks bool) (int, error) {
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
		if w.ci && shown == text[i:i+size] && w.line.commands(r) {
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

// lookAt is how long the escape sequence is with which a text begins and that does nothing but set a look; 0 if there
// is none.
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

// line is how much of a runner's command the line that is being written may be.
type line struct {
	colons int // how many the line begins with after white space, -1 when it began with anything else
	hash   int // how much of `##word[` has just been written: 1 and 2 are its marks, 3 is a word behind them
}

var newLine = line{}

// commands takes the next character of the line and says whether it would complete what a runner obeys.
func (l *line) commands(r rune) bool {
	switch {
	case r == '\n':
		*l = newLine
		return false
	case unicode.Is(unicode.Variation_Selector, r): // it weighs nothing
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

// shut says that something was written that no command has in it.
func (l *line) shut() { *l = line{colons: -1} }
