package watch

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/state"
	"netnscheck/scenarios"
)

// learner is a learner who moves the ends of the cable in the lesson veth-pair. The states are those that the kernel
// had after the steps (lab.After), without counters.
type learner struct {
	sc            *scenario.Scenario
	sitting       *sitting.Sitting
	before, moved *state.State
}

const step = 4 // where both ends are moved

func moving(t *testing.T, exam bool) *learner {
	t.Helper()
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	l := &learner{sc: sc, before: saved(t, "before"), moved: saved(t, "moved")}
	past := make([]sitting.Past, step-1)
	for i := range past {
		past[i].Done = true
	}
	l.sitting = sitting.New(sc, sitting.Options{Exam: exam, Past: past})
	return l
}

func saved(t *testing.T, name string) *state.State {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	s := new(state.State)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// sees judges the checks in a state, and is what the learner sees then.
func (l *learner) sees(s *state.State, changed ...string) sitting.View {
	var verdicts []scenario.Verdict
	for _, c := range l.sitting.Checks() {
		verdicts = append(verdicts, lab.Judge(s, c.Claim))
	}
	l.sitting.Judge(sitting.Change{Verdicts: verdicts, Changed: changed, Acted: len(changed) > 0})
	v := l.sitting.View()
	v.State = s
	return v
}

// start is the view at the beginning of the step, with an answer to a typo.
func (l *learner) start() sitting.View {
	l.sees(l.before)
	l.sitting.Tell(&sitting.Answer{Kind: "typo", Check: 0, Title: "there is no vnix-testns; the nearest is vnic-testns",
		Text: "It is in `host`.", Name: "no-such-interface", Repair: "ip link set vnic-testns netns testns"})
	return l.sees(l.before)
}

// end is the view once both ends are where they belong.
func (l *learner) end() sitting.View {
	return l.sees(l.moved, state.Diff(l.before, l.moved)...)
}

// errBroken makes a fake panic.
var errBroken = errors.New("broken while it waits")

// fake is a lab of which the test says what it does.
type fake struct {
	views chan viewed
	do    func(what string, args []string) (string, *sitting.View, error)
}

func (f *fake) Next() (sitting.View, error) {
	v := <-f.views
	if v.err == errBroken {
		panic(v.err)
	}
	return v.view, v.err
}

func (f *fake) Do(_ context.Context, what string, args ...string) (string, *sitting.View, error) {
	return f.do(what, args)
}
