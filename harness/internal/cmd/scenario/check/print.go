package check

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
	"netnscheck/reports"
)

// said is what one or several drivers say about a place in a file.
type said struct {
	file    string
	line    int
	title   string // of the section
	more    int    // further sections of which the same is said
	drivers []string
	text    string
}

func (s said) String() string {
	title := s.title
	if s.more > 0 {
		title += fmt.Sprintf(" and %d more", s.more)
	}
	return fmt.Sprintf("%s:%d: %s (%s): %s", s.file, s.line, term.Brief(title), reports.And(s.drivers), s.text)
}

// ofLine is the reason of a skip that tells the line of a command or a check.
var ofLine = regexp.MustCompile(`^line ([0-9]{1,9}): (.*)`)

// problems are all problems of a run in the order of the file, and the cases that were not played. What several drivers
// say alike is one of them, and so are sections that were not played for the same reason.
func problems(r *reports.Run) []said {
	var wrong, missing []said
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			c := &r.Suites[i].Cases[j]
			one := said{file: c.File, line: c.Line, title: c.Name, drivers: []string{c.Driver}}
			for _, p := range c.Problems {
				one.file, one.line, one.text = cmp.Or(p.File, c.File), cmp.Or(p.Line, c.Line), p.Text()
				wrong = append(wrong, one)
			}
			if len(c.Problems) == 0 && c.Outcome != scenario.Pass {
				why := c.Headline()
				if m := ofLine.FindStringSubmatch(why); m != nil {
					one.line, _ = strconv.Atoi(m[1])
					why = m[2]
				}
				one.text = fmt.Sprintf("%s: %s", c.Outcome, why)
				missing = append(missing, one)
			}
		}
	}
	all := append(byDrivers(wrong), bySections(byDrivers(missing))...)
	slices.SortStableFunc(all, func(a, b said) int { return cmp.Compare(a.line, b.line) })
	return all
}

// byDrivers joins what differs in the driver alone.
func byDrivers(all []said) []said {
	return join(all, func(s said) string { return fmt.Sprintf("%s\n%d\n%s\n%s", s.file, s.line, s.title, s.text) },
		func(first *said, s said) { first.drivers = append(first.drivers, s.drivers...) })
}

// bySections joins what differs in the section alone.
func bySections(all []said) []said {
	return join(all, func(s said) string { return strings.Join(s.drivers, " ") + "\n" + s.text },
		func(first *said, _ said) { first.more++ })
}

// join joins elements with the same key, each into the first one.
func join(all []said, key func(said) string, into func(first *said, s said)) (joined []said) {
	at := map[string]int{}
	for _, s := range all {
		k := key(s)
		if i, ok := at[k]; ok {
			into(&joined[i], s)
			continue
		}
		at[k] = len(joined)
		joined = append(joined, s)
	}
	return joined
}

// print prints what was found by playing a file, and its summary.
func (c *checker) print(file string, draft *scenario.Draft, r *reports.Run) {
	for _, s := range problems(r) {
		c.line(s.String())
	}
	for _, p := range slices.Concat(r.Problems, r.Leftovers) {
		fmt.Fprintln(c.out, p)
	}
	n := r.Count()
	text := fmt.Sprintf("played: %d passed, %d did not, %d skipped", n.Pass, n.Bad(), n.Skip)
	if draft.Lost > 0 {
		text = fmt.Sprintf("played up to line %d: %d passed, %d did not, %d skipped; not played: %s",
			draft.Cut-1, n.Pass, n.Bad(), n.Skip, term.Count(draft.Lost, "step"))
	}
	if len(draft.Problems) > 0 {
		text = textProblems(draft) + "; " + text
	}
	fmt.Fprintf(c.out, "%s: %s\n%s", file, text, r.LeftOutText())
}

func textProblems(draft *scenario.Draft) string {
	return term.Count(len(draft.Problems), "problem") + " in the text"
}

// line prints a line. On a terminal it is wrapped to the width, and what follows is indented.
func (c *checker) line(text string) {
	if c.screen.Terminal {
		text = strings.Join(term.Wrap(text, max(c.screen.Columns-2, 20)), "\n  ")
	}
	fmt.Fprintln(c.out, text)
}
