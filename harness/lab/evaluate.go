package lab

import (
	"context"
	"sync"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Evaluate looks at a claim once, without waiting. base is what was before the section's commands; it may be nil for a
// claim that does not ask for it. A claim that could not be looked at is an error, never a pass and never a fail.
func (l *Lab) Evaluate(ctx context.Context, c claim.Claim, base *Baseline) scenario.Verdict {
	return l.EvaluateAll(ctx, []scenario.Check{{Claim: c}}, base)[0]
}

// EvaluateAll looks at the claims of several checks at once, without waiting; they are expected to be true.
func (l *Lab) EvaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline) []scenario.Verdict {
	return l.evaluateAll(ctx, checks, base, true)
}

// evaluateAll looks at the claims of several checks, at the state once for all of them that need it. Counters and
// events come first, so that the probes of one check are not counted by another. expected says whether the claims
// should be true: the probes that should then end in silence come next, side by side, since silence takes its time; the
// others last, one by one as written, since an answer leaves something behind (a neighbour, an entry of a bridge) that
// the next one may be about.
func (l *Lab) evaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline,
	expected bool) []scenario.Verdict {
	verdicts := make([]scenario.Verdict, len(checks))
	k := &look{lab: l, base: base}
	judge := func(i int, listen time.Duration) {
		f, err := k.at(ctx, checks[i].Claim, listen)
		if err != nil {
			verdicts[i] = unjudged(checks[i].Claim, err)
		} else {
			verdicts[i] = verdict(checks[i].Claim, f)
		}
	}
	var counted, still, silent, answered []int
	for i, c := range checks {
		switch class := c.Claim.Needs().Class; {
		case class == claim.BySince:
			counted = append(counted, i)
		case class != claim.BySilence && class != claim.ByAnswer:
			still = append(still, i)
		case (class == claim.ByAnswer) != expected:
			silent = append(silent, i)
		default:
			answered = append(answered, i)
		}
	}
	answer, asked := probe.Window, probe.Brief
	if !expected { // this look is the only one: who should hear something gets the time for it
		answer, asked = probe.Long, probe.Long
	}
	for _, i := range append(counted, still...) {
		judge(i, asked) // of these, only who asks for a neighbour listens
	}
	var together sync.WaitGroup
	for _, i := range silent {
		together.Go(func() { judge(i, probe.Brief) })
	}
	together.Wait()
	for _, i := range answered {
		judge(i, answer)
	}
	return verdicts
}

// look is one look at a lab: the state is read when the first claim asks for it. Probes ask side by side.
type look struct {
	lab  *Lab
	base *Baseline

	mu    sync.Mutex      // of what follows
	there map[string]bool // namespaces that were asked for by name
	state *state.State
	whole *state.State // with the packet filters
}

func (k *look) at(ctx context.Context, c claim.Claim, listen time.Duration) (claim.Finding, error) {
	needs := c.Needs()
	if needs.Question == nil {
		s, err := k.snapshotFor(ctx, needs.Class)
		if err != nil {
			return claim.Finding{}, err
		}
		return c.Judge(claim.Evidence{State: s}), nil
	}
	name := needs.Question.Where()
	if k.exists(name) {
		known, err := k.ask(ctx, needs.Question, listen)
		if k.lab.has(name) {
			if err != nil {
				return claim.Finding{}, err
			}
			return c.Judge(known), nil
		}
	}
	s, err := k.snapshot(ctx)
	if err != nil {
		return claim.Finding{}, err
	}
	return claim.Missing(s, name), nil
}

func (k *look) snapshot(ctx context.Context) (*state.State, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil {
		return k.state, nil
	}
	var err error
	k.state, err = k.lab.brief(ctx)
	return k.state, err
}

// snapshotFor is a snapshot with all that a claim of the class needs.
func (k *look) snapshotFor(ctx context.Context, class claim.Class) (*state.State, error) {
	if class != claim.ByWhole {
		return k.snapshot(ctx)
	}
	if k.whole != nil {
		return k.whole, nil
	}
	var err error
	k.whole, err = k.lab.Whole(ctx)
	return k.whole, err
}

// exists says whether there was a namespace with this name when the look asked for it first.
func (k *look) exists(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	there, asked := k.there[name]
	if !asked {
		there = k.lab.has(name)
		if k.there == nil {
			k.there = map[string]bool{}
		}
		k.there[name] = there
	}
	return there
}

// has asks for one namespace's name alone, which is much cheaper than the state, and than all names where there are
// many.
func (l *Lab) has(name string) bool {
	h, err := l.world.Open(name)
	if err != nil {
		return false
	}
	h.Close()
	return true
}
