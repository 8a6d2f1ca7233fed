package progress

import (
	"strings"
	"unicode/utf8"
)

// Limits of a file. A learner who types a command every ten seconds for a day fills a fifth of the log.
const (
	// MaxSize is the size of the largest file that is read, in bytes. Encode makes none that is larger.
	MaxSize = 8 << 20
	// maxLog is the most bytes that the entries of a log have in the file.
	maxLog     = 4 << 20
	maxEntries = 50_000
	maxLine    = 16 << 10 // bytes of a command
	maxName    = 255      // bytes of the name of a namespace: it is one of a file
	maxTitle   = 1 << 10
	maxSteps   = 1000
	maxHints   = 1000
	maxNumber  = 1_000_000
)

// Add adds an entry to the log. It cuts what is too long, and reports whether there was room.
func (f *File) Add(e Entry) bool {
	e.At = seconds(e.At)
	if line := cut(e.Line, maxLine); line != e.Line {
		e.Line, e.Cut = line, true
	}
	e.Netns = cut(e.Netns, maxName)
	for ; f.measured < len(f.Log); f.measured++ {
		f.logSize += len(encodeLine(f.Log[f.measured]))
	}
	if len(f.Log) >= maxEntries || f.logSize+len(encodeLine(e)) > maxLog {
		f.Dropped = min(f.Dropped+1, maxNumber)
		return false
	}
	f.Log = append(f.Log, e)
	return true
}

// cut is a text as valid UTF-8 of at most so many bytes.
func cut(text string, size int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}
