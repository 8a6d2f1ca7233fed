package reports

import (
	"cmp"
	"fmt"
	"slices"
)

// slowest lists the cases that took the longest, the longest first.
func (o *Console) slowest(r *Run) {
	type timed struct {
		suite *Suite
		*Case
	}
	var all []timed
	for i := range r.Suites {
		for j := range r.Suites[i].Cases {
			if c := &r.Suites[i].Cases[j]; c.Duration > 0 {
				all = append(all, timed{&r.Suites[i], c})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(b.Duration, a.Duration) })
	all = all[:min(o.Slowest, len(all))]
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(o.Out, "\nThe slowest:")
	for _, c := range all {
		fmt.Fprintf(o.Out, "%8s  %s\n", duration(c.Duration), place(c.suite, []At{{c.suite.Driver, c.suite.Guest}}, c.Case))
	}
}
