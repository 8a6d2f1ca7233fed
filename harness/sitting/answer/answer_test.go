package answer_test

import (
	"os"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/answer"
)

func TestTheAuthorsWord(t *testing.T) {
	now := ends()
	f := answer.Facts{Scenario: small(t), After: now, Whole: now}
	if a := answer.Find(f); a != nil {
		t.Errorf("nobody asked, and %q is told", a.Title)
	}
	f.Asked = true
	a := answer.Find(f)
	if a == nil || a.Kind != answer.Check || a.Title != "Does the address have its length?" ||
		!strings.Contains(a.Text, "`l0` in `left` has the address `10.0.0.1/24`") ||
		!strings.Contains(a.Text, "its addresses: none") {
		t.Errorf("told is %+v", a)
	}
}

// TestChallenge: in a challenge a repair would be the solution.
func TestChallenge(t *testing.T) {
	source, err := os.ReadFile("testdata/small.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, repairs := range map[string]bool{"lesson": true, "challenge": false} {
		sc, err := scenario.Parse("small.md", []byte(strings.Replace(string(source), "id:", "kind: "+kind+"\nid:", 1)))
		if err != nil {
			t.Fatal(err)
		}
		now := ends()
		for _, f := range []answer.Facts{
			{Scenario: sc, Step: 2, Before: now, After: now, Whole: now, Line: "ip -n left link set l0"},
			{Scenario: sc, Step: 2, Before: now, After: now, Whole: now, Asked: true},
		} {
			a := answer.Find(f)
			if a == nil || (a.Repair != "") != repairs {
				t.Errorf("in a %s, after %q: %+v", kind, f.Line, a)
			}
		}
	}
}

// TestTheTitleOfAMistake: it has the values of the variables, as its text has.
func TestTheTitleOfAMistake(t *testing.T) {
	source, err := os.ReadFile("testdata/small.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(source), "id: small", "id: small\nvars:\n  length: 24", 1) + `
### Mistake: no route over {{length}}

` + "```console\n$ ip -n left route add 10.9.0.0/16 via 10.0.0.9\n[2]\n```\n\n- [ ] `left` does not have the route " +
		"`10.9.0.0/16`\n"
	sc, err := scenario.Parse("small.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	now := ends()
	a := answer.Find(answer.Facts{Scenario: sc, Step: 3, Before: now, After: now, Whole: now,
		Line: "ip -n left route add 10.9.0.0/16 via 10.0.0.9", Status: 2})
	if a == nil || a.Title != "no route over 24" {
		t.Errorf("told is %+v", a)
	}
}
