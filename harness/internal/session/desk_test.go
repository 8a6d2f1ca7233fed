package session

import (
	"slices"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
)

// meanwhile has a check that is decided by a packet, which takes a while.
const meanwhile = `---
id: meanwhile
---
# Meanwhile

## Setup

` + "```console" + `
$ ip netns add a
$ ip -n a link set lo up
$ ip -n a address add 10.0.0.1/24 dev lo
` + "```" + `

## Go away

` + "```console" + `
$ ip -n a address del 10.0.0.1/24 dev lo
$ ip netns add b
` + "```" + `

- [ ] ` + "`a` does not reach `10.0.0.1`" + `
`

// TestChangedMeanwhile: what changes while the checks are judged is news, too. They are judged once more, and the state
// that they are then about is a later one.
func TestChangedMeanwhile(t *testing.T) {
	sc, err := scenario.Parse("meanwhile.md", []byte(meanwhile))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.Prepared(t.Context(), sc, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	live, err := l.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	d, err := newDesk(t.Context(), l, live, sc, sitting.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := l.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Perform(t.Context(), sc, 0); err != nil {
		t.Fatal(err)
	}
	change := lab.Change{Heard: lab.Heard{Everything: true}, State: before}
	if err := d.judge(t.Context(), change, learner{}); err != nil {
		t.Fatal(err)
	}
	news, _ := sitting.Join(d.news)
	if !slices.Contains(news.Changed, "namespace b appeared") || !news.StepDone {
		t.Errorf("the news are %+v", d.news)
	}
}
