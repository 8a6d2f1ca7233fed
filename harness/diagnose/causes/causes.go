// Package causes is the closed vocabulary of the diagnosis: one table of all causes, and a page on each: what it is,
// how it shows itself, what looks the same, how to prove it and how to mend it. It is pure: it imports nothing of this
// project, anybody may import it, and it never looks at a state (diagnose does).
//
// A new cause is a constant, a line of the table and a page.
package causes

import (
	"embed"
	"fmt"
	"iter"
	"slices"
	"strings"
)

//go:embed pages/*.md
var pages embed.FS

// Cause is a word of the vocabulary. Its zero value is none.
type Cause uint8

// Family is a part of the vocabulary, by where on a packet's way the cause is. Its zero value is none.
type Family uint8

// The families, in the order of the way.
const (
	_ Family = iota
	Source
	Route
	Link
	Segment
	Destination
	Review
)

var titles = [...]string{
	Source:      "Source",
	Route:       "Route",
	Link:        "Link",
	Segment:     "Segment: bridges, tunnels, neighbours",
	Destination: "Router, filter, destination",
	Review:      "What a review lists besides",
}

// String is the title of the family.
func (f Family) String() string { return titles[f] }

// Families are all families, in the order of the way.
func Families() []Family { return []Family{Source, Route, Link, Segment, Destination, Review} }

// Causes are those of the family.
func (f Family) Causes() []Cause {
	return slices.DeleteFunc(slices.Collect(All()), func(c Cause) bool { return c.Family() != f })
}

// All are the causes, in the order of a packet's way: family by family.
func All() iter.Seq[Cause] {
	return func(yield func(Cause) bool) {
		for c := Cause(1); c < count; c++ {
			if !yield(c) {
				return
			}
		}
	}
}

// Words are the words of all causes, in the same order.
func Words() []string {
	var words []string
	for c := range All() {
		words = append(words, c.String())
	}
	return words
}

// Parse finds a cause by its word; false for a word that is none of the vocabulary.
func Parse(word string) (Cause, bool) {
	for c := range All() {
		if table[c].word == word {
			return c, true
		}
	}
	return 0, false
}

// Valid says that it is a cause.
func (c Cause) Valid() bool { return c != 0 && c < count }

// entry is the line of the table; that of no cause is empty.
func (c Cause) entry() entry {
	if !c.Valid() {
		return entry{}
	}
	return table[c]
}

// String is the word of the cause, such as link-down.
func (c Cause) String() string {
	if !c.Valid() {
		return fmt.Sprintf("Cause(%d)", uint8(c))
	}
	return table[c].word
}

// MarshalText writes the word.
func (c Cause) MarshalText() ([]byte, error) {
	if !c.Valid() {
		return nil, fmt.Errorf("write a cause: %s is none", c)
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads the word.
func (c *Cause) UnmarshalText(word []byte) error {
	known, ok := Parse(string(word))
	if !ok {
		return fmt.Errorf("read a cause: there is no cause %q", word)
	}
	*c = known
	return nil
}

// Family is where on a packet's way the cause is.
func (c Cause) Family() Family { return c.entry().family }

// Remark says that a healthy network may have it too: a review lists it, and alarms nobody.
func (c Cause) Remark() bool { return c.entry().remark }

// Consequence says that another cause may have left it behind: what fixes that one in full fixes this as well.
func (c Cause) Consequence() bool { return c.entry().consequence }

// Masked says that any other cause at the same place is the same matter, and tells more of it.
func (c Cause) Masked() bool { return c.entry().masked }

// Explains says that a walk may meet the other cause for no other reason than this one.
func (c Cause) Explains(other Cause) bool { return slices.Contains(c.entry().explains, other) }

// Page is the page on the cause, in Markdown.
func (c Cause) Page() string {
	text, err := pages.ReadFile("pages/" + c.String() + ".md")
	if err != nil {
		panic(err) // a cause without a page: TestTable fails for it
	}
	return string(text)
}

// Summary is the first paragraph of the page: the cause in a sentence.
func (c Cause) Summary() string {
	_, rest, _ := strings.Cut(c.Page(), "\n\n")
	summary, _, _ := strings.Cut(rest, "\n\n")
	return strings.ReplaceAll(summary, "\n", " ")
}
