package scenario

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCases: the id of a case identifies its section, and the section's result has the same id.
func TestCases(t *testing.T) {
	const check = "- [x] namespace `host` exists\n"
	sc, err := Parse("x-y.md",
		[]byte("# Title\n\n## again\n"+check+"\n### Mistake: a typo\n"+check+"\n### Mistake: b\n"+check+
			"\n## again\n"+check))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range sc.Cases("netlink") {
		r := SectionResult{Scenario: sc.ID, Driver: c.Driver, Kind: c.Kind, Step: c.Step, Mistake: c.Mistake}
		if r.CaseID() != c.ID {
			t.Errorf("the result of %s is one of %s", c.ID, r.CaseID())
		}
		got = append(got, c.ID+" "+string(c.Kind)+": "+c.Name+" in "+c.Section.Title)
		if text := strings.Join(sc.Texts(c), " "); text != "x-y: Title driver netlink "+c.Name {
			t.Errorf("the texts of %s are %q", c.ID, text)
		}
	}
	want := []string{
		"x-y.netlink.1 step: again in again", "x-y.netlink.1.1 mistake: again / Mistake: a typo in a typo",
		"x-y.netlink.1.2 mistake: again / Mistake: b in b", "x-y.netlink.2 step: again in again",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
