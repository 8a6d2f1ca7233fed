package scenario

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lesson is a scenario with one step, whose text begins in line 4.
func lesson(step string) string { return "# T\n\n## S\n" + step }

const okStep = "```console\n$ true\n```\n- [ ] namespace `a` exists\n"

// TestProblems compares the problems of a file: their lines, and how the messages begin or what they contain.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string // LINE: part of the message
	}{
		// The file.
		{"empty", "", []string{"1: the file is empty"}},
		{"blank", " \n\n\t\n", []string{"1: the file is empty"}},
		{"byte order mark alone", "\ufeff", []string{"1: the file is empty"}},
		{"not UTF-8", "# T\n\xff\n", []string{"2: the line is not UTF-8"}},
		{"UTF-16", "\xff\xfe#\x00 \x00T\x00", []string{"1: the file is UTF-16"}},
		{"zero byte", lesson("\x00"), []string{"4: the line contains a zero byte"}},
		{"only front matter", "---\nlevel: 1\n---\n", []string{"1: the title is missing"}},
		{"no title", "## S\n" + okStep, []string{"1: the title is missing"}},
		{"two titles", "# T\n# U\n## S\n" + okStep, []string{"2: a second title \"U\""}},
		{"no step", "# T\n\n## Prose\n\nWords.\n", []string{"1: the scenario has no step"}},
		{"step without title", lesson(okStep + "\n##\n" + okStep), []string{"9: the heading has no text"}},
		{"unclosed fence", lesson("```console\n$ true\n"), []string{"4: the code block is not closed"}},
		{"unclosed fence without an info string", lesson(okStep + "```\nfoo\n## X\n"),
			[]string{"8: the code block is not closed"}},
		{"unclosed fence at the end", lesson(okStep + "```"), []string{"8: the code block is not closed"}},

		// Sections.
		{"second set-up", "# T\n## Setup\n```console\n$ true\n```\n## Setup\n```console\n$ true\n```\n## S\n" + okStep,
			[]string{"6: a second set-up: the first is in line 2"}},
		{"set-up with a check", "# T\n## Setup\n- [ ] namespace `a` exists\n## S\n" + okStep,
			[]string{"3: the set-up has a check"}},
		{"set-up with a mistake", "# T\n## Setup\n```console\n$ true\n```\n### Mistake: x\n" + okStep + "## S\n" +
			okStep,
			[]string{"6: a mistake without a step"}},
		{"mistake above the steps", "# T\n### Mistake: x\n" + okStep + "## S\n" + okStep,
			[]string{"2: a mistake without a step"}},
		{"mistake below prose", "# T\n## Prose\n### Mistake: x\n" + okStep + "## S\n" + okStep,
			[]string{"3: a mistake without a step: \"Prose\" in line 2"}},
		{"mistake without content", lesson(okStep + "### Mistake: x\nprose\n"), []string{"8: the mistake has neither"}},
		{"mistake without title", lesson(okStep + "### Mistake:\n" + okStep), []string{"8: the mistake has no title"}},
		{"mistake on the wrong level", lesson(okStep + "#### Mistake: x\n## mistake 2: y\n" + okStep),
			[]string{"8: a mistake is written ### Mistake: …, found #### Mistake: x", "9: a mistake is written"}},
		{"mistake in lower case", lesson(okStep + "### mistake - x\n"), []string{"8: a mistake is written"}},
		{"mistake misspelt", lesson(okStep + "### Mistkae: x\n#### Mistakes: y\n"),
			[]string{"8: a mistake is written ### Mistake: …, found ### Mistkae: x", "9: a mistake is written"}},
		{"set-up misspelt, with commands", "# T\n## Set up\n```console\n$ true\n```\n## S\n" + okStep,
			[]string{"2: the set-up is written ## Setup"}},
		{"mistake misspelt, with its fix",
			lesson(okStep + "### mistake: x\n" + okStep + "```console fix\n$ true\n```\n"),
			[]string{"8: a mistake is written"}},
		{"step without a blank", "# T\n##S\n" + okStep, []string{"2: a heading is written ## S, with a blank"}},
		{"prose before an empty line", lesson("> words\n> <!-- prose -->\n>\n> words\n\n<!-- prose -->\n\n" + okStep),
			[]string{"5: <!-- prose --> stands on the line before what it shields, not before an empty line",
				"9: <!-- prose --> stands on the line before"}},
		{"block above the sections", "# T\n```console\n$ true\n```\n## S\n" + okStep,
			[]string{"2: console block outside a section"}},
		{"check above the sections", "# T\n- [ ] namespace `a` exists\n## S\n" + okStep,
			[]string{"2: check outside a section"}},

		// Console blocks.
		{"unknown word", lesson("```console ipruote2\n$ true\n```\n"),
			[]string{`4: console block: unknown word "ipruote2", did you mean iproute2?`}},
		{"unknown subject", lesson("```console kernl>=6.2\n$ true\n```\n"),
			[]string{`4: console block: unknown word "kernl>=6.2", did you mean kernel>=6.2?`}},
		{"word from nowhere", lesson("```console zzzzzzzz\n$ true\n```\n"),
			[]string{`4: console block: unknown word "zzzzzzzz" (known: iproute2,`}},
		{"bad version", lesson("```console kernel>=new\n$ true\n```\n"), []string{"4: console block: bad condition"}},
		{"double equals", lesson("```console kernel==6.2\n$ true\n```\n"), []string{"4: console block: bad condition"}},
		{"unknown errno", lesson("```console errno=ENODVE\n$ true\n```\n"),
			[]string{`4: console block: unknown errno "ENODVE", did you mean ENODEV?`}},
		{"two errnos", lesson("```console errno=ENODEV errno=EEXIST\n$ true\n```\n"),
			[]string{"4: console block: errno= is written twice"}},
		{"errno with two commands", lesson("```console errno=ENODEV\n$ true\n$ false\n```\n"),
			[]string{"4: console block: errno= is for a block of a single"}},
		{"errno with status 0", lesson("```console errno=ENODEV\n$ true\n[0]\n```\n"),
			[]string{"5: console block: errno=ENODEV means"}},
		{"undo without fix", lesson(okStep + "### Mistake: x\n```console undo\n$ true\n```\n"),
			[]string{"9: console block: undo without fix"}},
		{"fix in a step", lesson("```console fix\n$ true\n```\n" + okStep),
			[]string{"4: console block: fix is for mistakes"}},
		{"empty block", lesson("```console\n```\n"), []string{"4: console block: it has no command"}},
		{"blank block", lesson("```console\n\n\n```\n"), []string{"4: console block: it has no command"}},
		{"output first", lesson("```console\nfoo\n$ true\n```\n"),
			[]string{"5: console block: output before the first command"}},
		{"no command after the prompt", lesson("```console\n$\n$  \n```\n"),
			[]string{"5: command: expected a command", "6: command: expected a command"}},
		{"continued into nothing", lesson("```console\n$ ip \\\n```\n"), []string{"5: command: nothing follows"}},
		{"continued into a command", lesson("```console\n$ ip \\\n$ true\n```\n"),
			[]string{"6: command: the \\ at the end of the line above"}},
		{"blanks after the backslash", lesson("```console\n$ ip \\ \n  link\n```\n"),
			[]string{"5: command: blanks follow"}},
		{"quote not closed", lesson("```console\n$ echo 'a\n```\n"),
			[]string{"5: command: a single quote is not closed"}},
		{"pipe", lesson("```console\n$ ip link | head\n```\n"),
			[]string{`5: command: commands are not run by a shell, so "|" is no operator here: write sh -c`}},
		{"sudo", lesson("```console\n$ sudo ip link\n$ ip netns exec a sudo -n ip link\n" +
			"$ sh -c 'cd /; sudo ip link'\n$ echo sudo\n```\n"),
			[]string{"5: command: leave out sudo: commands run as root of the lab already", "6: command: leave out",
				"7: command: leave out"}},
		{"status too large", lesson("```console\n$ true\n[256]\n```\n"),
			[]string{"5: command: an exit status is a number from 0 to 255, found [256]"}},

		// Checks.
		{"unknown check", lesson("- [ ] `a` has interface `b`\n"),
			[]string{"4: unknown check “`a` has interface `b`”; the nearest form is “`N` has the interface `X`”"}},
		{"argument without a code span", lesson("- [ ] namespace a exists\n"),
			[]string{"4: unknown check “namespace a exists”; the nearest form is “namespace `N` exists”"}},
		{"bad argument", lesson("- [ ] `x` in `n` has the address `10.0.0.1`\n"),
			[]string{"4: check: the prefix " +
				"length is missing in \"10.0.0.1\""}},
		{"bad limit", lesson("- [ ] namespace `a` exists within `soon`\n"),
			[]string{"4: the limit of a check (within): expected a duration such as 5s or 300ms, found \"soon\""}},
		{"limit without a code span", lesson("- [ ] namespace `a` exists within 5s\n"),
			[]string{"4: the limit stands in a code span: within `5s`"}},
		{"empty check", lesson("- [ ]\n- [x]   \n"), []string{"4: a check is written", "5: a check is written"}},
		{"box without a blank", lesson("- [] namespace `a` exists\n- [x]namespace `a` exists\n"),
			[]string{"4: a check is written", "5: a check is written"}},

		{"box with another mark",
			lesson("- [!] namespace `a` exists\n- [-] namespace `a` exists\n- [x ] namespace `a` exists\n- [  ] " +
				"namespace `a` exists\n"),
			[]string{"4: a check is written", "5: a check is written", "6: a check is written",
				"7: a check is written"}},
		{"item without a blank", lesson("-[ ] namespace `a` exists\n\nText.\n*[x] namespace `a` exists\n"),
			[]string{"4: a check is written", "7: a check is written"}},
		{"misspelt route of the host", "---\nhost:\n  routes: [defualt via 10.0.0.1]\n---\n" + lesson(okStep),
			[]string{`3: bad value of host.routes: "defualt via 10.0.0.1" is no route: ` +
				`cannot say defualt, did you mean default?`}},

		// Variables.
		{"unknown variable", "---\nvars:\n  network: 10\n---\n" +
			lesson("```console\n$ echo {{netwrok}}\n```\n- [ ] namespace `{{x}}` exists\n"),
			[]string{"9: unknown variable {{netwrok}}, did you mean network?",
				"11: unknown variable {{x}} (variables"}},
		{"unknown variable in a hint", lesson(okStep + "\n> [!TIP]\n> {{x}}\n"), []string{"9: unknown variable {{x}}"}},
		{"blanks in a variable", "---\nvars:\n  net: 10\n---\n" +
			lesson("```console\n$ echo {{ net }} {{ .Net }}\n```\n"+
				"- [ ] namespace `a` exists\n"),
			[]string{"9: a variable is written {{net}}, without blanks, found {{ net }}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("dir/t.md", []byte(c.src))
			compareProblems(t, err, "dir/t.md", c.want)
		})
	}
}

