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
	maxTold    = 2   // lines that a learner was told of a command
	maxTelling = 300 // bytes of such a line
	maxSteps   = 1000
	maxHints   = 1000
	maxNumber  = 1_000_000
	maxStatus  = 255
)

// Add adds an entry to the log. It cuts what is too long, takes an exit status that is none for unknown, and reports
// whether there was room. An entry that could not be read again counts as one without room.
func (f *File) Add(e Entry) bool {
	e.At = seconds(e.At)
	if e.Status < NoStatus || e.Status > maxStatus {
		e.Status = NoStatus
	}
	if line := cut(e.Line, maxLine); line != e.Line {
		e.Line, e.Cut = line, true
	}
	e.Netns = cut(e.Netns, maxName)
	e.Told = told(nil, e.Told)
	for ; f.measured < len(f.Log); f.measured++ {
		f.logSize += len(encodeLine(f.Log[f.measured]))
	}
	if len(f.Log) >= maxEntries || f.logSize+len(encodeLine(e)) > maxLog || e.validate(len(f.Steps)) != nil {
		f.Dropped = min(f.Dropped+1, maxNumber)
		return false
	}
	f.Log = append(f.Log, e)
	return true
}

// Tell adds what the learner was told late of his last command.
func (f *File) Tell(lines []string) {
	if len(f.Log) == 0 || f.Log[len(f.Log)-1].Do != "" {
		return
	}
	last := &f.Log[len(f.Log)-1]
	before := len(encodeLine(*last))
	last.Told = told(last.Told, lines)
	if f.measured == len(f.Log) {
		f.logSize += len(encodeLine(*last)) - before
	}
}

// told are the last lines of what was told, each cut.
func told(before, lines []string) (all []string) {
	all = append(all, before...)
	for _, line := range lines {
		all = append(all, cut(strings.ReplaceAll(line, "\n", " "), maxTelling))
	}
	return all[max(0, len(all)-maxTold):]
}

// Untold reports whether something was changed by a command that its shell did not tell, as sh never does.
func (e Entry) Untold() bool { return e.Do == "" && e.Cut && e.Line == "" }

// Shown is an entry as a list of what was done needs it: its line is cut to so many bytes.
func (e Entry) Shown(size int) Entry {
	if line := cut(e.Line, size); line != e.Line {
		e.Line, e.Cut = line, true
	}
	e.Told = told(nil, e.Told)
	return e
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
