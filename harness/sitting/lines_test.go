package sitting

import (
	"strings"
	"testing"

	"netnscheck/harness/term"
)

// TestLines: the prompt gets two lines at most, the most important ones, and none is wider than the terminal.
func TestLines(t *testing.T) {
	holds := Check{Text: "`vnic-testns` in `testns` is up", Status: Holds}
	lost := Check{Text: "`lo` in `testns` is up", Status: Lost}
	for _, c := range []struct {
		name string
		news News
		look Look
		want string
	}{
		{"nothing", News{}, Look{Width: 80}, ""},
		{"a change alone", News{Changed: []string{"testns: interface a"}}, Look{Width: 80}, "testns: interface a"},
		{"changes", News{Changed: []string{"a", "b", "c"}}, Look{Width: 80}, "a, and 2 more"},
		{"a check", News{Changed: []string{"a"}, Now: []Check{holds}, Holding: 2, OutOf: 3}, Look{Width: 80},
			"a\n✓ `vnic-testns` in `testns` is up (2 of 3)"},
		{"ASCII", News{Now: []Check{holds, holds}, Holding: 2, OutOf: 3}, Look{Width: 48, ASCII: true},
			"[x] `vnic-testns` in `te..., and 1 more (2 of 3)"},
		{"colour", News{Now: []Check{lost}, Holding: 1, OutOf: 3}, Look{Width: 80, Colour: true},
			"\x1b[31m✗ \x1b[0magain: `lo` in `testns` is up (1 of 3)"},
		{"the most important", News{Changed: []string{"a"}, Now: []Check{holds, lost}, Holding: 1, OutOf: 3,
			Answer: &Answer{Kind: "mistake", Title: "a slip"}}, Look{Width: 80},
			"✗ again: `lo` in `testns` is up (1 of 3)\n→ a slip: lab why"},
		{"an answer", News{Changed: []string{"a"}, Answer: &Answer{Title: "a typo"}}, Look{Width: 80}, "a\n→ a typo"},
		{"a long answer", News{Changed: []string{"a"},
			Answer: &Answer{Title: strings.Repeat("word ", 9), Text: "more"}},
			Look{Width: 40}, "→ word word word word word word word\n  word word"},
		{"one that is cut", News{Now: []Check{lost}, Holding: 1, OutOf: 3,
			Answer: &Answer{Title: strings.Repeat("word ", 9), Text: "more"}}, Look{Width: 42},
			"✗ again: `lo` in `testns` is up (1 of 3)\n→ word word word word word word …: lab why"},
		{"hostile", News{Changed: []string{"a\x1b[2J\nb"}, Answer: &Answer{Title: "\u202e\x07"}}, Look{Width: 80},
			"a\\x1b[2J\\x0ab\n→ \\u202e\\x07"},
		{"narrow", News{Changed: []string{"世界世界世界"}, Now: []Check{holds}, Holding: 10, OutOf: 12}, Look{Width: 10},
			"世界世界…\n✓ … (10 of 12)"},
	} {
		lines := c.news.Lines(c.look)
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
		for _, line := range lines {
			if c.look.Width >= 40 && term.Width(line) > c.look.Width {
				t.Errorf("%s: %d columns: %s", c.name, term.Width(line), line)
			}
		}
	}
}
