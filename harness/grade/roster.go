package grade

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"netnscheck/harness/nearest"
	"netnscheck/harness/term"
)

// Limits of a roster.
const (
	MaxRoster   = 4 << 20 // bytes
	maxLearners = 10_000
	maxCell     = 200 // bytes of a name, a seed or a file
)

// Entry is one learner of a roster.
type Entry struct {
	Name string
	// Seed chooses the values of the learner's variables; without a column for it, it is the name.
	Seed string
	// File is the name of the learner's file, "" if the roster has none.
	File string
	Line int
}

// A RosterError is what is wrong with a line of a roster.
type RosterError struct {
	File    string
	Line    int
	Message string
}

func (e *RosterError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, term.Brief(e.Message))
}

// ParseRoster reads a roster: a table with a header, separated by commas, semicolons or tabs, as spreadsheets write it.
// It needs the column name; seed and file are optional, other columns are ignored. The error joins a *RosterError for
// each line that is wrong.
func ParseRoster(file string, text []byte) ([]Entry, error) {
	wrong := func(line int, format string, args ...any) error {
		return &RosterError{file, line, fmt.Sprintf(format, args...)}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(text) > MaxRoster:
		return nil, wrong(1, "the roster has more than %d MiB", MaxRoster>>20)
	case !utf8.Valid(text):
		return nil, wrong(1+bytes.Count(text[:invalidAt(text)], []byte("\n")), "the line is not UTF-8")
	}
	from := csv.NewReader(bytes.NewReader(text))
	from.Comma = separator(text)
	from.FieldsPerRecord = -1
	from.TrimLeadingSpace = from.Comma != '\t'
	header, err := from.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, wrong(1, "the roster is empty: it needs a header with the column name")
	case err != nil:
		return nil, wrong(lineOf(err), "%v", cause(err))
	}
	line, _ := from.FieldPos(0)
	columns, err := columnsOf(header)
	if err != nil {
		return nil, wrong(line, "%v", err)
	}
	r := rosterReader{columns: columns, wrong: wrong, names: map[string]int{}, files: map[string]int{}}
	for {
		record, err := from.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.errs = append(r.errs, wrong(lineOf(err), "%v", cause(err)))
			break
		}
		line, _ := from.FieldPos(0)
		r.take(record, line)
	}
	if len(r.entries) == 0 && len(r.errs) == 0 {
		return nil, wrong(line, "the roster names nobody")
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return r.entries, nil
}

// rosterReader collects the entries and what is wrong with them.
type rosterReader struct {
	columns      map[string]int
	wrong        func(line int, format string, args ...any) error
	names, files map[string]int // the lines that have them
	entries      []Entry
	errs         []error
}

func (r *rosterReader) take(record []string, line int) {
	cell := func(column string) string {
		if i, ok := r.columns[column]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	e := Entry{Name: cell("name"), Seed: cell("seed"), File: cell("file"), Line: line}
	if strings.TrimSpace(strings.Join(record, "")) == "" {
		return
	}
	bad := ""
	switch {
	case e.Name == "":
		bad = "the name is missing"
	case len(r.entries) == maxLearners:
		bad = fmt.Sprintf("the roster has more than %d learners", maxLearners)
	case len(e.Name) > maxCell || len(e.Seed) > maxCell || len(e.File) > maxCell:
		bad = fmt.Sprintf("a cell has more than %d bytes", maxCell)
	case r.names[key(e.Name)] > 0:
		bad = fmt.Sprintf("%s is in line %d already", e.Name, r.names[key(e.Name)])
	case e.File != "" && r.files[e.File] > 0:
		bad = fmt.Sprintf("the file %s is that of line %d already", e.File, r.files[e.File])
	}
	if bad != "" {
		r.errs = append(r.errs, r.wrong(line, "%s", bad))
		return
	}
	r.names[key(e.Name)] = line
	if e.File != "" {
		r.files[e.File] = line
	}
	if e.Seed == "" {
		e.Seed = e.Name
	}
	r.entries = append(r.entries, e)
}

// columnsOf finds the columns in the header.
func columnsOf(header []string) (map[string]int, error) {
	columns := map[string]int{}
	var words []string
	for i, word := range header {
		word = strings.ToLower(strings.TrimSpace(word))
		words = append(words, word)
		switch word {
		case "name", "seed", "file":
			if _, twice := columns[word]; twice {
				return nil, fmt.Errorf("the column %s is there twice", word)
			}
			columns[word] = i
		}
	}
	if _, ok := columns["name"]; ok {
		return columns, nil
	}
	if near, ok := nearest.Word("name", words); ok {
		return nil, fmt.Errorf("the header has no column name; is %s meant?", near)
	}
	return nil, fmt.Errorf("the header has no column name; it has %s", strings.Join(words, ", "))
}

// separator is what separates the cells of the header.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	for _, s := range []rune{'\t', ';'} {
		if bytes.ContainsRune(line, s) {
			return s
		}
	}
	return ','
}

func lineOf(err error) int {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.Line
	}
	return 1
}

func cause(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return parse.Err
	}
	return err
}

func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// key is what is compared of names: without case, blanks and the marks that stand for blanks in names of files.
func key(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t-_.,", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}
