package scenario

import (
	"strings"
	"testing"
)

// TestReadDraft: all faults are told, and the steps above the first one that cannot be read are kept.
func TestReadDraft(t *testing.T) {
	step := func(title, command, check string) string {
		return "## " + title + "\n```console\n$ " + command + "\n```\n" + check + "\n"
	}
	const good, bad = "- [x] namespace `a` exists", "- [x] namespace `a` exits"
	for _, c := range []struct {
		name, text, steps string
		cut, lost         int
		says              []string // in all problems
	}{
		{"no fault", "# T\n" + step("A", "true", good), "A", 0, 0, nil},
		{"no text", "\x00\n\xff\n", "", 0, 0,
			[]string{"1: the line contains a zero byte, and 1 more lines are no text"}},
		{"faults of review alone", "# T\n" + step("A", "true", good) + step("A", "true", ""), "A A", 0, 0,
			[]string{"7: the step \"A\" has commands but no check", "7: a second step with the title \"A\""}},
		{"a bad check, and a hint below it", "# T\n" + step("A", "true", good) + step("B", "true", bad) +
			step("C", "ip netns add c", good) + "> [!TIP]\n> ip netns add c\n", "A", 11, 2,
			[]string{"11: unknown check", "17: the hint contains"}},
		{"a bad check is no missing check", "# T\n" + step("A", "true", bad), "", 6, 1, []string{"6: unknown check"}},
		{"a bad mistake", "# T\n" + step("A", "true", good) + "### Mistake: x\n" + good + "\n" + bad + "\n" +
			step("B", "true", good), "", 9, 2, []string{"9: unknown check"}},
		{"a bad front matter", "---\nlevle: 3\n---\n# T\n" + step("A", "true", good), "", 2, 1,
			[]string{"2: unknown key levle"}},
		{"a bad set-up below the steps", "# T\n" + step("A", "true", good) + "## Setup\n```console\n$ a | b\n```\n", "",
			9, 1,
			[]string{"9: command"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ReadDraft("t.md", []byte(c.text), Values{})
			var steps []string
			if d.Scenario != nil {
				for _, s := range d.Scenario.Steps {
					steps = append(steps, s.Title)
				}
			}
			if got := strings.Join(steps, " "); got != c.steps || d.Cut != c.cut || d.Lost != c.lost {
				t.Errorf("steps %q, cut at %d, %d lost; want %q, %d, %d", got, d.Cut, d.Lost, c.steps, c.cut, c.lost)
			}
			if len(d.Problems) != len(c.says) {
				t.Fatalf("problems\n%v\nwant %q", d.Problems, c.says)
			}
			for i, p := range d.Problems {
				if !strings.HasPrefix(p.String(), "t.md:"+c.says[i]) {
					t.Errorf("%s, want %s", p, c.says[i])
				}
			}
		})
	}
}
