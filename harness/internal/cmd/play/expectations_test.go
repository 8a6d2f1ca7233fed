package play

import (
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/expect"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// TestJudge: what an expectation makes of outcomes, case by case, in a suite of four steps and a mistake.
func TestJudge(t *testing.T) {
	const pass, fail, blocked, xfail, xpass = scenario.Pass, scenario.Fail, scenario.Blocked, scenario.XFail,
		scenario.XPass
	file, err := expect.Parse("e.yaml", []byte("expectations:\n"+
		"  - {scenario: a, step: 2, reason: a bug, link: https://example.org/42, expires: 2027-03-31}\n"+
		"  - {scenario: a, step: 3, mistake: 1, reason: another}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ is, want []scenario.Outcome }{
		"as expected": {[]scenario.Outcome{pass, fail, blocked, blocked},
			[]scenario.Outcome{pass, xfail, xfail, xfail}},
		"not as expected":    {[]scenario.Outcome{pass, pass, pass, pass}, []scenario.Outcome{pass, xpass, pass, xpass}},
		"an error":           {[]scenario.Outcome{pass, scenario.Error, blocked, blocked}, nil},
		"skipped":            {[]scenario.Outcome{pass, scenario.Skip, pass, scenario.Skip}, nil},
		"another one failed": {[]scenario.Outcome{fail, blocked, blocked, blocked}, nil},
		"not run":            {[]scenario.Outcome{pass, scenario.NotRun, scenario.NotRun, scenario.NotRun}, nil},
		"both, the first bad": {[]scenario.Outcome{fail, fail, blocked, fail},
			[]scenario.Outcome{fail, xfail, blocked, xfail}},
	} {
		t.Run(name, func(t *testing.T) {
			x := Expectations{file: file, Today: time.Date(2027, 3, 31, 23, 0, 0, 0, time.UTC)}
			s := reports.Suite{ID: "a", Driver: "netlink"}
			for i, o := range c.is {
				r := scenario.SectionResult{Outcome: o, Step: min(i+1, 3)}
				title := string(rune('A' + r.Step - 1))
				if i == 3 {
					r.Mistake, title = 1, "C / Mistake: M"
				}
				s.Cases = append(s.Cases, reports.Case{Name: title, SectionResult: r})
			}
			if c.want == nil {
				c.want = c.is
			}
			for i := range s.Cases {
				one := &s.Cases[i]
				x.Judge(x.On([]reports.Property{{Name: "kernel", Value: "6.1"}}), &s, one)
				if one.Outcome != c.want[i] {
					t.Errorf("case %d is %s, want %s", i+1, one.Outcome, c.want[i])
				}
				decided := one.Outcome == xfail || one.Outcome == xpass
				if decided != (one.Expectation != nil) || decided && !strings.Contains(one.Reason, one.Expectation.Reason) {
					t.Errorf("case %d: %q, by %+v", i+1, one.Reason, one.Expectation)
				}
			}
		})
	}
	late := Expectations{file: file, Today: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)}
	second := reports.Case{Name: "B", SectionResult: scenario.SectionResult{Step: 2}}
	idle := late.Idle([]reports.Suite{{ID: "a", Cases: []reports.Case{second}}})
	if len(idle) != 2 || !strings.Contains(idle[0], "has expired") || !strings.Contains(idle[1], "about nothing") {
		t.Errorf("it says %q", idle)
	}
}
