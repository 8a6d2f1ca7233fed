package shell

import (
	"bytes"
	"strconv"
	"strings"
)

// Mark is the mark that a hook writes, a control sequence that no terminal knows (OSC, ECMA-48).
func Mark(secret string, fields ...string) string {
	return prefix(secret) + strings.Join(fields, ";") + "\a"
}

func prefix(secret string) string { return "\x1b]7377;" + secret + ";" }

// maxMark limits a mark, in bytes. A command that is longer has no mark.
const maxMark = 64 << 10

// Event is a part of a terminal's output: text, or a mark in its place.
type Event struct {
	// Text is what the terminal shows; nil if the event is a mark. It is valid until the next call.
	Text []byte
	// Kind is the kind of the mark: C before a command, with the name of the shell's namespace ("" for the host), a
	// semicolon and the line as it was typed; D after it, with its exit status; P before a prompt; S before a prompt of
	// a shell that does not tell its commands.
	Kind byte
	// Value is what the mark says.
	Value string
}

// Scanner cuts marks out of the output of a terminal. Whatever is not a mark of this secret stays as it is.
type Scanner struct {
	prefix []byte
	held   []byte // the beginning of what may be a mark
}

// NewScanner returns a scanner for the marks with the secret.
func NewScanner(secret string) *Scanner { return &Scanner{prefix: []byte(prefix(secret))} }

// Pending reports whether the output ended in what may be the beginning of a mark.
func (s *Scanner) Pending() bool { return len(s.held) > 0 }

// Rest is what was held back, as text.
func (s *Scanner) Rest() []byte {
	rest := s.held
	s.held = nil
	return rest
}

// Scan calls found with each part of the output that follows.
func (s *Scanner) Scan(output []byte, found func(Event)) {
	if len(s.held) > 0 {
		output = append(s.held, output...)
		s.held = nil
	}
	text := func(b []byte) {
		if len(b) > 0 {
			found(Event{Text: b})
		}
	}
	for {
		at := bytes.Index(output, s.prefix)
		if at < 0 {
			held := s.beginning(output)
			text(output[:len(output)-held])
			s.held = bytes.Clone(output[len(output)-held:])
			return
		}
		text(output[:at])
		output = output[at:]
		body := output[len(s.prefix):]
		// A mark ends with BEL. Another control character means that it is none.
		end := bytes.IndexFunc(body[:min(len(body), maxMark)], func(r rune) bool { return r < ' ' || r == 0x7f })
		switch {
		case end < 0 && len(body) < maxMark:
			s.held = bytes.Clone(output)
			return
		case end >= 0 && body[end] == '\a' && isMark(body[:end]):
			kind, value, _ := strings.Cut(string(body[:end]), ";")
			found(Event{Kind: kind[0], Value: unescape(value)})
			output = body[end+1:]
		default:
			text(output[:len(s.prefix)])
			output = body
		}
	}
}

// beginning is how many bytes at the end of a text may begin a mark.
func (s *Scanner) beginning(output []byte) int {
	for n := min(len(output), len(s.prefix)-1); n > 0; n-- {
		if bytes.HasPrefix(s.prefix, output[len(output)-n:]) {
			return n
		}
	}
	return 0
}

func isMark(body []byte) bool {
	kind, value, valued := bytes.Cut(body, []byte(";"))
	if len(kind) != 1 {
		return false
	}
	switch kind[0] {
	case 'C':
		return valued
	case 'D':
		_, err := strconv.ParseUint(string(value), 10, 8) // an exit status
		return err == nil
	case 'P', 'S':
		return !valued
	}
	return false
}

// unescape is the inverse of __lab_escape of the hooks.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'e':
			b.WriteByte('\x1b')
		case 'a':
			b.WriteByte('\a')
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
