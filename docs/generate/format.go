package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

const formatFile = "docs/format.md"

// tables are the parts of docs/format.md that are made from the code, each between two marks. The text around them is
// written by hand.
var tables = []struct {
	name string
	text func() string
}{
	{"block words", blockWordsTable},
	{"checks", checksTable},
	{"arguments", argumentsTable},
	{"causes", causesTable},
	{"features", featuresTable},
}

// formatText is docs/format.md with its tables up to date.
func formatText(root string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, formatFile))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", formatFile, err)
	}
	text := string(content)
	for _, t := range tables {
		if text, err = withTable(text, t.name, t.text()); err != nil {
			return "", err
		}
	}
	return text, nil
}

// withTable replaces the table between its marks in a text.
func withTable(text, name, table string) (string, error) {
	begin, end := "<!-- made by `make docs`: "+name+" -->\n", "<!-- end: "+name+" -->\n"
	before, rest, begun := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return "", fmt.Errorf("fill in the table of %s: %s has no lines %q and, below it, %q",
			name, formatFile, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after, nil
}

// table writes a table in Markdown.
func table(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + cell(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

func blockWordsTable() string {
	var rows [][]string
	for _, w := range scenario.BlockWords() {
		rows = append(rows, []string{"`" + w.Word + "`", w.Means})
	}
	return table([]string{"word", "meaning"}, rows)
}

func checksTable() string {
	var rows [][]string
	for _, e := range claim.Entries() {
		var sentences []string
		for _, f := range e.Forms {
			sentences = append(sentences, f.Sentence)
		}
		rows = append(rows, []string{strings.Join(sentences, "<br>"), e.Means})
	}
	return table([]string{"check", "what it means"}, rows)
}

// argumentsTable lists each kind of argument once, with its examples from the checks.
func argumentsTable() string {
	var kinds []string
	examples := map[string][]string{}
	for _, e := range claim.Entries() {
		for _, f := range e.Forms {
			for _, a := range f.Arguments() {
				example := "`" + a.Example + "`"
				if len(examples[a.What]) == 0 {
					kinds = append(kinds, a.What)
				}
				if !slices.Contains(examples[a.What], example) {
					examples[a.What] = append(examples[a.What], example)
				}
			}
		}
	}
	var rows [][]string
	for _, what := range kinds {
		rows = append(rows, []string{strings.Join(examples[what], ", "), what})
	}
	return table([]string{"argument", "allowed values"}, rows)
}

func featuresTable() string {
	var rows [][]string
	for _, f := range lab.Features() {
		rows = append(rows, []string{"`" + f.Word + "`", f.Means})
	}
	return table([]string{"feature", "what has to be available"}, rows)
}

func causesTable() string {
	var b strings.Builder
	for _, family := range causes.Families() {
		var rows [][]string
		for _, c := range family.Causes() {
			rows = append(rows, []string{"`" + c.String() + "`", c.Summary()})
		}
		fmt.Fprintf(&b, "\n%s:\n\n%s", family, table([]string{"cause", "what it is"}, rows))
	}
	return b.String() + "\n"
}
