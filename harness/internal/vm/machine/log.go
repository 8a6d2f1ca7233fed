package machine

import (
	"bytes"
	"fmt"
	"os"

	"netnscheck/harness/internal/kernelfault"
)

// What is kept of a console: its beginning, and its end if that is not all. A complaint in between is found all the
// same.
const (
	logHead     = 8 << 20
	logTail     = 1 << 20
	longestLine = 4 << 10 // of the console; a longer one is cut into pieces
)

// log is the console of a guest: the file with its text, and what the kernel complains of in it.
type log struct {
	path string
	file *os.File // nil if it could not be made
	err  error
	size int64

	kernelfault.Scanner
	partial []byte // of a line
	tail    []byte
}

func newLog(path string) *log {
	l := &log{path: path}
	l.file, l.err = os.Create(path)
	return l
}

func (l *log) write(text []byte) {
	head := text[:min(len(text), int(max(0, logHead-l.size)))]
	l.save(head)
	l.size += int64(len(text))
	if l.tail = append(l.tail, text[len(head):]...); len(l.tail) > 2*logTail {
		l.tail = append(l.tail[:0], l.tail[len(l.tail)-logTail:]...)
	}
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if room := longestLine - len(l.partial); len(line) > room {
			line, rest, ended = text[:room], text[room:], true
		}
		l.partial, text = append(l.partial, line...), rest
		if ended {
			l.flush()
		}
	}
}

func (l *log) flush() {
	l.Add(string(l.partial))
	l.partial = l.partial[:0]
}

func (l *log) save(text []byte) {
	if l.err == nil && len(text) > 0 {
		_, l.err = l.file.Write(text)
	}
}

// end closes the log. The error says what of the file is missing.
func (l *log) end() error {
	if len(l.partial) > 0 {
		l.flush()
	}
	l.Close()
	if tail := l.tail[max(0, len(l.tail)-logTail):]; len(tail) > 0 {
		if left := l.size - logHead - int64(len(tail)); left > 0 {
			l.save(fmt.Appendf(nil, "\n[%d bytes are left out here]\n", left))
		}
		l.save(tail)
	}
	if l.file != nil {
		if err := l.file.Close(); l.err == nil {
			l.err = err
		}
	}
	if l.err != nil {
		return fmt.Errorf("keep the console: %w", l.err)
	}
	return nil
}
