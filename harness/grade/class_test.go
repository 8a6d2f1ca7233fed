package grade

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

var update = flag.Bool("update", false, "write the golden files")

// evil is text of a learner who means harm, to a terminal, a page, a spreadsheet and a CI runner.
const evil = "=HYPERLINK(\"http://x\";1)\x1b[2J\u202e<script>alert(1)</script>\n::error::\t;=1+1\",\"=2"

func sample(t testing.TB, name string) *Class {
	sc := &scenario.Scenario{ID: "veth-pair", Title: "Connect two network namespaces with a veth pair",
		Steps: []scenario.Step{
			{Section: scenario.Section{Title: "Create the namespaces"}},
			{Section: scenario.Section{Title: "Create the veth pair"}, Points: 3, PointsLine: 9},
			{Section: scenario.Section{Title: "Move each end"}},
		}}
	c := New(sc, 1)
	c.Grade(Work{Name: "Anna", File: "anna.json", Seed: "anna",
		Past: []sitting.Past{{Hints: 1}, {Hints: 2}, {Solved: true}}},
		Result{Passed: []bool{true, true, true}})
	c.Grade(Work{Name: "Ben", File: "ben.sh"}, Result{Passed: []bool{true, false, true}, First: &Open{Step: 2,
		Check: "`a` in `host` exists", Found: "there is no interface a", Note: "Did you make it?",
		Cause: []string{"no-route: nothing leads there", "fix: ip route add default via 10.0.0.1"}}})
	c.Miss("Carl", "carl")
	c.Refuse(Work{Name: "Dora", File: "dora.json"}, "read the progress: the file is empty")
	c.Grade(Work{Name: "Émile", File: "e.json", Exam: true}, Result{Passed: []bool{true, false, false},
		First: &Open{Step: 2, Check: "`a` in `host` exists"}, Trouble: "line 7 did not end within 1m0s",
		Said: "one\ntwo"})
	c.Grade(Work{Name: name, File: name + ".sh", Seed: name}, Result{Passed: []bool{false, false, false},
		First: &Open{Step: 1, Check: "namespace `a` exists", Found: name, Cause: []string{name}}, Trouble: name,
		Said: name})
	return c
}

// TestFormats: each format, word by word, with a hostile learner at its end.
func TestFormats(t *testing.T) {
	c := sample(t, evil)
	html, err1 := c.HTML()
	junit, err2 := c.JUnit()
	text, err3 := c.JSON()
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	for name, got := range map[string]string{
		"class.txt": c.Text(Look{Width: 80}), "class-ascii.txt": c.Text(Look{Width: 60, ASCII: true}),
		"class.csv": c.CSV(), "class.json": text, "class.xml": junit, "class.html": html,
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != got {
			t.Errorf("%s differs (-update writes it):\n%s", name, got)
		}
	}
}

// TestNothingIsInjected: whatever a learner is called and whatever was found, each format stays what it is.
func TestNothingIsInjected(t *testing.T) {
	for _, name := range []string{evil, "+1", "-1", "@x", "\t=1", "\r=1", " =1", "x;=1", "x;\"=1", "x|-1", "\uff1d1",
		"'\n=1", "a\x00b\xff", "</td><td>", "]]>", "{{.}}", "\x1b]0;t\a", "\u00a0=1", "\u3000@x", "x;\u2003+1",
		"\ufeff=1", "x\r\n=1", "Ann\nBen,pass", "\" onclick=\"x()", "a\u2028::error::"} {
		injectsNothing(t, name)
	}
}

func FuzzFormats(f *testing.F) {
	f.Add(evil)
	f.Add("x\";\"=1")
	f.Fuzz(func(t *testing.T, name string) { injectsNothing(t, name) })
}

// tokens are the tags of a page, with the names of their attributes, as a browser takes them.
func tokens(t *testing.T, page string) (all []string) {
	t.Helper()
	from := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := from.Next(); kind {
		case html.ErrorToken:
			return all
		case html.TextToken:
		default:
			tag := from.Token()
			words := []string{kind.String(), tag.Data}
			for _, a := range tag.Attr {
				words = append(words, a.Key)
			}
			all = append(all, strings.Join(words, " "))
		}
	}
}

