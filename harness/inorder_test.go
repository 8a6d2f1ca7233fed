package main

import (
	"bytes"
	"strings"
	"testing"

	"netnscheck/harness/internal/specrun"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

func TestWhatRunsSideBySideIsToldInOrder(t *testing.T) {
	suite := func(id string, names ...string) reports.Suite {
		s := reports.Suite{ID: id, Driver: "netlink"}
		for _, name := range names {
			s.Cases = append(s.Cases, reports.Case{Name: name, SectionResult: scenario.SectionResult{Outcome: scenario.Pass}})
		}
		return s
	}
	first, second := suite("first", "a", "b"), suite("second", "c", "d")
	var out bytes.Buffer
	o := newInOrder(&reports.Console{Out: &out}, []specrun.Planned{{Suites: []reports.Suite{first}}, {Suites: []reports.Suite{second}}})
	told := func() string {
		var names []string
		for line := range strings.Lines(out.String()) {
			names = append(names, strings.Fields(line)[3])
		}
		return strings.Join(names, " ")
	}
	for _, step := range []struct {
		suite reports.Suite
		index int
		want  string
	}{{second, 0, ""}, {first, 0, "a"}, {second, 1, "a"}, {first, 1, "a b c d"}} {
		o.end(step.suite, step.suite.Cases[step.index])
		if got := told(); got != step.want {
			t.Errorf("after %s: told %q, want %q", step.suite.Cases[step.index].Name, got, step.want)
		}
	}
}
