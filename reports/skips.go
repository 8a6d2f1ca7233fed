package reports

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netnscheck/harness/scenario"
	"netnscheck/harness/term"
)

// Skips are the skipped cases of one reason.
type Skips struct {
	// Reason is that of each of them, without the lines of a file and what only some of them have to say.
	Reason string
	Cases  int
}

// Skips counts the skipped cases by their reason, the most frequent first. Those that lack programs are in LeftOut.
func (r *Run) Skips() (all []Skips) {
	at := map[string]int{}
	for i := range r.Suites {
		for _, c := range r.Suites[i].Cases {
			if c.Outcome != scenario.Skip || len(c.Missing) > 0 {
				continue
			}
			reason := common(c.Reason)
			n, known := at[reason]
			if !known {
				n, all = len(all), append(all, Skips{Reason: reason})
				at[reason] = n
			}
			all[n].Cases++
		}
	}
	slices.SortStableFunc(all, func(a, b Skips) int { return cmp.Compare(b.Cases, a.Cases) })
	return all
}

var (
	lineBefore = regexp.MustCompile(`^line \d+: `)
	linesOf    = regexp.MustCompile(` in lines? [\d, and]*\d\b`)
	afterwards = regexp.MustCompile(`; for the steps after it, .*$`)
)

// common is what a reason has in common with the same reason at another place.
func common(reason string) string {
	reason = lineBefore.ReplaceAllString(reason, "")
	reason = afterwards.ReplaceAllString(reason, "")
	return term.OneLine(linesOf.ReplaceAllString(reason, ""))
}

// mostReasons is how many reasons are listed.
const mostReasons = 12

// SkipsText lists the reasons why cases were skipped, with their numbers; "" if none was.
func (r *Run) SkipsText() string {
	all := r.Skips()
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("skipped:\n")
	shown := all[:min(len(all), mostReasons)]
	for _, s := range shown {
		fmt.Fprintf(&b, "  %s: %s\n", term.Count(s.Cases, "case"), term.Brief(s.Reason))
	}
	more := 0
	for _, s := range all[len(shown):] {
		more += s.Cases
	}
	if more > 0 {
		fmt.Fprintf(&b, "  %s for %s\n", term.Count(more, "case"), term.Count(len(all)-len(shown), "other reason"))
	}
	return b.String()
}
