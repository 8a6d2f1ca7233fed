package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"netnscheck/harness/scenario"
)

// TestExamplesOfTheFormat parses every example of docs/format.md: one followed by a text block has to produce the
// messages in that block, any other has to be a valid scenario.
func TestExamplesOfTheFormat(t *testing.T) {
	examples := formatExamples(t)
	if len(examples) < 10 {
		t.Fatalf("only %d examples found", len(examples))
	}
	for _, e := range examples {
		sc, err := scenario.Parse("lesson.md", []byte(e.source))
		if err == nil {
			if problems := scenario.Review(sc); len(problems) > 0 {
				err = problems
			}
		}
		found := ""
		if err != nil {
			found = err.Error() + "\n"
		}
		if diff := cmp.Diff(e.messages, found); diff != "" {
			t.Errorf("%s:%d: -what the document shows +what the reader says\n%s", formatFile, e.line, diff)
		}
	}
}

// example is a scenario in the document, and the messages shown below it, if any.
type example struct {
	line             int
	source, messages string
}

// formatExamples are the document's examples. Every block has to be a scenario or its messages, so that all are tested.
func formatExamples(t *testing.T) (examples []example) {
	source, err := os.ReadFile(filepath.Join(root, formatFile))
	if err != nil {
		t.Fatal(err)
	}
	page := goldmark.DefaultParser().Parse(text.NewReader(source))
	err = ast.Walk(page, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		content, language := string(block.Lines().Value(source)), string(block.Language(source))
		line := 1 + bytes.Count(source[:block.Info.Segment.Start], []byte("\n"))
		above, _ := n.PreviousSibling().(*ast.FencedCodeBlock)
		switch {
		case language == "markdown":
			examples = append(examples, example{line: line, source: content})
		case language == "text" && above != nil && string(above.Language(source)) == "markdown":
			examples[len(examples)-1].messages = content
		default:
			t.Errorf("%s:%d: no test looks at a block of %q here", formatFile, line, language)
		}
		return ast.WalkSkipChildren, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return examples
}

// joined is a command line that contains the next command, the output or the exit status: a reformatted block, which is
// still a valid scenario with one long command.
var joined = regexp.MustCompile(`(?m)^\$ .*( \$ |\.\.\.| \[(\d+|!)\]).*$`)

// TestLinesOfTheExamples: in the examples every command and its output have lines of their own.
func TestLinesOfTheExamples(t *testing.T) {
	for _, e := range formatExamples(t) {
		for _, line := range joined.FindAllString(e.source, -1) {
			t.Errorf("%s:%d: the example has more than a command in the line %s", formatFile, e.line, line)
		}
	}
}

func TestWithTable(t *testing.T) {
	const begin, end = "<!-- made by `make docs`: x -->\n", "<!-- end: x -->\n"
	for _, c := range []struct{ text, want string }{
		{"a\n" + begin + "old\n" + end + "b\n", "a\n" + begin + "new\n" + end + "b\n"},
		{"a\n" + begin + end, "a\n" + begin + "new\n" + end},
		{"a\n" + end + begin, ""},
		{begin, ""},
		{"", ""},
	} {
		got, err := withTable(c.text, "x", "new\n")
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
	}
}

// TestTablesAreFilledIn: each word of a vocabulary has a meaning.
func TestTablesAreFilledIn(t *testing.T) {
	for _, table := range tables {
		rows := slices.DeleteFunc(strings.Split(table.text(), "\n"), func(line string) bool {
			return !strings.HasPrefix(line, "| `")
		})
		if len(rows) == 0 {
			t.Errorf("the table of %s is empty", table.name)
		}
		for _, row := range rows {
			if strings.HasSuffix(row, "|  |") {
				t.Errorf("the table of %s: nothing is said about %s", table.name, row)
			}
		}
	}
}
