package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
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

// TestOnItsWay: a link that was seen in both namespaces, since they are read one after the other, is told as if it had
// been seen before and after only.
func TestOnItsWay(t *testing.T) {
	d := deskOf(t, meanwhile)
	after := func(command string) *state.State {
		if err := d.lab.Do(t.Context(), lab.Netlink(), command); err != nil {
			t.Fatal(err)
		}
		s, err := d.lab.Whole(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before, moved := after("ip link add x type veth peer name y"), after("ip link set x netns a")
	both := &state.State{Namespaces: append(slices.Clone(before.Namespaces[:1]), moved.Namespaces[1:]...)}
	want := state.Diff(before.Normal(), moved.Normal())
	d.takeIn(sitting.Change{}, before)
	d.news = nil
	for _, s := range []*state.State{both, moved} {
		d.takeIn(sitting.Change{Changed: d.changes(d.last, s)}, s)
	}
	if news, _ := sitting.Join(d.news); !slices.Equal(news.Changed, want) {
		t.Errorf("told: %q, want %q", news.Changed, want)
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

// judged waits until all commands were taken in and judged: takenIn alone cuts short what takes long.
func judged(d *desk) {
	d.mu.Lock()
	turn := d.turn
	d.mu.Unlock()
	if turn != nil {
		<-turn
	}
	d.takenIn()
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
	judged(d)
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
	judged(d)
	if at := d.step(); at != 1 {
		t.Errorf("the learner is at step %d", at)
	}
}

// TestDeafIsTold: that changes are no longer told as they happen is told once, as soon as there is nothing else to
// answer.
func TestDeafIsTold(t *testing.T) {
	d := deskOf(t, pasted)
	d.goesDeaf(errors.New("the socket is full"))
	told := func() (all []sitting.News) {
		return d.command(t.Context(), ran{line: "ip netns add c"}, func(int, bool) {})
	}
	answer := &sitting.Answer{Kind: "mistake", Title: "that is another one"}
	d.news = []sitting.News{{Step: 1, Answer: &sitting.Answer{}}, {Step: 1, Answer: answer}}
	if news, _ := sitting.Join(told()); news.Answer != answer {
		t.Errorf("told: %+v", news)
	}
	if news, _ := sitting.Join(told()); news.Answer == nil ||
		!strings.Contains(news.Answer.Title, "the socket is full") {
		t.Errorf("told at the next prompt: %+v", news)
	}
	if again := told(); len(again) > 0 {
		t.Errorf("told once more: %+v", again)
	}
}

// TestLooksWhileJudged: what the last command did late is not the work of a command that looks.
func TestLooksWhileJudged(t *testing.T) {
	for _, line := range []string{"ip link", "ip -n a addr show dev lo; sudo ip netns exec a ip r"} {
		d := deskOf(t, pasted)
		d.begins()
		if _, err := d.lab.Perform(t.Context(), d.sc, 0); err != nil {
			t.Fatal(err)
		}
		// It is judged while the next one runs: the state from before both stays.
		if err := d.judge(t.Context(), lab.Change{Heard: lab.Heard{Everything: true}},
			learner{acted: true}); err != nil {
			t.Fatal(err)
		}
		d.ended()
		d.command(t.Context(), ran{line: line}, func(int, bool) {})
		if judged(d); d.step() != 1 {
			t.Errorf("%s: the learner is at step %d", line, d.step())
		}
	}
}

// three has steps of which a command of the first, run once more, changes nothing.
const three = pasted + `
## The third

` + "```console" + `
$ ip -n a address add 10.0.0.1/24 dev lo
` + "```" + `

- [ ] ` + "`lo` in `a` has the address `10.0.0.1/24`" + `
`

// TestOnceMore: with a step done, a command of an earlier one that changes nothing now does not go on, and one that is
// meant for the next step and sets nothing does.
func TestOnceMore(t *testing.T) {
	for line, want := range map[string]int{"ip -n a link set lo up": 2, "ip -n a link set dev lo": 3} {
		d := deskOf(t, three)
		for i := range 2 {
			if _, err := d.lab.Perform(t.Context(), d.sc, i); err != nil {
				t.Fatal(err)
			}
			d.command(t.Context(), ran{line: "./finish"}, func(int, bool) {})
			if err := d.ask(t.Context(), true); err != nil { // nobody follows
				t.Fatal(err)
			}
		}
		d.command(t.Context(), ran{line: "true"}, func(int, bool) {})
		d.command(t.Context(), ran{line: line}, func(int, bool) {})
		if judged(d); d.step() != want {
			t.Errorf("%s: the learner is at step %d, not %d", line, d.step(), want)
		}
	}
}