func injectsNothing(t *testing.T, name string) {
	t.Helper()
	if name == "" {
		return
	}
	c := sample(t, name)
	plain := sample(t, "x")
	c.Title, c.Scenario, c.Steps[2].Title = name, name, name // of a scenario that somebody else has written
	safe := func(what, text string) {
		for _, r := range text {
			if r != '\n' && !(r == '\t' && what == "the page") && !term.Safe(r) {
				t.Errorf("%q: %s has %U", name, what, r)
			}
		}
	}
	text := c.Text(Look{Width: 80})
	safe("the text", text)
	safe("the CSV", c.CSV())
	for line := range strings.Lines(text) {
		if term.Width(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("%q: a line of %d columns: %s", name, term.Width(line), line)
		}
	}
	// A spreadsheet may separate cells by commas or by semicolons.
	for _, comma := range []rune{',', ';'} {
		from := csv.NewReader(strings.NewReader(c.CSV()))
		from.Comma, from.LazyQuotes, from.FieldsPerRecord = comma, true, -1
		all, err := from.ReadAll()
		if err != nil {
			t.Fatalf("%q: the CSV: %v", name, err)
		}
		for _, row := range all {
			if comma == ',' && len(row) != len(all[0]) {
				t.Errorf("%q: a row of %d cells, not %d", name, len(row), len(all[0]))
			}
			for _, cell := range row {
				cell = strings.TrimLeftFunc(cell, func(r rune) bool { return r == '"' || unicode.IsSpace(r) })
				if first, _ := utf8.DecodeRuneInString(cell); strings.ContainsRune("=+-@\t\r\uff1d\uff0b\uff0d\uff20",
					first) {
					t.Errorf("%q: the cell %q is a formula (separated by %c)", name, cell, comma)
				}
			}
		}
	}
	page, err := c.HTML()
	plainPage, _ := plain.HTML()
	if got := tokens(t, page); err != nil || !slices.Equal(got, tokens(t, plainPage)) {
		t.Errorf("%q: the page has other elements, %v", name, err)
	}
	safe("the page", page)
	junit, err := c.JUnit()
	var back junitClass
	if err != nil || xml.Unmarshal([]byte(junit), &back) != nil || len(back.Suites) != 6 || back.Tests != 18 {
		t.Errorf("%q: the JUnit report: %v", name, err)
	}
	doc, err := c.JSON()
	var learners struct{ Learners []struct{ Name string } }
	if err != nil || json.Unmarshal([]byte(doc), &learners) != nil || len(learners.Learners) != 6 {
		t.Errorf("%q: the JSON: %v", name, err)
	}
	safe("the JSON", doc)
}

// TestTitlesHaveValues: the table has the values that all learners have, and says where they differ.
func TestTitlesHaveValues(t *testing.T) {
	of := func(left, net string) *scenario.Scenario {
		sc, err := scenario.ParseWith("two-rooms.md", []byte(`---
vars:
  left: [blue, green]
  net: 10.{1..9}.7
---
# Make {{left}} in {{net}}.0/24

## Add {{left}}

`+"```console\n$ ip netns add {{left}}\n```\n\n- [ ] namespace `{{left}}` exists\n"),
			scenario.Values{Set: map[string]string{"left": left, "net": net}})
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	blue, green := of("blue", "10.1.7"), of("green", "10.1.7")
	for _, one := range []struct {
		of          []*scenario.Scenario
		title, step string
	}{
		{nil, "Make blue in 10.1.7.0/24", "Add blue"},
		{[]*scenario.Scenario{green}, "Make green in 10.1.7.0/24", "Add green"},
		{[]*scenario.Scenario{green, blue, green}, "Make ... in 10.1.7.0/24", "Add ..."},
	} {
		c := New(Common(blue, one.of), 0)
		if c.Title != one.title || c.Steps[0].Title != one.step {
			t.Errorf("the title is %q, the step %q", c.Title, c.Steps[0].Title)
		}
	}
	if blue.Vars[0].Value != "blue" {
		t.Error("the scenario itself has changed")
	}
}
