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

// Hold matches if the sentence is true. It takes any sentence of a scenario's checks, with its arguments in code spans
// (docs/format.md). A sentence that is not a check, or that cannot be judged, is an error, with To as well as with
// NotTo.
//
//	Expect(lab).To(Hold("`testns` reaches `192.168.2.103`"))
func Hold(sentence string) *HoldMatcher {
	claim, err := scenario.ParseClaim(sentence)
	return &HoldMatcher{claimMatcher{claim: claim, err: err}}
}

// HoldMatcher is the matcher returned by Hold.
type HoldMatcher struct{ claimMatcher }

// Since sets the baseline for sentences about the past (counters, events): they are judged since Lab.Baseline took it.
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
	err     error // of an argument that cannot be parsed
	before  *lab.Baseline
	verdict scenario.Verdict
}

// evaluator is implemented by *lab.Lab.
type evaluator interface {
	Evaluate(ctx context.Context, c claim.Claim, base *lab.Baseline) scenario.Verdict
}

// observer is anything with a state.
type observer interface {
	State(ctx context.Context) (*state.State, error)
}

// diagnoser explains why an address is not reached; it is implemented by *lab.Lab.
type diagnoser interface {
	Diagnosis(ctx context.Context, c claim.Claim) []string
}

func (m *claimMatcher) Match(actual any) (bool, error) {
	if m.err != nil { // waiting does not help
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

// FailureMessage says what was found instead and, for an address that is not reached, the cause.
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
