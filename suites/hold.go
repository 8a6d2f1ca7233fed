package suites

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"netnscheck/harness/claim"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Hold matches if the sentence is true: any sentence that a check of a scenario may be, with its arguments in code
// spans (docs/format.md). A sentence that no check says, and one that could not be judged, is an error, with To and
// with NotTo.
//
//	Expect(lab).To(Hold("`testns` reaches `192.168.2.103`"))
func Hold(sentence string) *HoldMatcher {
	claim, err := scenario.ParseClaim(sentence)
	return &HoldMatcher{claimMatcher{claim: claim, err: err}}
}

// HoldMatcher is what Hold makes.
type HoldMatcher struct{ claimMatcher }

// Since is for sentences about what has happened (counters, events): since the baseline was taken, which Lab.Baseline
// does for them.
//
//	Expect(lab).To(Hold("`host` saw no event").Since(before))
func (m *HoldMatcher) Since(before *lab.Baseline) *HoldMatcher {
	m.before = before
	return m
}

var _ types.GomegaMatcher = (*HoldMatcher)(nil)

// claimMatcher judges a claim of the format.
type claimMatcher struct {
	claim   claim.Claim
	err     error // an argument that makes no claim
	before  *lab.Baseline
	verdict scenario.Verdict
}

// evaluator is what a *lab.Lab does.
type evaluator interface {
	Evaluate(ctx context.Context, c claim.Claim, base *lab.Baseline) scenario.Verdict
}

// observer is anything that can tell its state.
type observer interface {
	State(ctx context.Context) (*state.State, error)
}

// diagnoser says why something is not reached, as a *lab.Lab does.
type diagnoser interface {
	Diagnosis(ctx context.Context, c claim.Claim) []string
}

func (m *claimMatcher) Match(actual any) (bool, error) {
	if m.err != nil { // waiting does not make it better
		return false, gomega.StopTrying("read the matcher's argument").Wrap(m.err)
	}
	switch a := actual.(type) {
	case evaluator:
		m.verdict = a.Evaluate(context.Background(), m.claim, m.before)
	case observer:
		s, err := a.State(context.Background())
		if err != nil {
			return false, fmt.Errorf("read the state: %w", err)
		}
		m.verdict = lab.Judge(s, m.claim)
	case *state.State:
		m.verdict = lab.Judge(a, m.claim)
	default:
		return false, fmt.Errorf("match %s: want a *lab.Lab or a *state.State, not a %T", m.claim.Sentence(), actual)
	}
	switch m.verdict.Outcome {
	case scenario.Pass:
		return true, nil
	case scenario.Fail:
		return false, nil
	}
	return false, fmt.Errorf("judge %s: %s", m.claim.Sentence(), m.verdict.Reason)
}

// FailureMessage says what there is instead and, where something is not reached, why.
func (m *claimMatcher) FailureMessage(actual any) string {
	lines := []string{"expected: " + m.claim.Sentence(), "found:    " + m.verdict.Found}
	if d, ok := actual.(diagnoser); ok {
		lines = append(lines, d.Diagnosis(context.Background(), m.claim)...)
	}
	return strings.Join(lines, "\n")
}

func (m *claimMatcher) NegatedFailureMessage(any) string {
	return fmt.Sprintf("expected not: %s\nfound:        %s", m.claim.Sentence(), m.verdict.Found)
}
