package reports

import (
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Difference is a case that did not have the same outcome in all guests in which it was played.
type Difference struct {
	Suite *Suite // of the first guest
	Case  *Case
	// Groups are the guests, by what they say, in the order in which they say it first.
	Groups []Said
}

// Said is what some guests say alike about a case.
type Said struct {
	Outcome scenario.Outcome
	Guests  []string
	Reason  string // "" of a case that passed
}

// Differences are the cases whose outcomes differ between guests, in the order of the plan. A case that was not run
// says nothing.
func (r *Run) Differences() []Difference {
	return slices.DeleteFunc(r.said(), func(d Difference) bool {
		return !slices.ContainsFunc(d.Groups, func(g Said) bool { return g.Outcome != d.Groups[0].Outcome })
	})
}

// said is what the guests say of each case, in the order of the plan.
func (r *Run) said() (all []Difference) {
	type key struct{ id, title, driver, name string }
	at := map[key]int{}
	for i := range r.Suites {
		s := &r.Suites[i]
		for j := range s.Cases {
			c := &s.Cases[j]
			if c.Outcome == scenario.NotRun || s.Guest == "" {
				continue
			}
			k := key{s.ID, s.Title, s.Driver, c.Name}
			n, known := at[k]
			if !known {
				n = len(all)
				at[k], all = n, append(all, Difference{Suite: s, Case: c})
			}
			all[n].say(s, c)
		}
	}
	return all
}

// uncompared tells which guests did not run cases that others ran, a line for each.
func (r *Run) uncompared() string {
	cases := r.said()
	var b strings.Builder
	for _, guest := range r.Guests {
		n := 0
		for _, c := range cases {
			if !slices.ContainsFunc(c.Groups, func(g Said) bool { return slices.Contains(g.Guests, guest.Name) }) {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(&b, "%s not run on %s, and not compared.\n", term.Count(n, "case"), term.OneLine(guest.Name))
		}
	}
	return b.String()
}

func (d *Difference) say(s *Suite, c *Case) {
	said := Said{Outcome: c.Outcome}
	if c.Outcome != scenario.Pass {
		said.Reason = c.Headline()
	}
	i := slices.IndexFunc(d.Groups, func(g Said) bool { return g.Outcome == said.Outcome && g.Reason == said.Reason })
	if i < 0 {
		i, d.Groups = len(d.Groups), append(d.Groups, said)
	}
	d.Groups[i].Guests = append(d.Groups[i].Guests, s.Guest)
}

// Compare tells where kernels differ, in lines of at most so many columns: cases that differ alike are told once, with
// the reason of each side. Cases that not all guests ran are counted.
func Compare(r *Run, columns int) string {
	all, missing := r.Differences(), r.uncompared()
	switch {
	case len(all) == 0 && missing != "":
		return "No case differs between the kernels that ran it.\n" + missing
	case len(all) == 0:
		return "No case differs between the kernels.\n"
	}
	type group struct {
		said  string
		lines []string
	}
	var groups []group
	for _, d := range all {
		said := d.describe(columns)
		i := slices.IndexFunc(groups, func(g group) bool { return g.said == said })
		if i < 0 {
			i, groups = len(groups), append(groups, group{said: said})
		}
		groups[i].lines = append(groups[i].lines, place(d.Suite, []At{{Driver: d.Suite.Driver}}, d.Case))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s differ between the kernels:\n", term.Count(len(all), "case"))
	for i, g := range groups {
		label := fmt.Sprintf("%d. ", i+1)
		b.WriteByte('\n')
		for _, line := range g.lines {
			for _, part := range term.Wrap(line, max(columns-len(label), 20)) {
				b.WriteString(label + part + "\n")
				label = strings.Repeat(" ", len(label))
			}
		}
		b.WriteString(g.said)
	}
	if missing != "" {
		b.WriteString("\n" + missing)
	}
	return b.String()
}

// describe are the sides of a difference, each behind its outcome and guests.
func (d *Difference) describe(columns int) string {
	const margin = "   "
	var b strings.Builder
	for _, g := range d.Groups {
		text := fmt.Sprintf("%-7s on %s", term.OneLine(string(g.Outcome)), term.OneLine(And(g.Guests)))
		if g.Reason != "" {
			text += ": " + term.OneLine(g.Reason)
		}
		indent := margin
		for _, part := range term.Wrap(text, max(columns-len(margin)-8, 20)) {
			b.WriteString(indent + part + "\n")
			indent = margin + strings.Repeat(" ", 8)
		}
	}
	return b.String()
}
