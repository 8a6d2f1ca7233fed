package lab

import (
	"context"
	"testing"

	"netnscheck/harness/scenario"
)

// StartAfterStep starts a lab in which steps 0 to i of the scenario are done, their pings left out.
func StartAfterStep(t *testing.T, sc *scenario.Scenario, i int, checks []scenario.Check) (*Lab, *Baseline) {
	t.Helper()
	p := NewPlay(sc, Netlink(), nil, PlayOptions{})
	l := startDone(t, p, i+1)
	return l, baseline(t, l, checks)
}

// StartAfterMistake starts a lab in which mistake j of step i was made.
func StartAfterMistake(t *testing.T, sc *scenario.Scenario, i, j int, checks []scenario.Check) (*Lab, *Baseline) {
	t.Helper()
	p := NewPlay(sc, Netlink(), nil, PlayOptions{})
	l := startDone(t, p, i)
	base := baseline(t, l, checks)
	m := &sc.Steps[i].Mistakes[j]
	r := p.newResult(scenario.MistakeSection, &m.Section, i, j+1)
	if s := (&scene{play: p, lab: l, result: &r}); !s.run(context.Background(), m.Blocks, byStatus) {
		t.Fatal(r.Err())
	}
	return l, base
}

func startDone(t *testing.T, p *Play, steps int) *Lab {
	t.Helper()
	l, err := Start(context.Background(), p.sc.Host, p.opts.World)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	cmds, ok := p.directCommands(steps)
	if !ok {
		t.Fatalf("steps 1 to %d of %s have no typed form", steps, p.sc.ID)
	}
	if err := l.Build(context.Background(), cmds); err != nil {
		t.Fatal(err)
	}
	return l
}

func baseline(t *testing.T, l *Lab, checks []scenario.Check) *Baseline {
	t.Helper()
	base, err := l.Baseline(context.Background(), checks)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(base.Close)
	return base
}
