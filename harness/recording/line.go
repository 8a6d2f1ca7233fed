package recording

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario"
)

// Kind is what a line is.
type Kind int

const (
	Nothing      Kind = iota // an empty line or a comment
	BeginStep                // # step: TITLE
	BeginMistake             // # mistake: TITLE
	BeginFix                 // # fix
	Run                      // a command
)

// Line is one line of an author.
type Line struct {
	Kind Kind
	Text string   // the title or the command
	Argv []string // of a command
}

var (
	marker  = regexp.MustCompile(`^#+\s*([A-Za-z]+)\s*:\s*(.*)$`)
	fix     = regexp.MustCompile(`(?i)^#+\s*fix\s*:?$`)
	markers = []string{"step", "mistake", "fix"}
)

// maxLine is the most bytes of a line.
const maxLine = 4096

// ReadLine reads a line. A comment that nearly is a marker is an error.
func ReadLine(text string) (Line, error) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxLine:
		return Line{}, fmt.Errorf("a line has at most %d bytes, found %d", maxLine, len(text))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unwritable):
		return Line{}, errors.New("a line of a scenario has printable characters only")
	case text == "":
		return Line{}, nil
	case fix.MatchString(text):
		return Line{Kind: BeginFix}, nil
	case strings.HasPrefix(text, "#"):
		return readComment(text)
	case strings.Contains(text, "{{"):
		return Line{}, errors.New("{{ begins a variable in a scenario: it cannot be recorded")
	}
	argv, err := scenario.Words(text)
	if err != nil {
		return Line{}, err
	}
	return Line{Run, text, argv}, nil
}

func readComment(text string) (Line, error) {
	m := marker.FindStringSubmatch(text)
	if m == nil {
		word := strings.ToLower(strings.Trim(strings.TrimLeft(text, "# \t"), ": "))
		if word == "step" || word == "mistake" {
			return Line{}, fmt.Errorf("the title is missing: write # %s: TITLE", word)
		}
		return Line{}, nil
	}
	word, title := strings.ToLower(m[1]), m[2]
	kind := map[string]Kind{"step": BeginStep, "mistake": BeginMistake}[word]
	switch {
	case word == "fix":
		return Line{}, errors.New("a fix has no title: write # fix")
	case kind == Nothing:
		if near, ok := nearest.Word(word, markers); ok {
			return Line{}, fmt.Errorf("there is no marker %q, did you mean # %s: …?", word, near)
		}
		return Line{}, nil
	}
	if err := checkTitle(word, title); err != nil {
		return Line{}, err
	}
	return Line{Kind: kind, Text: title}, nil
}

// checkTitle refuses titles that would be another heading in a scenario.
func checkTitle(what, title string) error {
	switch {
	case title == "":
		return fmt.Errorf("the title is missing: write # %s: TITLE", what)
	case strings.EqualFold(strings.ReplaceAll(title, "-", ""), "setup") || strings.EqualFold(title, "set up"):
		return fmt.Errorf("a %s cannot be called Setup: what you type before the first # step: is the set-up", what)
	case strings.Contains(title, "{{"), strings.ContainsAny(title, "#<>[]*_\\"):
		return fmt.Errorf("the title %q: without { # < > [ ] * _ and \\, please, which mean something in Markdown",
			title)
	}
	return nil
}

func unwritable(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }
