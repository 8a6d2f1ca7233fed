package reports

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// LeftOut is what a run left out for want of a program: a driver as a whole, or cases that were skipped.
type LeftOut struct {
	// Program is what is missing; a case that lacks several counts for each of them.
	Program string `json:"program"`
	// Package has the program, as this machine's package manager calls it; "" where no package is known to have it.
	Package string `json:"package,omitempty"`
	// Driver is the one that is left out, "" where it is cases.
	Driver string `json:"driver,omitempty"`
	Cases  int    `json:"cases,omitempty"`
	// Reason says in words that the program is missing, as a skip does.
	Reason string `json:"reason"`
}

func (l LeftOut) String() string {
	what := plural(l.Cases, "case")
	if l.Driver != "" {
		what = "the driver " + l.Driver
	}
	return what + ": " + l.Reason
}

// leftOutProperties say it in the JUnit report, which has no place of its own for it.
func (r *Run) leftOutProperties() []Property {
	if len(r.LeftOut) == 0 {
		return nil
	}
	texts := make([]string, len(r.LeftOut))
	for i, l := range r.LeftOut {
		texts[i] = l.String()
	}
	properties := []Property{{"left out", strings.Join(texts, "; ")}}
	if r.Install != "" {
		properties = append(properties, Property{"install", r.Install})
	}
	return properties
}

// LeftOutText says in a few lines what was left out for want of a program, and how root installs all of it; "" if
// nothing was.
func (r *Run) LeftOutText() string {
	if len(r.LeftOut) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("left out:\n")
	for _, l := range r.LeftOut {
		fmt.Fprintf(&b, "  %s\n", term.Printable(l.String()))
	}
	if r.Install != "" {
		fmt.Fprintf(&b, "to play that too, as root: %s\n", term.Printable(r.Install))
	}
	return b.String()
}
