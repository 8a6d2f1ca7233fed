package scenario

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNotes: the words for a check that is not true, and points.
func TestNotes(t *testing.T) {
	sc, err := Parse("t.md", []byte("---\nvars: {name: a}\n---\n# T\n## S\n<!-- points: 3 -->\n```console\n$ "+
		"true\n```\n"+
		"- [ ] namespace `a`\n  exists\n<!-- fail: Make\n {{name}}. -->\n- [x] namespace `b` exists\n"+
		"- [x] namespace `c` exists\n  <!-- fail: Indented. -->\n<!-- a comment -->\n\n"+
		"### Mistake: m\n"+okStep+
		"<!-- fail: In a mistake. -->\n\n## P\n<!--points:4-->\n- [x] namespace `d` exists\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []Note
	step := sc.Steps[0]
	for _, c := range append(step.Checks, step.Mistakes[0].Checks...) {
		got = append(got, c.Fail)
	}
	want := []Note{{"Make a.", 12, 13}, {}, {"Indented.", 16, 16}, {"In a mistake.", 24, 24}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if sc.Points != 7 || step.Points != 3 || sc.Steps[1].Points != 4 {
		t.Errorf("points %d: %d and %d", sc.Points, step.Points, sc.Steps[1].Points)
	}
	for front, want := range map[string]int{"points: 9": 9, "points: 0": 0, "level: 1": 0} {
		sc, err := Parse("t.md", []byte("---\n"+front+"\n---\n"+lesson(okStep)))
		if err != nil || sc.Points != want || sc.Steps[0].Points != 0 {
			t.Errorf("%s: %+v, %v", front, sc, err)
		}
	}
}

func TestNoteProblems(t *testing.T) {
	const check = "- [x] namespace `a` exists\n"
	for name, c := range map[string]struct {
		src  string
		want []string
	}{
		"fail above a check": {"<!-- fail: x -->\n" + check,
			[]string{"4: <!-- fail: … --> stands on the line below a check"}},
		"fail after an empty line": {check + "\n<!-- fail: x -->\n",
			[]string{"6: <!-- fail: … --> stands on the line below"}},
		"two of them": {check + "<!-- fail: x -->\n<!-- fail: y -->\n",
			[]string{"6: <!-- fail: … --> stands on the line below"}},
		"fail below prose": {check + "\n<!-- prose -->\n- [ ] x\n<!-- fail: y -->\n",
			[]string{"8: <!-- fail: … --> stands on the line below"}},
		"fail in a shielded item": {check + "<!-- prose -->\n- [ ] x\n  <!-- fail: y -->\n",
			[]string{"7: <!-- fail: … --> stands on the line below"}},
		"fail on the check's line": {"- [x] namespace `a` exists <!-- fail: x -->\n" + check,
			[]string{"4: the comment <!-- fail … --> stands on a line of its own"}},
		"fail before other text": {check + "<!-- fail: x --> words\n",
			[]string{"5: the comment <!-- fail … --> stands on a line of its own"}},
		"fail with an unknown variable": {check + "<!-- fail: {{x}} -->\n", []string{"5: unknown variable {{x}}"}},
		"a check with a problem":        {"- [x] nonsense\n<!-- fail: x -->\n", []string{"4: unknown check"}},
		"not closed":                    {check + "<!-- fail: x\n## Step\n", []string{"5: the comment is not closed"}},
		"closed by another": {check + "<!-- fail: x\n## Step\n<!-- y -->\n",
			[]string{"5: the comment is not closed before the next one"}},
		"indented comment": {check + "\nWords.\n    <!-- fail: x -->\n",
			[]string{"7: the comment <!-- fail … --> stands on a line of its own"}},
		"comment as code": {"    <!-- fail: x -->\n" + check, []string{"4: the comment is indented like code"}},

		"points in words": {"<!-- points: three -->\n" + check,
			[]string{"4: points are a whole number from 0 to 1000000, found \"three\""}},
		"points below 0": {"<!-- points: -1 -->\n" + check, []string{"4: points are a whole number"}},
		"half points":    {"<!-- points: 1.5 -->\n" + check, []string{"4: points are a whole number"}},
		"points twice": {"<!-- points: 1 -->\n" + check + "<!-- points: 2 -->\n",
			[]string{"6: the step has points already, in line 4"}},
		"points of a mistake": {check + "### Mistake: m\n" + check + "<!-- points: 2 -->\n",
			[]string{"7: points are for a step"}},
		"points of prose": {check + "## P\n<!-- points: 2 -->\n",
			[]string{"6: points without a step: \"P\" in line 5"}},

		"nothing and more": {"```console\n$ true \\\n  x\nwords\n(nothing)\n```\n" + check,
			[]string{"8: command: (nothing) has to be the only line below a command"}},
		"nothing, then more": {"```console\n$ true\n(nothing)\n...\n[1]\n```\n" + check,
			[]string{"6: command: (nothing) has to be the only line below a command"}},
		"nothing twice": {"```console\n$ true\n(nothing)\n(nothing)\n```\n" + check,
			[]string{"6: command: (nothing) has to be the only line below a command"}},
		"nothing with a capital": {"```console\n$ true\n(Nothing)\n```\n" + check,
			[]string{"6: command: a command that prints nothing has the line (nothing), found (Nothing)"}},
		"status before the end": {"```console\n$ true\n[1]\nwords\n```\n" + check,
			[]string{"6: command: the exit status [1] has to be the last line below a command"}},
		"indented command": {"```console\n$ true\n $ true\n```\n" + check,
			[]string{"6: command: a command begins with \"$ \" at the start of its line, found \" $ true\""}},
		"command without a blank": {"```console\n$ true\n$ip link\n```\n" + check,
			[]string{"6: command: a command begins with \"$ \" at the start of its line"}},
		"escaped command": {"```console\n$ true\n\\$ true\n```\n" + check,
			[]string{"6: command: a command begins with \"$ \" at the start of its line"}},
		"nothing in brackets": {"```console\n$ true\n[nothing]\n[1]\n```\n" + check,
			[]string{"6: command: a command that prints nothing has the line (nothing), found [nothing]"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("t.md", []byte(lesson(c.src)))
			compareProblems(t, err, "t.md", c.want)
		})
	}
	for src, want := range map[string]string{
		"---\npoints: 4\n---\n" +
			lesson("<!-- points: 3 -->\n"+check): "2: points: 4 in the front matter, but those of the steps are 3",
		"---\npoints: many\n---\n" +
			lesson(check): "2: bad value of points: expected a whole number from 0 to 1000000; found \"many\"",
		"# T\n<!-- points: 3 -->\n## S\n" +
			check: "2: points outside a step: expected them below a heading ## …; those of the scenario stand in " +
			"the front matter (points: 3)",
		"# T\n## Setup\n<!-- points: 3 -->\n## S\n" + check: "3: points are for a step",
	} {
		_, err := Parse("t.md", []byte(src))
		compareProblems(t, err, "t.md", []string{want})
	}
}

// TestNothing: a command that is said to print nothing, with and without a status.
func TestNothing(t *testing.T) {
	sc, err := Parse("t.md", []byte(lesson("```console\n$ true\n (nothing) \n\n$ false\n(nothing)\n\n[1]\n$ "+
		"echo\n[0]\n$ cat\n"+
		"...\n```\n- [x] namespace `a` exists\n")))
	if err != nil {
		t.Fatal(err)
	}
	var silent []bool
	for _, c := range sc.Steps[0].Blocks[0].Commands {
		silent = append(silent, c.Silent())
	}
	if diff := cmp.Diff([]bool{true, true, false, false}, silent); diff != "" {
		t.Error(diff)
	}
	if s := sc.Steps[0].Blocks[0].Commands[1].Status; s.Code != 1 {
		t.Errorf("status %+v", s)
	}
}
