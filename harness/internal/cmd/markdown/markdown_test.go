package markdown

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/term"
)

const rendered = `# A title

A paragraph with a word in bold, some code and a link <https://example.org/>
that is too long for one line.

    $ ip netns add testns
    $ ip netns list
    testns

[ ] namespace testns exists
[x] host reaches 127.0.0.1

1. one
2. two, which goes on until the line is full and then stands below its own
   beginning

• outer
• with an inner list
  • inner

│ TIP
│ Look twice. And then a third time, for good measure, because hints are long
│ too.

name  meaning
lo    the loopback

## Next

3 points

────────────────────────────────────────
`

const unrendered = "# A title\n\nA paragraph with a word in **bold**, some `code` and a " +
	"[link](https://example.org/)\nthat is too long for one line.\n\n" +
	"```console\n$ ip netns add testns\n$ ip netns list\ntestns\n```\n\n" +
	"- [ ] namespace `testns` exists\n- [x] `host` reaches `127.0.0.1`\n\n" +
	"1. one\n2. two, which goes on until the line is full and then stands below its own beginning\n\n" +
	"- outer\n- with an inner list\n  - inner\n\n" +
	"> [!TIP]\n> Look twice. And then a third time, for good measure, because hints are long too.\n\n" +
	"| name | meaning |\n|---|---|\n| `lo` | the loopback |\n\n## Next\n\n<!-- points: 3 -->\n\n<!-- fail: hidden " +
	"-->\n<!-- prose -->\n---\n"

func TestRender(t *testing.T) {
	plain := Render(unrendered, Terminal{Width: 78})
	if diff := cmp.Diff(rendered, plain); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	coloured := Render(unrendered, Terminal{Width: 78, Colour: true})
	for _, look := range []string{bold, dim, underline, cyan, yellowish} {
		start := "\x1b[" + look + "m"
		if !strings.Contains(coloured, start) {
			t.Errorf("the look %s is used nowhere", look)
		}
		coloured = strings.ReplaceAll(coloured, start, "")
	}
	coloured = strings.ReplaceAll(coloured, "\x1b[0m", "")
	if diff := cmp.Diff(plain, coloured); diff != "" {
		t.Errorf("colour changes the words (-plain +coloured):\n%s", diff)
	}
}

// TestRenderInASCII: the marks are other ones, and nothing else is.
func TestRenderInASCII(t *testing.T) {
	want := strings.NewReplacer("│", "|", "─", "-", "•", "*").Replace(rendered)
	if diff := cmp.Diff(want, Render(unrendered, Terminal{Width: 78, ASCII: true})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRenderKeepsTheWidth(t *testing.T) {
	for _, width := range []int{20, 40, 78} {
		text := Render("word "+strings.Repeat("`code` and *more* words ", 40), Terminal{Width: width, Colour: true})
		for line := range strings.Lines(text) {
			if n := term.Width(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: a line of %d columns: %q", width, n, line)
			}
		}
	}
}

func TestLessonHasNoFrontMatter(t *testing.T) {
	for in, want := range map[string]string{
		"---\nid: a\n---\n# T\n":         "# T\n",
		"---\r\nid: a\r\n---\r\n# T\r\n": "# T\n",
		"# T\n\n---\ntext\n":             "# T\n\n---\ntext\n",
		"---\nnever closed\n":            "---\nnever closed\n",
	} {
		if got := lesson(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestEscapeSequencesOfAFileDoNotReachTheTerminal(t *testing.T) {
	if got := Render("# T\n\n\x1b]0;title\x07 `\x1b[2J`\n", Terminal{Width: 80}); strings.ContainsAny(got, "\x1b\x07") {
		t.Errorf("got %q", got)
	}
}

func TestABlockSaysWhomItIsFor(t *testing.T) {
	for info, want := range map[string]string{
		"console":                          "",
		"text":                             "",
		"text iproute2":                    "",
		"console iproute2":                 "with iproute2",
		"console iproute2 netlink":         "with iproute2 and netlink",
		"console netlink errno=ENODEV":     "with netlink, ENODEV",
		"console fix":                      "the fix",
		"console fix undo":                 "back to the start of the step",
		"console busybox partial":          "with busybox, may take partial effect",
		"console iproute2 fix kernel>=6.2": "with iproute2, the fix, kernel>=6.2",
		"console fix undo busybox":         "with busybox, back to the start of the step",
	} {
		if got := blockLabel(info); got != want {
			t.Errorf("%q: got %q, want %q", info, got, want)
		}
	}
	if got := Render("```console netlink errno=ENODEV\n$ ip link set x up\n[!]\n```\n",
		Terminal{Width: 80}); !strings.Contains(got, "with netlink, ENODEV:\n    $ ip link set x up") {
		t.Errorf("got\n%s", got)
	}
}

// TestEntities: a character that a text names by its number is no more than the text itself.
func TestEntities(t *testing.T) {
	for _, s := range []string{"&#x1b;[2J &#8238;a &#7;", "# &#x1b;[2J", "`&#x1b;[2J`", "[a](http://x/&#x1b;[2J)",
		"[a](<http://x/\x1b[2J> 'b')", "```\n&#x1b;\n```", "![&#27;](x)", "| &#x1b; |\n|---|\n| &#8238; |",
		"<http://a/&#x1b;>", "\\\x1b[2J", "&#x9b;2J", "[&#x1b;]: http://x/ '&#27;'\n\n[&#x1b;]"} {
		if got := Render(s, Terminal{Width: 80}); got != term.Printable(got) {
			t.Errorf("%q: %q", s, got)
		}
	}
}
