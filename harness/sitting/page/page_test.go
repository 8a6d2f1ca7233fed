package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

func TestAChallengeIsShownWithoutItsSolution(t *testing.T) {
	const source = `---
kind: challenge
vars:
  secret: [17, 18]
---
# Mend it

Text above.

## Setup

` + "```console\n$ printf '## Out\\n'\n## Output\n$ ip netns add hidden-start\n```" + `

Hidden too.

## Join them

Text between.

` + "````console\n$ ip netns add hidden-end\n```\n````" + `

- [ ] namespace ` + "`hidden-end`" + ` exists
<!-- fail: It is called so,
and not otherwise. -->
- [x] namespace ` + "`a`" + ` exists
  <!-- fail: It was there. -->
- [X] ` + "`host` has the interface `lo`" + `

> [!TIP]
> A hint.

` + "```text\na picture\n```\n" + `
### Mistake: once more

Text of a mistake.

` + "```console\n$ ip netns add hidden-end\n[1]\n```\n\n- [x] namespace `hidden-end` exists\n\n```console fix\n$ ip " +
		"netns del hidden-end\n```\n"
	sc, err := scenario.Parse("mend.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got := Text(sc, false)
	for _, gone := range []string{"hidden-start", "Hidden too", "## Setup", "## Output", "ip netns", "```console",
		"[x]", "[X]", "[ ]", "secret", "---", "fail:", "It was there", "called so", "otherwise"} {
		if strings.Contains(got, gone) {
			t.Errorf("it shows %q:\n%s", gone, got)
		}
	}
	for _, kept := range []string{"# Mend it", "Text above.", "## Join them", "Text between.",
		"\n- namespace `hidden-end` exists\n- namespace `a` exists\n- `host` has",
		"A hint.", "a picture", "### Mistake: once more", "Text of a mistake."} {
		if !strings.Contains(got, kept) {
			t.Errorf("it lacks %q:\n%s", kept, got)
		}
	}
}

// TestStep: the parts of a page, one after the other, have all that a learner may read, each line once, and nothing
// else.
func TestStep(t *testing.T) {
	const source = `---
vars:
  n: [17, 18]
---
# The title

<!-- A word to authors. -->
It is {{n}}:

` + "```text\n# not a title\n\n\n<!-- no comment -->\n```" + `

## Words

Only prose.

## Setup

` + "```console\n$ ip netns add a\n```" + `

The set-up, too.

## One

<!-- points: 3 -->
Type this:

` + "```console\n$ ip netns add left\n```" + `

Now it is there:

- [ ] namespace ` + "`left`" + ` exists
  <!-- fail: Is it? -->
- [x] namespace ` + "`a`" + `
  exists

And {{n}} more.
<!-- Not
for learners. -->

> [!NOTE]
> A note.

> [!TIP]
> A hint:
of two lines.

### Mistake: again

Once more:

` + "```console\n$ ip netns add left\n[1]\n```\n\n- [x] namespace `left` exists\n" + `
## Between

Prose again.

## Two

` + "```console\n$ ip netns add right\n```\n- [ ] namespace `right` exists\n" + `
## The end

Done.
`
	at := func(kind string, crlf bool) *scenario.Scenario {
		text := strings.Replace(source, "---\n", "---\nkind: "+kind+"\n", 1)
		if crlf {
			text = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
		}
		sc, err := scenario.ParseWith("t.md", []byte(text), scenario.Values{Set: map[string]string{"n": "18"}})
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	intro := "It is 18:\n\n```text\n# not a title\n\n\n<!-- no comment -->\n```\n\n## Words\n\nOnly prose."
	lesson := []Part{
		{intro, "Type this:\n\n```console\n$ ip netns add left\n```\n\nNow it is there.\n\nAnd 18 more.\n\n> " +
			"[!NOTE]\n> A note."},
		{"## Between\n\nProse again.", "```console\n$ ip netns add right\n```"},
		{"## The end\n\nDone.", ""},
	}
	challenge := []Part{
		{intro, "Type this.\n\nNow it is there.\n\nAnd 18 more.\n\n> [!NOTE]\n> A note."},
		{"## Between\n\nProse again.", ""},
		{"## The end\n\nDone.", ""},
	}
	for kind, want := range map[string][]Part{"lesson": lesson, "conformance": lesson, "challenge": challenge} {
		for _, crlf := range []bool{false, true} {
			sc := at(kind, crlf)
			var got []Part
			for i := range len(sc.Steps) + 1 {
				got = append(got, Step(sc, i, nil))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, -want +got\n%s", kind, diff)
			}
		}
	}
	if got, want := Mistake(at("lesson", false), 0, 0, nil),
		"Once more:\n\n```console\n$ ip netns add left\n[1]\n```"; got != want {
		t.Errorf("the mistake is\n%s", got)
	}
	if got := Mistake(at("challenge", false), 0, 0, nil); got != "Once more." {
		t.Errorf("the mistake of a challenge is\n%s", got)
	}
}

// TestTheCatalogueStepByStep: no part of a challenge has a line of its solution or of its set-up, and those of a lesson
// have all its commands.
func TestTheCatalogueStepByStep(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		for i, step := range sc.Steps {
			part := Step(sc, i, nil)
			shown := part.Before + "\n" + part.Prose
			for _, b := range step.Blocks {
				for _, c := range b.Commands {
					first, _, _ := strings.Cut(c.Text, "\n")
					if has := strings.Contains(shown, "$ "+first); has != (sc.Kind != scenario.Challenge) &&
						!strings.Contains(sc.Source, "\\\n") {
						t.Errorf("%s, step %d shows %q: %v", sc.ID, i+1, c.Text, has)
					}
				}
			}
			for _, hidden := range []string{"\n- [", "[!TIP]", "<!--", "## Setup", "### Mistake"} {
				if strings.Contains("\n"+shown, hidden) {
					t.Errorf("%s, step %d shows %q:\n%s", sc.ID, i+1, hidden, shown)
				}
			}
		}
	}
}

// TestShown: a learner reads the blocks for the programs that he has, as blocks for anybody.
func TestShown(t *testing.T) {
	const source = `# T

## One

With iproute2:

` + "```console iproute2\n$ ip link set x up\nCannot find\n[1]\n```" + `

The kernel says ENODEV:

` + "```console netlink errno=ENODEV\n$ ip link set x up\n[!]\n```" + `

- [ ] namespace ` + "`a`" + ` exists

### Mistake: m

So:

` + "```console busybox\n$ ip link set y up\n[1]\n```\n\n~~~console iproute2\n$ ip link set y up\n[1]\n~~~\n" +
		"- [x] namespace `b` does not exist\n\n```console fix iproute2\n$ ip netns add a\n```\n\n```console fix " +
		"busybox\n$ ip netns add c\n```\n"
	sc, err := scenario.Parse("t.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	shown := func(b scenario.Block) bool { return b.For("iproute2", scenario.Machine{}) }
	if got, want := Step(sc, 0, shown).Prose,
		"With iproute2:\n\n```console\n$ ip link set x up\nCannot find\n[1]\n```\n\n"+
			"The kernel says ENODEV."; got != want {
		t.Errorf("the step: %q", got)
	}
	if got, want := Mistake(sc, 0, 0, shown), "So:\n\n~~~console\n$ ip link set y up\n[1]\n~~~\n\n"+
		"```console fix\n$ ip netns add a\n```"; got != want {
		t.Errorf("the mistake: %q", got)
	}
}
