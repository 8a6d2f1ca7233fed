package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// String is `FILE:LINE: message`, followed by the expected and found values, the hint and the diagnosis, if there are
// any.
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
	b.WriteString(p.Message)
	if p.Expected != "" {
		b.WriteString("; expected " + p.Expected)
	}
	if p.Found != "" {
		b.WriteString("; found " + p.Found)
	}
	if p.Hint != "" {
		b.WriteString("; hint: " + p.Hint)
	}
	if len(p.Diagnosis) > 0 {
		b.WriteString("; " + p.Diagnosis[0])
	}
	return b.String()
}

// findings collects the problems of one file while it is read.
type findings struct {
	file string
	list Problems
}

func (f *findings) add(line int, format string, args ...any) {
	f.list = append(f.list, Problem{File: f.file, Line: line, Message: fmt.Sprintf(format, args...)})
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
