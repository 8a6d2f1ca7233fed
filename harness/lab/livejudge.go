package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"netnscheck/harness/claim"
	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// judging is one judgement of the checks of a step.
type judging struct {
	live   *Live
	change Change
	state  *state.State
	now    *circumstances
	alike  map[*circumstances]bool // those compared with now
	look   *look
	// programs and probes are the checks for which somebody has to be asked, doubtful the probes that will hardly be
	// answered.
	programs, probes []int
	doubtful         map[int]bool
}

func newJudging(v *Live, c Change, s *state.State) *judging {
	return &judging{live: v, change: c, state: s, now: circumstancesOf(s), alike: map[*circumstances]bool{},
		doubtful: map[int]bool{},
		look:     &look{lab: v.lab, base: v.base, state: s, whole: s}}
}

// early judges what is known from the state, or from the kernel without a packet, and finds out for which checks more
// is needed.
func (n *judging) early(ctx context.Context) []scenario.Verdict {
	v := n.live
	verdicts := make([]scenario.Verdict, len(v.checks))
	counting := false // a check waits for traffic of the learner
	for i, c := range v.checks {
		if n.pending(c, &verdicts[i]) {
			continue
		}
		switch class := c.Claim.Needs().Class; class {
		case claim.BySince:
			verdicts[i] = n.judge(ctx, c.Claim)
			counting = counting || verdicts[i].Outcome != scenario.Pass && !claim.Negative(c.Claim)
		case claim.ByState, claim.ByTraces, claim.ByWhole:
			verdicts[i] = n.judge(ctx, c.Claim)
		case claim.ByKernel:
			if asksLong(c.Claim) {
				n.later(ctx, i, &verdicts[i])
			} else {
				verdicts[i] = n.judge(ctx, c.Claim)
			}
		default:
			n.later(ctx, i, &verdicts[i])
		}
	}
	if counting && !n.change.Asked {
		n.keepQuiet(verdicts)
	}
	return verdicts
}

// keepQuiet leaves out what sends packets, or may.
func (n *judging) keepQuiet(verdicts []scenario.Verdict) {
	quiet := func(i int) bool { return n.live.checks[i].Claim.Needs().Class == claim.ByKernel }
	for _, i := range slices.Concat(n.programs, n.probes) {
		if !quiet(i) {
			verdicts[i] = unjudged(n.live.checks[i].Claim, errCounting)
		}
	}
	n.programs = slices.DeleteFunc(n.programs, func(i int) bool { return !quiet(i) })
	n.probes = nil
}

// errCounting is why no packets are sent while a check waits for traffic.
var errCounting = errors.New("not asked yet: packets of its own would hide whether traffic is counted that another " +
	"check waits for")

// pending reports whether a negative check has to wait for something, and says so in its verdict. What may stay as it
// is for good is not waited for.
func (n *judging) pending(c scenario.Check, to *scenario.Verdict) bool {
	if c.AtOnce || !claim.Negative(c.Claim) {
		return false
	}
	var words []string
	for _, p := range claim.Unsettled(c.Claim, n.state) {
		if !p.Doubtful && len(words) < 3 {
			words = append(words, p.String())
		}
	}
	if len(words) == 0 {
		return false
	}
	*to = unjudged(c.Claim, fmt.Errorf("the state has not settled yet: %s", strings.Join(words, ", ")))
	return true
}

// judge judges one claim now.
func (n *judging) judge(ctx context.Context, c claim.Claim) scenario.Verdict {
	k := n.look
	if c.Needs().Class == claim.ByTraces && claim.Negative(c) {
		k = &look{lab: n.look.lab, state: n.live.traces.without(n.state)}
	}
	f, err := k.at(ctx, c, 0)
	if err != nil {
		return unjudged(c, err)
	}
	return verdict(c, f)
}

// asksLong reports whether the kernel's answer to a claim takes a program or a wait.
func asksLong(c claim.Claim) bool {
	switch c.Needs().Question.(type) {
	case claim.ChainRules, claim.SetElement, claim.Resolve:
		return true
	}
	return false
}

// later finds out whether somebody has to be asked for check i. If not, it sets the verdict.
func (n *judging) later(ctx context.Context, i int, to *scenario.Verdict) {
	c, a := n.live.checks[i].Claim, &n.live.answers[i]
	needs := c.Needs()
	if missing := needs.Question.Where(); n.state.Namespace(missing) == nil {
		*to = verdict(c, claim.Missing(n.state, missing))
		*a = answered{}
		return
	}
	_, program := needs.Question.(claim.ToProgram)
	again := n.change.Asked || !n.same(a)
	if !again {
		*to = a.verdict
		again = n.change.Command && (program || !steady(n.state) || a.verdict.Outcome != scenario.Pass) ||
			n.change.Everything || n.retry(a)
	}
	if !again {
		return
	}
	if program {
		n.programs = append(n.programs, i)
		return
	}
	if why, certain := n.ruledOut(ctx, c); why != nil && !n.change.Asked {
		if !n.same(a) { // otherwise the network itself has said more
			*to = verdict(c, claim.Finding{Found: why.Says})
		}
		if certain {
			*a = answered{}
			return
		}
		n.doubtful[i] = true
	}
	n.probes = append(n.probes, i)
}

// same reports whether an answer was given under the circumstances of now.
func (n *judging) same(a *answered) bool {
	if a.under == nil {
		return false
	}
	alike, compared := n.alike[a.under]
	if !compared {
		alike = a.under.same(n.now)
		n.alike[a.under] = alike
	}
	return alike
}

// mostRetries is how often a probe that failed is repeated because neighbours have changed since.
const mostRetries = 3

// retry reports whether a probe that failed may have waited for a neighbour.
func (n *judging) retry(a *answered) bool {
	return a.verdict.Outcome != scenario.Pass && a.retries < mostRetries &&
		n.change.All().Has(neighbourly) && a.neighbours != neighboursOf(n.state)
}

// steady reports whether what happens to packets follows from a state: all of it was read.
func steady(s *state.State) bool {
	return !slices.ContainsFunc(s.Namespaces, func(n state.Namespace) bool { return len(n.Unread) > 0 })
}

// ruledOut is the cause why a claim that needs an answer is false in the state; nil if there is none. It is certain
// where the kernel itself refuses the packet. Further on packets may get through, or be lost, in ways that the diagnosis
// does not know, and their sending may be what changes that: an outdated neighbour is found out by its silence.
func (n *judging) ruledOut(ctx context.Context, c claim.Claim) (why *diagnose.Cause, certain bool) {
	asked, ok := c.(interface{ Unreached() (diagnose.Query, bool) })
	if !ok {
		return nil, false
	}
	query, positive := asked.Unreached()
	if !positive {
		return nil, false
	}
	why = diagnose.Witnessed(n.state, query, n.look.lab.Witness(ctx, n.state)).Cause
	if why == nil || why.Part {
		return nil, false
	}
	return why, slices.Contains([]causes.Cause{causes.PeerDown, causes.NoCarrier}, why.Name) ||
		slices.Contains([]causes.Family{causes.Source, causes.Route}, why.Name.Family())
}
