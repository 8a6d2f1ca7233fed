package show

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
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
	got := withoutSolution(sc)
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
