package lab

import (
	"context"
	"slices"
	"sync"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Evaluate evaluates a claim once, without waiting. base may be nil unless the claim is about counters or events. A
// claim that cannot be decided is an error, never a pass or a fail.
func (l *Lab) Evaluate(ctx context.Context, c claim.Claim, base *Baseline) scenario.Verdict {
	return l.EvaluateAll(ctx, []scenario.Check{{Claim: c}}, base)[0]
}

// EvaluateAll evaluates the claims of several checks once, without waiting. They are expected to be true.
func (l *Lab) EvaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline) []scenario.Verdict {
	return l.evaluateAll(ctx, checks, base, true)
}

// evaluateAll evaluates the claims of several checks, with one snapshot for all of them. Counters and events come
// first, so that the probes of other checks are not counted; programs, which may send packets, come after all that is
// only read. expected is whether the claims should be true: probes that should then get no answer come next, in
// parallel, because each takes its full time limit. The others come last, one by one in the order written, because a
// reply leaves traces (a neighbour, an entry of a bridge) that the next claim may be about.
func (l *Lab) evaluateAll(ctx context.Context, checks []scenario.Check, base *Baseline,
	expected bool) []scenario.Verdict {
	return (&look{lab: l, base: base}).evaluateAll(ctx, checks, expected)
}

func (k *look) evaluateAll(ctx context.Context, checks []scenario.Check, expected bool) []scenario.Verdict {
	verdicts := make([]scenario.Verdict, len(checks))
	judge := func(i int, listen time.Duration) {
		f, err := k.at(ctx, checks[i].Claim, listen)
		if err != nil {
			verdicts[i] = unjudged(checks[i].Claim, err)
		} else {
			verdicts[i] = verdict(checks[i].Claim, f)
		}
	}
	var counted, still, programs, silent, answered []int
	for i, c := range checks {
		switch class := c.Claim.Needs().Class; {
		case class == claim.BySince:
			counted = append(counted, i)
		case class == claim.ByProgram:
			programs = append(programs, i)
		case class != claim.BySilence && class != claim.ByAnswer:
			still = append(still, i)
		case (class == claim.ByAnswer) != expected:
			silent = append(silent, i)
		default:
			answered = append(answered, i)
		}
	}
	answer, asked := paced(probe.Window), paced(probe.Brief)
	if !expected || k.last { // there is no further look, so an answer gets its full time
		answer, asked = paced(probe.Long), paced(probe.Long)
	}
	for _, i := range slices.Concat(counted, still, programs) {
		judge(i, asked) // of these, only a neighbour resolution waits
	}
	var together sync.WaitGroup
	for _, i := range silent {
		together.Go(func() { judge(i, paced(probe.Brief)) })
	}
	together.Wait()
	for _, i := range answered {
		judge(i, answer)
	}
	return verdicts
}

// look is one evaluation of claims in a lab. The state is read when the first claim needs it. Parallel probes share it.
type look struct {
	lab  *Lab
	base *Baseline
	last bool // what is false in it may be reported as false for good

	mu    sync.Mutex      // guards the fields below
	there map[string]bool // by name: whether the namespace existed
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
		return c.Judge(claim.Evidence{State: s, Witness: k.lab.Witness(ctx, s)}), nil
	}
	name := needs.Question.Where()
	there, err := k.exists(name)
	if err != nil {
		return claim.Finding{}, err
	}
	if there {
		known, err := k.ask(ctx, needs.Question, listen)
		still, lost := k.lab.world.Has(name)
		switch {
		case lost != nil:
			return claim.Finding{}, lost
		case still && err != nil:
			return claim.Finding{}, err
		case still:
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

// snapshotFor is a snapshot with everything that a claim of the class needs.
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

// exists reports whether the namespace existed when this look first asked for it. That is much cheaper than reading the
// state, or all names if there are many.
func (k *look) exists(name string) (there bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	there, asked := k.there[name]
	if asked {
		return there, nil
	}
	if there, err = k.lab.world.Has(name); err != nil {
		return false, err
	}
	if k.there == nil {
		k.there = map[string]bool{}
	}
	k.there[name] = there
	return there, nil
}
