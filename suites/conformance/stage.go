package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// patience is how long a spec waits for what the kernel does in its own time: the end of a namespace above all.
const patience = 20 * time.Second

// stage is the lab of a spec. What goes wrong with it ends the spec, with the line of the spec. Commands go by the
// netlink driver, which every machine has.
type stage struct {
	*lab.Lab
	base *lab.Baseline // of what was noted with watch
	at   string        // where the spec is, for its failures
}

// newStage starts a lab that ends with the spec.
func newStage(ctx context.Context, o Options) *stage {
	ginkgo.GinkgoHelper()
	l, err := lab.Start(ctx, scenario.Host{}, o.World)
	must(err)
	ginkgo.DeferCleanup(func(ctx context.Context) error {
		if o.OnKept != nil && ginkgo.CurrentSpecReport().Failed() {
			o.OnKept(ctx, []int{l.Thread()})
		}
		return l.Close()
	})
	return &stage{Lab: l}
}

// lackingEntry is the name under which a spec that is skipped reports the scenario.Unavailable for which it is.
const lackingEntry = "lacking"

// must ends the spec if there is an error: it skips for what this machine lacks.
func must(err error) {
	ginkgo.GinkgoHelper()
	var unavailable *scenario.Unavailable
	switch {
	case errors.As(err, &unavailable):
		ginkgo.AddReportEntry(lackingEntry, *unavailable, ginkgo.ReportEntryVisibilityNever)
		ginkgo.Skip(unavailable.Reason)
	case err != nil:
		ginkgo.Fail(err.Error())
	}
}

// fail ends the spec with what was expected, what was found, and where the spec was.
func (s *stage) fail(format string, args ...any) {
	ginkgo.GinkgoHelper()
	text := fmt.Sprintf(format, args...)
	if s.at != "" {
		text += "\nat:       " + s.at
	}
	ginkgo.Fail(text)
}

// do carries out commands, in the words of a scenario.
func (s *stage) do(ctx context.Context, commands ...string) {
	ginkgo.GinkgoHelper()
	if err := s.Do(ctx, lab.Netlink(), commands...); err != nil {
		s.fail("%v", err)
	}
}

// state is what is there now.
func (s *stage) state(ctx context.Context) *state.State {
	ginkgo.GinkgoHelper()
	now, err := s.State(ctx)
	must(err)
	return now
}

// watch looks at what happens in the namespaces of these claims from now on.
func (s *stage) watch(ctx context.Context, claims ...string) {
	ginkgo.GinkgoHelper()
	base, err := s.Baseline(ctx, parse(claims))
	must(err)
	ginkgo.DeferCleanup(base.Close)
	s.base = base
}

// isTrue waits for claims, in the words of a scenario's checks, to become true.
func (s *stage) isTrue(ctx context.Context, claims ...string) {
	ginkgo.GinkgoHelper()
	for i, a := range s.Await(ctx, parse(claims), s.base) {
		s.judge(claims[i], scenario.Pass, a.Verdict)
	}
}

// isFalse wants claims to be false now. A spec looks so before it does what makes them true.
func (s *stage) isFalse(ctx context.Context, claims ...string) {
	ginkgo.GinkgoHelper()
	for i, v := range s.EvaluateAll(ctx, parse(claims), s.base) {
		s.judge(claims[i], scenario.Fail, v)
	}
}

func (s *stage) judge(claim string, want scenario.Outcome, v scenario.Verdict) {
	ginkgo.GinkgoHelper()
	switch {
	case v.Outcome == want:
	case v.Reason != "":
		s.fail("could not judge: %s: %s", claim, v.Reason)
	case want == scenario.Pass:
		s.fail("expected: %s\nfound:    %s", claim, v.Found)
	default:
		s.fail("expected: not yet, or not here: %s\nfound:    %s", claim, v.Found)
	}
}

// parse reads claims.
func parse(claims []string) []scenario.Check {
	ginkgo.GinkgoHelper()
	all := make([]scenario.Check, len(claims))
	for i, text := range claims {
		c, err := scenario.ParseClaim(text)
		must(err)
		all[i] = scenario.Check{Text: text, Claim: c, Within: patience}
	}
	return all
}

// unchanged wants the state to be, in normal form, what it was before.
func (s *stage) unchanged(ctx context.Context, before *state.State) {
	ginkgo.GinkgoHelper()
	if changes := state.Diff(before.Normal(), s.state(ctx).Normal()); len(changes) > 0 {
		s.fail("expected: the state as it was before\nfound:    %s", strings.Join(changes, "; "))
	}
}

// changed wants the state to be another than before: what was done in between did something.
func (s *stage) changed(ctx context.Context, before *state.State) {
	ginkgo.GinkgoHelper()
	if len(state.Diff(before.Normal(), s.state(ctx).Normal())) == 0 {
		s.fail("expected: another state than before\nfound:    no difference")
	}
}

// namespace finds a namespace in a state.
func namespace(s *state.State, name string) *state.Namespace {
	ginkgo.GinkgoHelper()
	n := s.Namespace(name)
	if n == nil {
		names := make([]string, len(s.Namespaces))
		for i := range s.Namespaces {
			names[i] = s.Namespaces[i].Name
		}
		slices.Sort(names)
		ginkgo.Fail(fmt.Sprintf("find the namespace %s: there are %q", name, names))
	}
	return n
}

// link finds a link in a state.
func link(s *state.State, ns, name string) *state.Link {
	ginkgo.GinkgoHelper()
	l := namespace(s, ns).Link(name)
	if l == nil {
		ginkgo.Fail(fmt.Sprintf("find the link %s in %s: it is not there", name, ns))
	}
	return l
}