// compareProblems requires these problems, in line order.
func compareProblems(t *testing.T, err error, file string, want []string) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error %v (%T), want Problems", err, err)
	}
	for i, p := range problems {
		if p.File != file || p.Line < 1 || p.Message == "" || i > 0 && problems[i-1].Line > p.Line {
			t.Errorf("problem %d of %v: %+v", i, problems, p)
		}
	}
	for _, w := range want {
		line, message, _ := strings.Cut(w, ": ")
		found := false
		for _, p := range problems {
			found = found || fmt.Sprint(p.Line) == line && strings.HasPrefix(p.Message, message)
		}
		if !found {
			t.Errorf("no problem %q in\n%v", w, err)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(problems), len(want), err)
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != len(problems) || !strings.HasPrefix(err.Error(), file+":") {
		t.Errorf("error text %q", err)
	}
}

// TestAllProblemsInOneReading: faults of all kinds are found in one pass, in line order.
func TestAllProblemsInOneReading(t *testing.T) {
	_, err := Parse("t.md", []byte("---\nlevle: 1\nkind: lession\n---\n# T\n## S\n```console foo\n$ a | b\n```\n- [ "+
		"] nonsense\n- [ ] namespace `a/b` exists\n"))
	var lines []int
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if diff := cmp.Diff([]int{2, 3, 7, 8, 10, 11}, lines); diff != "" {
		t.Errorf("lines -want +got\n%s\n%v", diff, err)
	}
}

