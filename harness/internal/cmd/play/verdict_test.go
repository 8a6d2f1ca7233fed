package play

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// of is a run of cases with these outcomes.
func of(outcomes ...scenario.Outcome) *reports.Run {
	s := reports.Suite{ID: "a"}
	for _, o := range outcomes {
		s.Cases = append(s.Cases, reports.Case{SectionResult: scenario.SectionResult{Outcome: o}})
	}
	return &reports.Run{Suites: []reports.Suite{s}}
}

// TestVerdict is README's table of what decides if several hold.
func TestVerdict(t *testing.T) {
	const pass, fail, skip, not = scenario.Pass, scenario.Fail, scenario.Skip, scenario.NotRun
	unable, cut := Ending{Unable: errors.New("no room")}, Ending{Cut: true}
	lost := errors.New("write the report x: no space left on device")
	leaves := func(r *reports.Run) *reports.Run {
		r.Leftovers = []string{"a namespace"}
		return r
	}
	unmet := func(r *reports.Run) *reports.Run {
		with := *r
		with.Unmet = 1
		return &with
	}
	warned := of(pass)
	warned.Problems = []string{"a limit was met"}
	twice := of(pass)
	twice.Problems = []string{"a limit was met", "--max-skips 0: 1 case was skipped"}
	for name, c := range map[string]struct {
		run  *reports.Run
		end  Ending
		lost error
		want int
		says string
	}{
		"passed":                        {of(pass, skip), Ending{}, nil, status.Passed, ""},
		"failed":                        {of(pass, fail), Ending{}, nil, status.Failed, ""},
		"failed as expected":            {of(scenario.XFail), Ending{}, nil, status.Passed, ""},
		"passed unexpectedly":           {of(pass, scenario.XPass), Ending{}, nil, status.Failed, ""},
		"flaky":                         {of(pass, scenario.Flaky), Ending{}, nil, status.Failed, ""},
		"an error":                      {of(pass, scenario.Error), Ending{}, nil, status.Failed, ""},
		"blocked":                       {of(pass, scenario.Blocked), Ending{}, nil, status.Failed, ""},
		"not run after a failure":       {of(fail, not), Ending{}, nil, status.Failed, ""},
		"a problem of the run":          {warned, Ending{}, nil, status.Failed, ""},
		"a demand that is not met":      {unmet(warned), Ending{}, nil, status.Cannot, ""},
		"a demand, and a failure":       {unmet(of(fail)), Ending{}, nil, status.Failed, ""},
		"a demand, and a problem":       {unmet(twice), Ending{}, nil, status.Failed, ""},
		"nothing could be run":          {of(skip, skip), Ending{}, nil, status.Cannot, "all 2 cases were skipped"},
		"no case completed":             {of(not), unable, nil, status.Cannot, "no room"},
		"cut short":                     {of(pass, not), cut, nil, status.Cut, ""},
		"cut short, and all passed":     {of(pass), cut, nil, status.Cut, ""},
		"cut short, and a case failed":  {of(fail, not), cut, nil, status.Cut, ""},
		"cut short, and all skipped":    {of(skip), cut, nil, status.Cut, ""},
		"a lost report":                 {of(pass), Ending{}, lost, status.Cut, "write the report x"},
		"a lost report, and a failure":  {of(fail), Ending{}, lost, status.Cut, "write the report x"},
		"left behind":                   {leaves(of(pass)), Ending{}, nil, status.Leftover, ""},
		"left behind, and a failure":    {leaves(of(fail)), Ending{}, nil, status.Leftover, ""},
		"left behind, and cut short":    {leaves(of(not)), cut, nil, status.Leftover, ""},
		"left behind, no case complete": {leaves(of(not)), unable, nil, status.Leftover, ""},
		"left behind, and a lost report": {leaves(of(pass)), Ending{}, lost, status.Leftover,
			"write the report x"},
		"no case completed, and a lost report": {of(not), unable, lost, status.Cannot, "write the report x"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Verdict(c.run, c.end, c.lost)
			got, silent := status.Of(err)
			if got != c.want || silent != (c.says == "") || err != nil && !silent && !strings.Contains(err.Error(), c.says) {
				t.Errorf("status %d, silent %v: %v; want %d, %q", got, silent, err, c.want, c.says)
			}
		})
	}
}
