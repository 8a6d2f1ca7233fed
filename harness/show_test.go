package main

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
)

func TestAChallengeIsShownWithoutItsSolution(t *testing.T) {
	const source = `---
kind: challenge
---
# Mend it

Text above.

## Setup

` + "```console\n$ ip netns add hidden-start\n```" + `

Hidden too.

## Join them

Text between.

` + "````console\n$ ip netns add hidden-end\n```\n````" + `

- [ ] namespace ` + "`hidden-end`" + ` exists

> [!TIP]
> A hint.

` + "```text\na picture\n```\n"
	sc, err := scenario.Parse("mend.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got := withoutSolution(sc)
	for _, gone := range []string{"hidden-start", "Hidden too", "## Setup", "ip netns add"} {
		if strings.Contains(got, gone) {
			t.Errorf("it shows %q:\n%s", gone, got)
		}
	}
	for _, kept := range []string{"# Mend it", "Text above.", "## Join them", "Text between.", "- [ ] namespace", "A hint.", "a picture"} {
		if !strings.Contains(got, kept) {
			t.Errorf("it lacks %q:\n%s", kept, got)
		}
	}
}
