package specrun

import (
	"fmt"

	"netnscheck/harness/term"
	"netnscheck/reports"
)

// Shard leaves the units of a plan that belong to a shard, in their order, and tells the shard of which plan it is one.
// The units of a plan are dealt out like cards, so that each is in exactly one shard, and no shard has two more than
// another. A unit is a scenario with all its drivers, since they are compared with each other, or the suites written in
// Go. It is an error if a shard would have no unit: that would be no run at all.
func Shard(plan []Planned, s *reports.Shard) ([]Planned, error) {
	if len(plan) < s.Of {
		return nil, fmt.Errorf("the plan has %s: one of %d shards would be empty", term.Count(len(plan), "scenario"),
			s.Of)
	}
	var whole []reports.Suite
	var own []Planned
	for i := range plan {
		whole = append(whole, plan[i].Suites...)
		if i%s.Of == s.Number-1 {
			own = append(own, plan[i])
		}
	}
	s.Describe(whole)
	return own, nil
}
