package reports

import (
	"fmt"
	"strings"

	"netnscheck/harness/term"
)

// LeftOut is a driver or a number of cases that a run left out because a program is missing.
type LeftOut struct {
	// Program is the missing program; a case that lacks several counts for each of them.
	Program string `json:"program"`
	// Package is the package with the program in the host's package manager, "" if none is known.
	Package string `json:"package,omitempty"`
	// Driver is the driver left out, "" for cases.
	Driver string `json:"driver,omitempty"`
	Cases  int    `json:"cases,omitempty"`
	// Reason is a sentence about the missing program, as in a skip.
	Reason string `json:"reason"`
}

func (l LeftOut) String() string {
	what := term.Count(l.Cases, "case")
	switch {
	case l.Driver != "" && l.Cases > 0:
		what += " of the driver " + l.Driver
	case l.Driver != "":
		what = "the driver " + l.Driver
	}
	return what + ": " + l.Reason
}

// leftOutProperties are properties for JUnit, which has no other place for it.
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

// LeftOutText lists what was left out, and the command by which root installs the missing programs; "" if nothing was.
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
