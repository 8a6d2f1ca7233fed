package preview

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

func TestText(t *testing.T) {
	const source = `---
kind: challenge
vars:
  net: 10.0.0
---
# Mend {{net}}

Wanted: {{net}}.1.

## Setup

` + "```console\n$ ip netns add hidden-start\n```" + `

## Give it

<!-- points: 2 -->
An address:

` + "```console\n$ ip addr add {{net}}.1/32 dev lo\n```" + `

- [ ] ` + "`lo` in `host` has the address `{{net}}.1/32`" + `
<!-- fail: Is it
{{net}}.1? -->
- [x] namespace ` + "`hidden-start`" + ` exists

> [!TIP]
> First hint.

> [!TIP]
> Second hint:
> two lines.

### Mistake: forgotten /32

Looks alike.

` + "```console\n$ ip addr add {{net}}.1 dev lo\n```\n" + `
## Look at it

- [x] ` + "namespace `hidden-start` exists" + `

## The end

Done.
`
	const want = `# Mend 10.0.0

Wanted: 10.0.0.1.

## Step 1 of 2: Give it (2 points)

An address.

- [ ] ` + "`lo` in `host` has the address `10.0.0.1/32`" + `
  - **If asked why it is not true:** Is it 10.0.0.1?
- [ ] namespace ` + "`hidden-start`" + ` exists

> **If asked, hint 1 of 2:** First hint.

> **If asked, hint 2 of 2:** Second hint:
> two lines.

> **If this mistake is made: forgotten /32**
>
> Looks alike.

## Step 2 of 2: Look at it (1 point)

- [ ] ` + "namespace `hidden-start` exists" + `

## The end

Done.
`
	sc, err := scenario.Parse("mend.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, Text(sc)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestTheCatalogue: a preview of a challenge has none of its commands.
func TestTheCatalogue(t *testing.T) {
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		text := Text(sc)
		if sc.Kind == scenario.Challenge && (strings.Contains(text, "\n$ ") || strings.Contains(text, "[x]")) {
			t.Errorf("%s shows its solution:\n%s", sc.ID, text)
		}
		for _, step := range sc.Steps {
			for _, c := range step.Checks {
				if !strings.Contains(text, "- [ ] "+c.Text+"\n") {
					t.Errorf("%s lacks the check %s", sc.ID, c.Text)
				}
			}
		}
	}
}
