package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/term"
)

// Problems are the faults in a scenario file, in line order. It is the error type of Parse.
type Problems []Problem

// Error has one `FILE:LINE: message` per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// String is `FILE:LINE: ` and Text.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	return b.String() + p.Text()
}

// Text is the problem without its place, in one line: the message, then both sides of a comparison or what was found,
// then the hint and the cause if there are any. What it quotes is cut to a length that can be read (term.Brief).
func (p Problem) Text() string {
	text := term.Brief(p.Message)
	switch {
	case p.Expected != "" && p.Found != "":
		text += ": expected " + term.Brief(p.Expected) + ", found " + term.Brief(p.Found)
	case p.Expected != "":
		text += ": expected " + term.Brief(p.Expected)
	case p.Found != "":
		text += "; " + term.Brief(p.Found)
	}
	if p.Hint != "" {
		text += "; hint: " + term.Brief(p.Hint)
	}
	if len(p.Diagnosis) > 0 {
		text += "; " + strings.Join(strings.Fields(term.Brief(p.Diagnosis[0])), " ")
	}
	return text
}

// findings collects the problems of one file while it is read.
type findings struct {
	file string
	list Problems
}

// add adds a problem. The arguments may quote the file at any length.
func (f *findings) add(line int, format string, args ...any) {
	message := term.Brief(fmt.Sprintf(format, args...))
	f.list = append(f.list, Problem{File: f.file, Line: line, Message: message})
}

// err is the collected problems in line order, or nil.
func (f *findings) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.sorted()
}

func (f *findings) sorted() Problems {
	slices.SortStableFunc(f.list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return f.list
}
