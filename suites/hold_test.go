package suites_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	. "netnscheck/suites"
)

// TestHold matches sentences that are true, false and invalid, and reads the failure messages.
func TestHold(t *testing.T) {
	l, err := lab.Start(t.Context(), scenario.Host{}, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run(t, l, "ip netns add testns", "ip link add v0 type veth peer name t0 netns testns",
		"ip addr add 10.0.0.1/24 dev v0",
		"ip -n testns addr add 10.0.0.2/24 dev t0", "ip link set v0 up")
	s, err := l.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		actual   any
		sentence string
		says     []string // parts of the expected failure; nil if the sentence is true
	}{
		{l, "`v0` in `host` is the peer of `t0` in `testns`", nil},
		{s, "`v0` in `host` is the peer of `t0` in `testns`", nil},
		{l, "`host` does not reach `10.0.0.2`", nil},
		{l, "`host` reaches `10.0.0.2`",
			[]string{"expected: `host` reaches `10.0.0.2`", "found:    v0, the outgoing link, has no carrier",
				"cause:    peer-down on t0 in testns: ", "repair:   ip -n testns link set t0 up"}},
		{s, "`t0` in `testns` is up", []string{"expected: `t0` in `testns` is up", "found:    "}},
		{s, "`host` reaches `10.0.0.2`", []string{"judge `host` reaches `10.0.0.2`: "}},
		{l, "`host` reeches `10.0.0.2`", []string{"read the matcher's argument", "reaches"}},
		{l, "`host` saw no event", []string{"host was not watched"}},
		{7, "`host` reaches `10.0.0.2`", []string{"not a int"}},
	} {
		failure := failureOf(func(g gomega.Gomega) { g.Expect(c.actual).To(Hold(c.sentence)) })
		for _, want := range c.says {
			if !strings.Contains(failure, want) {
				t.Errorf("Hold(%s) of a %T fails with\n%s\nwant %s", c.sentence, c.actual, failure, want)
			}
		}
		if c.says == nil && failure != "" {
			t.Errorf("Hold(%s) of a %T fails with\n%s", c.sentence, c.actual, failure)
		}
		if negated := failureOf(func(g gomega.Gomega) {
			g.Expect(c.actual).NotTo(Hold(c.sentence))
		}); c.says == nil && negated == "" {
			t.Errorf("Hold(%s) of a %T: NotTo does not fail, either", c.sentence, c.actual)
		}
	}
	begun := time.Now()
	failureOf(func(g gomega.Gomega) {
		g.Eventually(l).WithTimeout(10 * time.Minute).Should(Hold("`host` reeches `10.0.0.2`"))
	})
	if took := time.Since(begun); took > 5*time.Minute {
		t.Errorf("waited %v for an invalid sentence", took)
	}
}

// TestHoldSince judges what has happened since a baseline.
func TestHoldSince(t *testing.T) {
	l, err := lab.Start(t.Context(), scenario.Host{}, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	claim, err := scenario.ParseClaim("`host` saw no event")
	if err != nil {
		t.Fatal(err)
	}
	before, err := l.Baseline(t.Context(), []scenario.Check{{Claim: claim}})
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	g := gomega.NewWithT(t)
	g.Expect(l).To(Hold("`host` saw no event").Since(before))
	run(t, l, "ip link add v0 type veth peer name v1")
	g.Eventually(l).Should(Hold("`host` saw the event `link add v0`").Since(before))
	g.Expect(l).NotTo(Hold("`host` saw no event").Since(before))
}

// failureOf is Gomega's failure message, "" if nothing fails.
func failureOf(assert func(g gomega.Gomega)) (failure string) {
	assert(gomega.NewGomega(func(message string, _ ...int) { failure = message }))
	return failure
}

func run(t *testing.T, l *lab.Lab, commands ...string) {
	t.Helper()
	if err := l.Do(context.Background(), lab.Netlink(), commands...); err != nil {
		t.Fatal(err)
	}
}
