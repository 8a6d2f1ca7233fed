package causes

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTable: every cause is complete, and every word and every page is there once.
func TestTable(t *testing.T) {
	wordForm := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	files := map[string]bool{}
	dir, err := pages.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range dir {
		files[f.Name()] = true
	}
	words := map[string]bool{}
	family := Source
	for c := range All() {
		e := c.entry()
		if !wordForm.MatchString(e.word) {
			t.Errorf("the constant behind %s: the table has no line, or no word for it: %q", c-1, e.word)
			continue
		}
		if words[e.word] {
			t.Errorf("%s is in the table twice", c)
		}
		words[e.word] = true
		if page := e.word + ".md"; !files[page] {
			t.Errorf("%s has no page: pages/%s", c, page)
		} else {
			delete(files, page)
		}
		if e.family != family && e.family != family+1 {
			t.Errorf("%s: its family %d is out of order", c, e.family)
		}
		family = e.family
		for _, other := range e.explains {
			if !other.Valid() || other == c || other.Explains(c) {
				t.Errorf("%s: it does not explain %s", c, other)
			}
		}
	}
	var all []Cause
	for _, f := range Families() {
		all = append(all, f.Causes()...)
	}
	if !slices.Equal(all, slices.Collect(All())) || family != Review {
		t.Errorf("the families have %d causes of %d", len(all), count-1)
	}
	for page := range files {
		t.Errorf("pages/%s is the page of no cause", page)
	}
}

// TestZero: the zero value is no cause, has no family, and cannot be marshalled.
func TestZero(t *testing.T) {
	var none Cause
	if none.Valid() || none.Family() != 0 || none.Remark() || none.String() != "Cause(0)" || count.Valid() {
		t.Errorf("%s is valid", none)
	}
	if text, err := json.Marshal(none); err == nil {
		t.Errorf("written as %s", text)
	}
}

// TestWords: a cause is marshalled as its word, and unmarshalled from nothing else.
func TestWords(t *testing.T) {
	if !slices.Equal(Words()[:2], []string{"no-namespace", "not-a-namespace"}) || len(Words()) != int(count)-1 {
		t.Errorf("%q", Words())
	}
	for c := range All() {
		text, err := json.Marshal(map[string]Cause{"name": c})
		var back struct{ Name Cause }
		if err != nil || string(text) != `{"name":"`+c.String()+`"}` || json.Unmarshal(text, &back) != nil ||
			back.Name != c {
			t.Errorf("%s: written as %s (%v), read as %s", c, text, err, back.Name)
		}
	}
	for _, word := range []string{"", "no-rout", "No-route", "Cause(1)"} {
		var c Cause
		if err := json.Unmarshal([]byte(`"`+word+`"`), &c); err == nil || c.Valid() {
			t.Errorf("%q is read as %s", word, c)
		}
	}
}

// TestPages: each has the same parts, and refers to existing causes.
func TestPages(t *testing.T) {
	lookAlike := regexp.MustCompile("(?m)^- ((?:`[a-z0-9-]+`(?:, | and )?)+)")
	for c := range All() {
		if _, err := pages.Open("pages/" + c.String() + ".md"); err != nil {
			continue // TestTable fails for it
		}
		text, at := c.Page(), 0
		for _, part := range []string{"# " + c.String() + "\n\n", "\n## How it shows itself\n\n",
			"\n## What looks the same\n\n- ", "\n## Prove it\n\n```console\n$ ",
			"\n## Fix it\n\n```console\n$ ", "\nSource: "} {
			i := strings.Index(text[at:], part)
			if i < 0 {
				t.Errorf("%s: %q is missing or out of order", c, part)
				continue
			}
			at += i
		}
		if s := c.Summary(); len(s) < 30 || len(s) > 200 || !strings.HasSuffix(s, ".") || strings.Contains(s, "##") {
			t.Errorf("%s: summary %q", c, s)
		}
		for _, m := range lookAlike.FindAllStringSubmatch(text, -1) {
			for _, other := range regexp.MustCompile("`([a-z0-9-]+)`").FindAllStringSubmatch(m[1], -1) {
				if _, ok := Parse(other[1]); !ok || other[1] == c.String() {
					t.Errorf("%s: points to %s", c, other[1])
				}
			}
		}
		for i, line := range strings.Split(text, "\n") {
			if len(line) > 120 {
				t.Errorf("%s: line %d is too long", c, i+1)
			}
		}
	}
}
