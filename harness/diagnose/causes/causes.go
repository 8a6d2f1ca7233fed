// Package causes is the closed vocabulary of the diagnosis: one table of all causes, and a page on each with its
// symptoms, look-alikes, proof and fix. It is pure: it imports nothing of this project, any package may import it, and
// it never looks at a state, as diagnose does.
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

// Cause is a word of the vocabulary. The zero value is no cause.
type Cause uint8

// Family groups causes by their place on a packet's path. The zero value is no family.
type Family uint8

// The families, in the order of the path.
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

// Families are all families, in the order of the path.
func Families() []Family { return []Family{Source, Route, Link, Segment, Destination, Review} }

// Causes are the causes of the family.
func (f Family) Causes() []Cause {
	return slices.DeleteFunc(slices.Collect(All()), func(c Cause) bool { return c.Family() != f })
}

// All are the causes, family by family, in the order of a packet's path.
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

// Parse finds a cause by its word; false if the vocabulary does not have it.
func Parse(word string) (Cause, bool) {
	for c := range All() {
		if table[c].word == word {
			return c, true
		}
	}
	return 0, false
}

// Valid reports whether it is a cause.
func (c Cause) Valid() bool { return c != 0 && c < count }

// entry is the cause's line of the table; empty for no cause.
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
		return nil, fmt.Errorf("write a cause: %s is not in the vocabulary", c)
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

// Family is the place of the cause on a packet's path.
func (c Cause) Family() Family { return c.entry().family }

// Remark reports whether a healthy network may have it too: a review lists it without calling the network faulty.
func (c Cause) Remark() bool { return c.entry().remark }

// Consequence reports whether it may be a consequence of another cause, whose complete repair fixes it too.
func (c Cause) Consequence() bool { return c.entry().consequence }

// Masked reports whether any other cause at the same place is the same fault, and more specific.
func (c Cause) Masked() bool { return c.entry().masked }

// Explains reports whether a walk may meet the other cause because of this one.
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
