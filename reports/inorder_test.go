package reports

import (
	"bytes"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

func TestWhatRunsSideBySideIsToldInOrder(t *testing.T) {
	suite := func(id string, names ...string) Suite {
		s := Suite{ID: id, Driver: "netlink"}
		for _, name := range names {
			s.Cases = append(s.Cases, Case{Name: name, SectionResult: scenario.SectionResult{Outcome: scenario.Pass}})
		}
		return s
	}
	first, second := suite("first", "a", "b"), suite("second", "c", "d")
	var out bytes.Buffer
	sinks := Told(&Console{Out: &out})
	sinks.Plan([]Suite{first, second})
	told := func() string {
		var names []string
		for line := range strings.Lines(out.String()) {
			names = append(names, strings.Fields(line)[3])
		}
		return strings.Join(names, " ")
	}
	for _, step := range []struct {
		suite Suite
		index int
		want  string
	}{{second, 0, ""}, {first, 0, "a"}, {second, 1, "a"}, {first, 1, "a b c d"}} {
		sinks.End(step.suite, step.suite.Cases[step.index])
		if got := told(); got != step.want {
			t.Errorf("after %s: reported %q, want %q", step.suite.Cases[step.index].Name, got, step.want)
		}
	}
}
