package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/probe"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// settled divides the checks into those that may be judged now and those that wait until the state has settled. A check
// that has waited for its limit, or for as long as the kernel may take, is neither: it has its error.
func (k *look) settled(ctx context.Context, open []*awaiting, start time.Time) (ready, still []*awaiting) {
	for _, a := range open {
		if a.settled {
			ready = append(ready, a)
			continue
		}
		s, err := k.snapshot(ctx)
		waited := time.Since(start)
		if err != nil {
			*a.result = Awaited{unjudged(a.check.Claim, err), waited}
			if waited < a.limit {
				still = append(still, a)
			}
			continue
		}
		pending := a.pending(s)
		if len(pending) == 0 {
			a.settled = true
			k.askAgain(claim.Unanswered(a.check.Claim, s))
			ready = append(ready, a)
			continue
		}
		if a.check.Within == 0 {
			for _, p := range pending {
				a.patience = max(a.patience, paced(p.Longest))
			}
		}
		*a.result = Awaited{a.unsettled(pending), waited}
		if waited < a.patience {
			still = append(still, a)
			k.hurry(ctx, pending)
		}
	}
	return ready, still
}

// trueBefore evaluates a check again that was true before the commands. A negative one may be true only because the
// state has not settled: it counts as true when it still is so then.
func (l *Lab) trueBefore(ctx context.Context, c scenario.Check, v scenario.Verdict, base *Baseline) scenario.Verdict {
	var result Awaited
	a := newAwaiting(c, &result)
	if a.settled {
		return v
	}
	start := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		k := &look{lab: l, base: base}
		switch ready, still := k.settled(ctx, []*awaiting{a}, start); {
		case len(ready) > 0:
			return k.evaluateAll(ctx, []scenario.Check{c}, false)[0]
		case len(still) == 0:
			return result.Verdict
		}
		select {
		case <-ctx.Done():
			return unjudged(c.Claim, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// rest waits until nothing is pending that could move a counter or bring an event which a check denies, so that it is
// not counted as the work of the commands to come. What does not settle is the matter of the checks themselves.
func (l *Lab) rest(ctx context.Context, checks []scenario.Check) {
	var open []*awaiting
	for _, c := range checks {
		if a := newAwaiting(c, new(Awaited)); !a.settled && c.Claim.Needs().Class == claim.BySince {
			open = append(open, a)
		}
	}
	start := time.Now()
	for pause := time.Millisecond; len(open) > 0 && ctx.Err() == nil; pause = min(2*pause, 50*time.Millisecond) {
		k := &look{lab: l}
		if _, open = k.settled(ctx, open, start); len(open) == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// certain is how long something doubtful has to stay as it is. The kernel counts what is left to a port in hundredths
// of a second, and the last one is 0.
const certain = 30 * time.Millisecond

// pending is what the check waits for.
func (a *awaiting) pending(s *state.State) []state.Pending {
	pending := claim.Unsettled(a.check.Claim, s)
	if len(pending) == 0 || slices.ContainsFunc(pending, func(p state.Pending) bool { return !p.Doubtful }) {
		a.doubtful = time.Time{}
		return pending
	}
	if a.doubtful.IsZero() {
		a.doubtful = time.Now()
	}
	if time.Since(a.doubtful) < paced(certain) {
		return pending
	}
	return nil
}

// askAgain makes the kernel ask for neighbours again with the next packet.
func (k *look) askAgain(neighbours []state.Pending) {
	for _, p := range neighbours {
		probe.AskAfresh(k.lab.world, p.Netns, p.Dev, p.Addr)
	}
}

// hurry makes the kernel run the link-watch work that a pending carrier waits for.
func (k *look) hurry(ctx context.Context, pending []state.Pending) {
	if slices.ContainsFunc(pending, func(p state.Pending) bool { return p.Kind == state.PendingCarrier }) {
		k.lab.settleAll(ctx) // without success it is still pending in the next look
	}
}

// unsettled is the verdict of a negative check that was not judged.
func (a *awaiting) unsettled(pending []state.Pending) scenario.Verdict {
	words := make([]string, 0, 4)
	for i, p := range pending {
		if i == 3 {
			words = append(words, fmt.Sprintf("%d more", len(pending)-i))
			break
		}
		words = append(words, p.String())
	}
	limit := a.check.Within
	if limit == 0 {
		limit = a.patience.Round(time.Second) // the same for all drivers
	}
	return unjudged(a.check.Claim,
		fmt.Errorf("the state has not settled within %v: %s (`at once` at the end of the check "+
			"judges the state as it is, within `1m` waits longer)", limit, strings.Join(words, ", ")))
}
