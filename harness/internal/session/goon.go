package session

import (
	"context"

	"netnscheck/harness/scenario/started"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/state"
)

// goOn goes on to the next step when the learner does, without a word: with the step done, a command that changes
// something belongs to the next one, and so does one of its own commands where it only looks. A step that only looks is
// passed by a command of a later one. A command that was refused belongs where the learner is told what is wrong with
// it. The caller holds work.
func (d *desk) goOn(ctx context.Context, r ran, changed bool, now *state.State) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.sitting.Step(); d.wasDone && d.sitting.Done() && i+1 < len(d.sc.Steps) {
		if !changed && belongs(d.sc, i+1, d.shown, r) < 0 &&
			(isOf(&d.sc.Steps[i], r) || d.mistaken(i+1, r, now) < 0 && !d.slipped(i+1, r, now)) {
			return nil
		}
		if err := d.sitting.Next(); err != nil {
			return err
		}
	}
	passed := false
	to := belongs(d.sc, d.sitting.Step(), d.shown, r)
	if at := d.sitting.Step(); to < 0 && !d.sitting.Done() && !isOf(&d.sc.Steps[at], r) {
		to = d.mistaken(d.sitting.Step(), r, now)
	}
	for to > d.sitting.Step() && d.sitting.Pass() {
		passed = true
	}
	for changed && r.line == "" && d.sitting.Pass() { // nobody knows what it was, but it was more than looking
		passed = true
	}
	if !passed {
		return nil
	}
	return d.live.Begin(ctx, d.sitting.Checks())
}

// mistaken is the index of the step of which a command that was refused is a mistake or a typo: step i or, as long as
// those before it only look, a later one; -1 if it is that of none. The caller holds work and mu.
func (d *desk) mistaken(i int, r ran, now *state.State) int {
	if r.status == 0 || r.line == "" {
		return -1
	}
	for ; i < len(d.sc.Steps); i++ {
		found := answer.Find(answer.Facts{Scenario: d.sc, Step: i, Before: d.before, After: now, Whole: now,
			Line: r.fromHost(), Status: r.status})
		if found != nil && (found.Kind == answer.Mistake || found.Kind == answer.Typo) {
			return i
		}
		if !d.sc.Steps[i].OnlyLooks() {
			break
		}
	}
	return -1
}

// slipped reports whether a command that changed nothing belongs to a step because of what it tried to do
// (answer.Slipped). The caller holds work and mu.
func (d *desk) slipped(i int, r ran, now *state.State) bool {
	return r.line != "" && answer.Slipped(answer.Facts{Scenario: d.sc, Step: i, Before: d.before, After: now,
		Whole: now, Line: r.fromHost(), Status: r.status})
}

// fromHost is the line as it would be typed in a shell of the host, as far as that is one command.
func (r ran) fromHost() string {
	if found, complete := started.Commands(r.line); r.netns == "" || !complete || len(found) != 1 {
		return r.line
	}
	return "ip netns exec " + r.netns + " " + r.line
}
