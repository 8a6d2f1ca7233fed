package face

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/term"
)

var update = flag.Bool("update", false, "write the golden files")

// a learner in the middle of a lesson
func sample() sitting.View {
	return sitting.View{
		Scenario: "veth-pair", Title: "Connect two network namespaces with a veth pair", Kind: scenario.Lesson,
		Step: 2, Points: 1, OutOf: 5,
		Steps: []sitting.Step{
			{Title: "Create the namespaces", Done: true, Points: 1, OutOf: 1, Hints: 1,
				Checks: []sitting.Check{{Text: "namespace `testns` exists", Status: sitting.Holds}}},
			{Title: "Move each end into its namespace", OutOf: 3, Hints: 1, Checks: []sitting.Check{
				{Text: "`vnic-testns` in `testns` exists", Status: sitting.Holds},
				{Text: "`vnix-prodns` in `prodns` exists and is the other end of `vnic-testns` in `testns`",
					Status: sitting.Open, Found: "it is in host", Fail: "Did you move *both* ends?"},
				{Text: "`lo` in `testns` is down", Status: sitting.Lost, Found: "it is up"},
				{Text: "`testns` does not reach `127.0.0.1`", Status: sitting.Undecided, Found: "ping: no answer yet"},
				{Text: "`host` reaches `127.0.0.1`", Status: sitting.Undecided},
			}},
			{Title: "Bring both ends up", OutOf: 1},
		},
		Intro: "Two boxes and a cable.", Prose: "Move them:\n\n```console\n$ ip link set vnic-testns netns testns\n```",
		Hints:     []string{"The word is `netns`, and it stands behind the name of the device that is to be moved."},
		HintsLeft: 1,
		Answer: &sitting.Answer{Kind: "typo", Check: 1, Title: "there is no vnix-testns; the nearest is vnic-testns",
			Text: "It is in `host`, not in `testns`.", Name: "no-such-interface",
			Repair: "ip link set vnic-testns netns testns"},
		Changed: []string{"testns: interface vnic-testns appeared"},
	}
}

func finished() sitting.View {
	v := sample()
	v.Step, v.Intro, v.Prose, v.Hints, v.HintsLeft, v.Answer = 4, "Well done.", "", nil, 0, nil
	for i := range v.Steps {
		v.Steps[i].Done = true
	}
	v.Steps[2].Solved, v.Points = true, 4
	return v
}

// looking is a learner at a step that only looks.
func looking() sitting.View {
	v := sample()
	v.Looks, v.Answer, v.Hints = true, nil, nil
	v.Steps[1].Checks = v.Steps[1].Checks[:1]
	return v
}

// everything is all parts, one below the other.
func everything(v sitting.View, l sitting.Look) []string {
	var all []string
	for _, part := range [][]string{Step(v, l), Prose(v, l), Checks(v, l), Hints(v, l), Answer(v.Answer, l)} {
		all = append(append(all, part...), "")
	}
	return all
}

func TestParts(t *testing.T) {
	for name, c := range map[string]struct {
		view sitting.View
		look sitting.Look
		lay  func(sitting.View, sitting.Look) []string
	}{
		"page-80":     {sample(), sitting.Look{Width: 80}, everything},
		"page-40":     {sample(), sitting.Look{Width: 40, ASCII: true}, everything},
		"colour-80":   {sample(), sitting.Look{Width: 80, Colour: true}, everything},
		"looking-80":  {looking(), sitting.Look{Width: 80}, everything},
		"finished-80": {finished(), sitting.Look{Width: 80}, everything},
	} {
		t.Run(name, func(t *testing.T) {
			lines := c.lay(c.view, c.look)
			got := strings.Join(lines, "\n") + "\n"
			for _, line := range lines {
				if n := term.Width(line); n > c.look.Width && !verbatim.MatchString(line) {
					t.Errorf("%d columns: %q", n, line)
				}
			}
			golden(t, name, got)
		})
	}
}

// verbatim are lines that are not wrapped: what is to be copied.
var verbatim = regexp.MustCompile(`^    \$ |^ +(repair|more): `)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got = strings.ReplaceAll(got, "\x1b", "^[")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestColourChangesNoWords: with colours it says the same; only backquotes, which colour replaces, are gone.
func TestColourChangesNoWords(t *testing.T) {
	looks := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	words := func(colour bool) []string {
		text := strings.Join(everything(sample(), sitting.Look{Width: 200, Colour: colour}), "\n")
		return strings.Fields(strings.ReplaceAll(looks.ReplaceAllString(text, ""), "`", ""))
	}
	if diff := cmp.Diff(words(false), words(true)); diff != "" {
		t.Errorf("(-plain +coloured):\n%s", diff)
	}
}

// TestHostileText: nothing of a View reaches the terminal as a control.
func TestHostileText(t *testing.T) {
	const evil = "a\x1b[2J\x1b]0;t\x07\u202eb\r\nc\u009b31m"
	c := sitting.Check{Text: evil, Status: sitting.Lost, Found: evil, Fail: evil}
	v := sitting.View{Title: evil, Step: 1, Steps: []sitting.Step{{Title: evil, Checks: []sitting.Check{c}}},
		Intro: evil, Prose: evil, Hints: []string{evil},
		Answer: &sitting.Answer{Title: evil, Text: evil, Name: evil, Repair: evil}}
	for _, line := range everything(v, sitting.Look{Width: 60}) {
		if line != term.OneLine(line) {
			t.Errorf("%q is not fit to be shown", line)
		}
	}
}

// TestStrangeViews: a View without what it should have is shown, too.
func TestStrangeViews(t *testing.T) {
	for _, v := range []sitting.View{{}, {Step: -1}, {Step: 7, HintsLeft: -3, Hints: []string{""}},
		{Step: 1, Steps: []sitting.Step{{Checks: []sitting.Check{{Text: "``` `"}, {}}}}, Answer: &sitting.Answer{}}} {
		for _, width := range []int{-1, 0, 1, 80} {
			everything(v, sitting.Look{Width: width, Colour: true})
		}
	}
}
