package session

import (
	"context"
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
	d := deskOf(t, meanwhile)
	before, err := d.lab.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.lab.Perform(t.Context(), d.sc, 0); err != nil {
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

// deskOf is a desk in the lab of a scenario, which nobody follows.
func deskOf(t *testing.T, source string) *desk {
	t.Helper()
	sc, err := scenario.Parse("page.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.Prepared(t.Context(), sc, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	live, err := l.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDesk(t.Context(), l, live, sc, sitting.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pasted has steps that are reached in one command each.
const pasted = `---
id: pasted
---
# Pasted

## Setup

` + "```console" + `
$ ip netns add a
` + "```" + `

## The first

` + "```console" + `
$ ip -n a link set lo up
` + "```" + `

- [ ] ` + "`lo` in `a` is up" + `

## The second

` + "```console" + `
$ ip netns add b
` + "```" + `

- [ ] namespace ` + "`b`" + ` exists
`

// TestTypedAhead: what the next command did before the last one was judged is its own work, and the learner goes on to
// its step.
func TestTypedAhead(t *testing.T) {
	d := deskOf(t, pasted)
	ways := []string{"./finish 1", "./finish 2"} // in words that are not those of the page
	command := func(i int) { d.command(context.Background(), ran{line: ways[i]}, func(int, bool) {}) }
	d.work.Lock() // as if something were being judged
	for i := range ways {
		d.begins()
		if _, err := d.lab.Perform(t.Context(), d.sc, i); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			command(i) // returns, although the command was not taken in
		}
	}
	d.work.Unlock()
	command(1)
	d.takenIn()
	if at := d.sitting.Step(); at != 2 {
		t.Errorf("%d of the 2 steps are over", at)
	}
}

// TestDoneBeforeThePrompt: a command whose effect is judged while it still runs finishes its step, and does not go on
// to the next one.
func TestDoneBeforeThePrompt(t *testing.T) {
	d := deskOf(t, pasted)
	told := make(chan struct{}, 1)
	d.changed = func() {
		select {
		case told <- struct{}{}:
		default:
		}
	}
	go d.follow(t.Context())
	d.begins()
	if _, err := d.lab.Perform(t.Context(), d.sc, 0); err != nil {
		t.Fatal(err)
	}
	done := func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.sitting.Done()
	}
	for !done() {
		<-told
	}
	d.command(t.Context(), ran{line: "./finish 1"}, func(int, bool) {})
	d.takenIn()
	if at := d.step(); at != 1 {
		t.Errorf("the learner is at step %d", at)
	}
}
