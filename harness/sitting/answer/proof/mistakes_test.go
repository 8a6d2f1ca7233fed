package proof_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/sitting/page"
)

var played = flag.String("lessons", "", "play the mistakes of this scenario alone, or of all lessons: all")

func chosen(sc *scenario.Scenario) bool {
	switch *played {
	case "":
		return strings.Contains(sc.File, "tutorial/")
	case "all":
		return sc.Kind != scenario.Conformance
	}
	return sc.ID == *played
}

// TestRightCommands: whoever types the commands of a step in their order is told nothing, and hears of no mistake and
// no typo if he asks in between.
func TestRightCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays whole lessons")
	}
	for _, sc := range lessons(t, chosen) {
		t.Run(sc.ID, func(t *testing.T) {
			p := begins(t, sc, 0)
			if p == nil {
				t.Skip("this machine cannot play it")
			}
			for i := range sc.Steps {
				p.comesTo(i)
				for _, cmd := range p.commands(sc.Steps[i].Blocks) {
					got, ok := p.does(cmd)
					if !ok {
						t.Skip("a program is missing")
					}
					if a := got.state; a != nil {
						t.Errorf("step %d, after %q, by the state: %s", i+1, cmd.Text, tells(a))
					}
					if a := got.line; a != nil &&
						(a.Kind != answer.Cause && a.Kind != answer.Check || !cmd.Status.Refusal()) {
						t.Errorf("step %d, after %q: %s", i+1, cmd.Text, tells(a))
					}
					if a := got.asked; a != nil && (a.Kind == answer.Mistake || a.Kind == answer.Typo) {
						t.Errorf("step %d, asked after %q: %s", i+1, cmd.Text, tells(a))
					}
				}
				p.settles(sc.Steps[i].Checks)
			}
		})
	}
}

func tells(a *sitting.Answer) string {
	if a == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s %q", a.Kind, a.Title)
}

// TestMistakes plays each mistake. What is told of it is the mistake or a typo or a silent change, never another
// mistake; and it is recognized by the command, by the state alone, or when the learner asks, as the table says.
func TestMistakes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it plays whole lessons")
	}
	recognized, all := 0, 0
	for _, sc := range lessons(t, chosen) {
		for i := range sc.Steps {
			for j := range sc.Steps[i].Mistakes {
				m := sc.Steps[i].Mistakes[j]
				id := fmt.Sprintf("%s.%d.%d", sc.ID, i+1, j+1)
				t.Run(id, func(t *testing.T) {
					p := begins(t, sc, i)
					if p == nil {
						t.Skip("this machine cannot play it")
					}
					var ways []string
					note := func(way string, cmd scenario.Command, a *sitting.Answer) {
						if a == nil || a.Kind != answer.Mistake {
							if a != nil {
								t.Logf("%s, after %q: %s", way, cmd.Text, tells(a))
							}
							return
						}
						if a.Title != m.Title && a.Text != page.Mistake(sc, i, j, nil) {
							t.Errorf("%s, after %q: %s; it is %q", way, cmd.Text, tells(a), m.Title)
						}
						if a.Check < 0 || a.Check >= len(sc.Steps[i].Checks) || a.Text == "" {
							t.Errorf("%s: check %d, text %q", way, a.Check, a.Text)
						}
						if !slices.Contains(ways, way) {
							ways = append(ways, way)
						}
					}
					for _, cmd := range p.commands(m.Blocks) {
						got, ok := p.does(cmd)
						if !ok {
							t.Skip("a program is missing")
						}
						note("line", cmd, got.line)
						note("state", cmd, got.state)
						note("asked", cmd, got.asked)
					}
					all++
					slices.Sort(ways)
					text := strings.Join(ways, " ")
					if text != "" {
						recognized++
					}
					want, known := expected[id]
					if !known {
						want = "line"
						if whyNot[id] != "" {
							want = ""
						}
					}
					if text != want {
						t.Errorf("%q is recognized by %q, want %q", m.Title, text, want)
					}
				})
			}
		}
	}
	t.Logf("%d of %d mistakes are recognized", recognized, all)
}

// expected are the ways in which a mistake is recognized, if not by its command alone: "line" with the command line,
// "state" by the state that it leaves, "asked" if the learner asks in that state.
var expected = map[string]string{
	"veth-pair.4.3":              "asked line state",
	"veth-pair.4.4":              "asked line state",
	"veth-pair.4.5":              "asked line state",
	"veth-pair.6.2":              "asked line", // until the learner looks it is half of the right way
	"firewall-per-namespace.1.1": "asked line state",
	"bridge.3.2":                 "asked", // as well
	"bridge.4.1":                 "asked line state",
	"bridge.5.1":                 "asked line state",
	"router.2.3":                 "asked line state",
	"router.2.4":                 "asked line state",
	"router.2.5":                 "asked line state",
	"nftables.1.3":               "asked line state",
	"nftables.4.1":               "asked line",
	"ipv6.3.1":                   "asked line state",
	"macvlan.1.2":                "asked line state",
	"policy-routing.3.2":         "asked line state",
}

// whyNot has the mistakes that are not recognized, and why.
var whyNot = map[string]string{
	"names.3.1":          "it writes into a file, which nobody reads, and its look fails in the step as well",
	"nat.3.1":            "a silent ping before the step's commands: only counters tell of it",
	"policy-routing.3.1": "a silent ping before the step's commands: only counters tell of it",
	"vxlan.4.1":          "all checks of its step hold all the time, so there is no open goal",
}
