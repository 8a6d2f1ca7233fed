package lab_test

import (
	"errors"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestAfter: the state is the one after all steps, also if one of them is for some drivers only.
func TestAfter(t *testing.T) {
	if _, err := lab.IPRoute2(); err != nil {
		lab.Lacking(t, err)
	}
	for _, c := range []struct {
		name, first string // the info of the first block
		steps       int
		want        bool // that a exists in the end
	}{
		{"for all drivers", "console", 2, true},
		{"for iproute2 alone", "console iproute2", 2, true},
		{"no step at all", "console", 0, false},
		{"for another kernel", "console iproute2 kernel>=99", 2, false},
	} {
		sc := parsed(t, "# T", "## A", "```"+c.first, "$ ip netns add a", "```", "- [ ] namespace `a` exists", "",
			"## B", "```console", "$ ip netns add b", "```", "- [ ] namespace `b` exists")
		s, err := lab.After(t.Context(), sc, c.steps)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Namespace("a") != nil; got != c.want {
			t.Errorf("%s: a exists: %v", c.name, got)
		}
		if got := s.Namespace("b") != nil; got != (c.steps == 2) {
			t.Errorf("%s: b exists: %v", c.name, got)
		}
	}
}

// TestAfterSaysWhatItLacks instead of returning the state without some of the steps.
func TestAfterSaysWhatItLacks(t *testing.T) {
	for _, source := range [][]string{
		{"---", "requires: [program:no-such-program]", "---", "# T", "## A", "```console", "$ ip netns add a", "```",
			"- [ ] namespace `a` exists"},
		{"# T", "## A", "```console iproute2", "$ no-such-program", "```", "- [ ] namespace `a` exists"},
	} {
		s, err := lab.After(t.Context(), parsed(t, source...), 1)
		var unavailable *scenario.Unavailable
		if !errors.As(err, &unavailable) {
			t.Errorf("%q: a state: %v, %v", source, s != nil, err)
		}
	}
}

func parsed(t *testing.T, source ...string) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.Parse("t.md", []byte(lines(source...)))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}
