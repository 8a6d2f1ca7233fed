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

// patience is how long a spec waits for asynchronous work of the kernel, above all for the end of a namespace.
const patience = 20 * time.Second

// stage is the lab of a spec. Its methods end the spec on a failure, which is reported at the spec's line. Commands are
// run by the netlink driver, which every machine has.
type stage struct {
	*lab.Lab
	base *lab.Baseline // taken by watch
	at   string        // how far the spec has come, for failure messages
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

// lackingEntry is the name under which a spec reports the scenario.Unavailable that it is skipped for.
const lackingEntry = "lacking"

// must ends the spec if there is an error: it skips the spec for something that this machine lacks.
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

// fail ends the spec with a message and how far the spec has come.
func (s *stage) fail(format string, args ...any) {
	ginkgo.GinkgoHelper()
	text := fmt.Sprintf(format, args...)
	if s.at != "" {
		text += "\nat:       " + s.at
	}
	ginkgo.Fail(text)
}

// do runs commands, written as in a scenario.
func (s *stage) do(ctx context.Context, commands ...string) {
	ginkgo.GinkgoHelper()
	if err := s.Do(ctx, lab.Netlink(), commands...); err != nil {
		s.fail("%v", err)
	}
}

// state is the current state.
func (s *stage) state(ctx context.Context) *state.State {
	ginkgo.GinkgoHelper()
	now, err := s.State(ctx)
	must(err)
	return now
}

// watch records events in the namespaces of these claims from now on.
func (s *stage) watch(ctx context.Context, claims ...string) {
	ginkgo.GinkgoHelper()
	base, err := s.Baseline(ctx, parse(claims))
	must(err)
	ginkgo.DeferCleanup(base.Close)
	s.base = base
}

// isTrue waits for claims, written as checks of a scenario, to become true.
func (s *stage) isTrue(ctx context.Context, claims ...string) {
	ginkgo.GinkgoHelper()
	for i, a := range s.Await(ctx, parse(claims), s.base) {
		s.judge(claims[i], scenario.Pass, a.Verdict)
	}
}

// isFalse expects claims to be false now. A spec calls it before the change that makes them true.
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
		s.fail("expected not: %s\nfound:        %s", claim, v.Found)
	}
}

// parse parses claims.
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

// unchanged expects the same state as before, in normal form.
func (s *stage) unchanged(ctx context.Context, before *state.State) {
	ginkgo.GinkgoHelper()
	if changes := state.Diff(before.Normal(), s.state(ctx).Normal()); len(changes) > 0 {
		s.fail("expected: the state as it was before\nfound:    %s", strings.Join(changes, "; "))
	}
}

// changed expects another state than before: the change in between had an effect.
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