// TestSameScenario: other line ends, fences and tabs, or a byte order mark, make no difference.
func TestSameScenario(t *testing.T) {
	plain := "---\nlevel: 3\n---\n" +
		lesson("```console\n$ ip \\\n link\nfoo\n\n[1]\n```\n- [ ] namespace `a`\n  exists\n")
	want, err := Parse("t.md", []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string]string{
		"CRLF":            strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark": "\ufeff" + plain,
		"both":            "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n"),
		"no last newline": strings.TrimSuffix(plain, "\n"),
		"tabs":            strings.ReplaceAll(plain, "\n link", "\n\tlink"),
		"tildes":          strings.ReplaceAll(plain, "```", "~~~~"),
	} {
		got, err := Parse("t.md", []byte(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(dump(want), dump(got)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if got.Source != src {
			t.Errorf("%s: the source is not as it was read", name)
		}
	}
	if c := want.Steps[0].Blocks[0].Commands[0]; c.Text != "ip link" || c.Line != 8 || c.Status.Code != 1 ||
		len(c.Output) != 1 {
		t.Errorf("command %+v", c)
	}
}

// TestWhatIsACheck: checks are distinguished from prose.
func TestWhatIsACheck(t *testing.T) {
	sc, err := Parse("t.md", []byte(lesson(`
- [ ] namespace `+"`a`"+` exists
- [X] namespace `+"`b`"+`
      exists.
- [x]	namespace `+"`` c ``"+` exists within `+"`1m30s`"+`
  <!-- prose -->
  - [ ] nested

- [ ] namespace `+"`d`"+` exists `+"``within `300ms` ``"+`

  More about it.

- [ ] namespace `+"`e`"+` exists within `+"`2s`"+`.
- [link](https://example.org) is prose
- [x](https://example.org) too
- ordinary [ ] item

<!-- prose -->
> - [ ] in a quote

<!-- prose -->
- [ ] an item among them
- [ ] namespace `+"`f`"+` exists

<!--
- [ ] in a comment
-->
`)))
	if err != nil {
		t.Fatal(err)
	}
	type check struct {
		Line   int
		Text   string
		Before bool
		Within time.Duration
	}
	var got []check
	for _, c := range sc.Steps[0].Checks {
		got = append(got, check{c.Line, c.Text, c.Before, c.Within})
	}
	want := []check{
		{5, "namespace `a` exists", false, 0},
		{6, "namespace `b` exists", true, 0},
		{8, "namespace `c` exists", true, 90 * time.Second},
		{12, "namespace `d` exists", false, 300 * time.Millisecond},
		{16, "namespace `e` exists", false, 2 * time.Second},
		{26, "namespace `f` exists", false, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestHints: TIP alerts are hints, and nothing else is.
func TestHints(t *testing.T) {
	sc, err := Parse("t.md", []byte(lesson(okStep+`
> [!TIP]
> First *line*,
second line.
>
> <!-- prose -->
> - [ ] no check

> [!tip]
> lower case
> `+"```console\n> $ false\n> ```\n> ```\n> $ true\n> ```"+`

> [!NOTE]
> prose

<!-- prose -->
> [!TIP]
> nor a shielded one
`)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Hint{
		{Line: 9, End: 14, Text: "First *line*,\nsecond line.\n\n- [ ] no check"},
		{Line: 16, End: 23, Text: "lower case\n```console\n$ false\n```\n```\n$ true\n```"},
	}
	if diff := cmp.Diff(want, sc.Steps[0].Hints); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if len(sc.Steps[0].Blocks) != 1 {
		t.Error("a block inside a quote was read")
	}
}

// TestVariables: variables are replaced in commands, outputs and checks.
func TestVariables(t *testing.T) {
	src := "---\nvars:\n  net: 10.0.0\n  n: '007'\n---\n" +
		lesson("```console\n$ echo {{net}}.1 {{ nix }}\n{{net}}.1 {{n}}\n```\n- [ ] `a` reaches `{{net}}.2`\n")
	sc, err := ParseWith("t.md", []byte(src), Values{Set: map[string]string{"net": "192.168.7"}})
	if err != nil {
		t.Fatal(err)
	}
	c := sc.Steps[0].Blocks[0].Commands[0]
	if diff := cmp.Diff([]string{"echo", "192.168.7.1", "{{", "nix", "}}"}, c.Argv); diff != "" {
		t.Error(diff)
	}
	if c.Output[0] != "192.168.7.1 007" || sc.Steps[0].Checks[0].Text != "`a` reaches `192.168.7.2`" {
		t.Errorf("output %q, check %q", c.Output, sc.Steps[0].Checks[0].Text)
	}
	if diff := cmp.Diff([]Var{{"net", "10.0.0", "192.168.7", nil, 3}, {"n", "007", "007", nil, 4}},
		sc.Vars); diff != "" {
		t.Error(diff)
	}
	_, err = ParseWith("t.md", []byte(src), Values{Set: map[string]string{"nett": "1"}})
	compareProblems(t, err, "t.md",
		[]string{"1: set variable nett: the front matter has no such variable, did you mean net?"})
}

// TestErrnoAloneMeansRefused: errno= without a status expects a refusal with any status.
func TestErrnoAloneMeansRefused(t *testing.T) {
	sc, err := Parse("t.md", []byte(lesson("```console netlink errno=ENODEV\n$ ip link del x\n```\n- [x] namespace "+
		"`a` exists\n")))
	if err != nil {
		t.Fatal(err)
	}
	if s := sc.Steps[0].Blocks[0].Commands[0].Status; !s.Any {
		t.Errorf("status %+v", s)
	}
}

// TestProseIsNoStep: sections without commands and checks are not steps.
func TestProseIsNoStep(t *testing.T) {
	sc, err := Parse("a/b/my-lesson.md",
		[]byte("Intro.\n\n# T\n\nWords.\n\n## Prose\n<!-- prose -->\n```sh\n$ false\n```\n## S\n"+okStep+
			"## End\nend\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(sc.Steps) != 1 || sc.Steps[0].Title != "S" || sc.Setup != nil || sc.ID != "my-lesson" || sc.Kind != Lesson {
		t.Errorf("%s", dump(sc))
	}
}

func TestLineRanges(t *testing.T) {
	// to line 12
	const source = "---\nkind: lesson\n---\n# T\n\n## Setup\n\n```console\n$ printf '## no heading'\n## no " +
		"heading\n```\n\n" +
		"## A\n\n~~~~console\n$ ip netns add a\n```\n~~~~\n- [ ] namespace `a` exists\n\n" + // to line 20
		"### Mistake: m\n```console\n$ ip netns add b\n```\n```console fix\n$ ip netns del b\n```\n\n" + // to line 28
		"## B\n\n- [x] namespace `a` exists\n" // to line 31
	for name, text := range map[string]string{"LF": source, "CRLF": strings.ReplaceAll(source, "\n", "\r\n")} {
		sc, err := Parse("t.md", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		mistake := sc.Steps[0].Mistakes[0]
		got := fmt.Sprint(sc.Setup.Line, sc.Setup.End, sc.Setup.Blocks[0].Line, sc.Setup.Blocks[0].End,
			sc.Steps[0].Line, sc.Steps[0].End, sc.Steps[0].Blocks[0].Line, sc.Steps[0].Blocks[0].End,
			mistake.Line, mistake.End, mistake.Fix[0].Line, mistake.Fix[0].End, sc.Steps[1].Line, sc.Steps[1].End)
		if want := "6 12 8 11 13 20 15 18 21 28 25 27 29 31"; got != want {
			t.Errorf("%s: the lines are %s, want %s", name, got, want)
		}
	}
}
