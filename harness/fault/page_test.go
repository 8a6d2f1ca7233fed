package fault_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/fault"
	"netnscheck/harness/scenario"
	learner "netnscheck/harness/sitting/page"
)

var update = flag.Bool("update", false, "write the golden files")

func page(t *testing.T, id, seed string) *scenario.Scenario {
	t.Helper()
	sc, s, goals := captured(t, id)
	chosen, err := fault.Choose(s, goals, fault.Options{Seed: seed, Level: 2})
	if err != nil {
		t.Fatal(err)
	}
	p, err := fault.Page(sc, s, goals, chosen)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPage compares the page of a challenge with a golden text.
func TestPage(t *testing.T) {
	got := page(t, "router", "anna").Source
	if *update {
		if err := os.WriteFile("testdata/router-page.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/router-page.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestPageTellsNothing: whatever the fault is, a learner's page is the same but for its hints.
func TestPageTellsNothing(t *testing.T) {
	shown := func(seed string) string {
		text, hints, _ := strings.Cut(learner.Text(page(t, "veth-pair", seed), false), "\n> [!TIP]")
		if strings.Contains(text, "console") {
			t.Errorf("seed %s: it shows the solution:\n%s", seed, text)
		}
		if !strings.Contains(hints, "harness explain") {
			t.Errorf("seed %s: the hints are %q", seed, hints)
		}
		return text
	}
	first := shown("1")
	for _, seed := range []string{"2", "3", "4", "5"} {
		if diff := cmp.Diff(first, shown(seed)); diff != "" {
			t.Errorf("seed %s: %s", seed, diff)
		}
	}
}

// TestPageIsAScenario: the page has one step, whose checks are the goals.
func TestPageIsAScenario(t *testing.T) {
	_, _, goals := captured(t, "veth-pair")
	p := page(t, "veth-pair", "1")
	if p.ID != "veth-pair-fault" || p.Kind != scenario.Challenge || len(p.Steps) != 1 || p.Setup != nil ||
		p.Points != 1 {
		t.Errorf("it is %s, a %s of %d steps and %d points", p.ID, p.Kind, len(p.Steps), p.Points)
	}
	for i, c := range p.Steps[0].Checks {
		if c.Claim.Sentence() != goals[i].Claim.Sentence() || c.Before {
			t.Errorf("check %d is %s, want %s", i, c.Claim.Sentence(), goals[i].Claim.Sentence())
		}
	}
	if problems := scenario.Review(p); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestOutline: what is known of the page before the network is there is what the page has, with the values of
// variables.
func TestOutline(t *testing.T) {
	sc, err := scenario.ParseWith("x.md",
		[]byte("---\nvars:\n  room: [red, blue]\n---\n# A way to {{room}}\n\n## Go\n\n"+
			"- [ ] namespace `{{room}}` exists\n"), scenario.Values{Set: map[string]string{"room": "blue"}})
	if err != nil {
		t.Fatal(err)
	}
	if o := fault.Outline(sc, 2); o.Title != "Find the faults: A way to blue" || o.ID != "x-fault" ||
		len(o.Steps) != 1 || o.Steps[0].Points != 2 {
		t.Errorf("%+v", o)
	}
	p := page(t, "veth-pair", "1")
	lesson, _, _ := captured(t, "veth-pair")
	if o := fault.Outline(lesson, 1); o.Title != p.Title || o.ID != p.ID || o.Steps[0].Title != p.Steps[0].Title ||
		o.Steps[0].Points != p.Steps[0].Points {
		t.Errorf("the outline has %q and %+v, the page %q and %+v", o.Title, o.Steps, p.Title, p.Steps)
	}
}
