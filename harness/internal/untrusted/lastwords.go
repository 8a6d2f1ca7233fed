package untrusted

import (
	"io"
	"strings"

	"netnscheck/harness/term"
)

// tailSize is how much of a process's standard error is kept, in bytes.
const tailSize = 64 << 10

// LastWords reads the standard error of a process to the end and returns a few printable lines of it: a panic with the
// top of its stack, or else the last lines. Its use of memory is bounded.
func LastWords(from io.Reader) string { return lastWords(readTail(from)) }

// readTail reads to the end and returns the last tailSize bytes.
func readTail(in io.Reader) string {
	tail := make([]byte, 0, 2*tailSize)
	for {
		if len(tail) == cap(tail) {
			tail = tail[:copy(tail, tail[tailSize:])]
		}
		n, err := in.Read(tail[len(tail):cap(tail)])
		tail = tail[:len(tail)+n]
		if err != nil {
			return string(tail[max(0, len(tail)-tailSize):])
		}
	}
}

// lastWords returns a panic with the top of its stack, or else the last lines.
func lastWords(text string) string {
	const few = 12
	lines := strings.Split(strings.TrimSpace(term.Printable(text)), "\n")
	for i, line := range lines {
		for _, begin := range []string{"panic: ", "fatal error: ", "runtime: ", "runtime/cgo: "} {
			if strings.HasPrefix(line, begin) {
				return shorten(lines[i:min(len(lines), i+few)])
			}
		}
	}
	return shorten(lines[max(0, len(lines)-few):])
}

// shorten cuts lines that are too long to read.
func shorten(lines []string) string {
	const wide = 1024
	for i := range lines {
		lines[i] = Cut(lines[i], wide)
	}
	return strings.Join(lines, "\n")
}
