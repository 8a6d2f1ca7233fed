package lab_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// probation is a cable to an address of IPv6 whose duplicate address detection takes more than three seconds.
var probation = []string{
	"ip netns add a", "ip netns add b", "ip link add a0 netns a type veth peer name b0 netns b",
	"ip netns exec b sysctl -qw net.ipv6.conf.b0.dad_transmits=3",
	"ip -n a addr add fd00::1/64 dev a0 nodad", "ip -n b addr add fd00::2/64 dev b0",
	"ip -n a link set a0 up", "ip -n b link set b0 up",
}

// spanning are two namespaces on a bridge whose ports listen and learn for two seconds each.
var spanning = []string{
	"ip netns add a", "ip netns add b", "ip netns add sw",
	"ip -n sw link add br0 type bridge stp_state 1 forward_delay 200",
	"ip link add a0 netns a type veth peer name p1 netns sw", "ip link add b0 netns b type veth peer name p2 netns sw",
	"ip -n sw link set p1 master br0", "ip -n sw link set p2 master br0",
	"ip -n a addr add 10.0.0.1/24 dev a0", "ip -n b addr add 10.0.0.2/24 dev b0",
	"ip -n a link set a0 up", "ip -n b link set b0 up",
	"ip -n sw link set br0 up", "ip -n sw link set p1 up", "ip -n sw link set p2 up",
}

// TestNegativeChecksWaitUntilTheStateHasSettled: a denial that holds only until the kernel is ready is false; it holds
// at once, and is not judged if its limit is too short.
func TestNegativeChecksWaitUntilTheStateHasSettled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for duplicate address detection and for the ports of bridges")
	}
	t.Parallel()
	for _, c := range []struct {
		name           string
		build          []string
		check          string
		found, pending string
	}{
		{"a tentative address", probation, "`a` does not reach `fd00::2`", "reply in",
			"fd00::2 on b0 in b is tentative"},
		{"a neighbour that does not answer yet", probation, "`a` cannot resolve the neighbour `fd00::2`",
			"is reachable",
			"fd00::2 on b0 in b is tentative"},
		{"a local route", probation, "`b` does not have the route `local fd00::2`", "the routes: ",
			"fd00::2 on b0 in b is tentative"},
		{"listening ports", spanning, "`a` does not reach `10.0.0.2`", "reply in",
			"p1 in sw is listening, p2 in sw is listening"},
		{"the carrier of a bridge", spanning, "`br0` in `sw` has no carrier", "it is up with carrier",
			"p1 in sw is listening"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := started(t, c.build...)
			judge := func(check scenario.Check) lab.Awaited {
				check.Claim = claimOf(t, c.check)
				return l.Await(t.Context(), []scenario.Check{check}, nil)[0]
			}
			if a := judge(scenario.Check{AtOnce: true}); a.Outcome != scenario.Pass {
				t.Errorf("at once: %s, found %s %s", a.Outcome, a.Found, a.Reason)
			}
			a := judge(scenario.Check{Within: 50 * time.Millisecond})
			if a.Outcome != scenario.Error || !strings.Contains(a.Reason, "the state has not settled within 50ms: ") ||
				!strings.Contains(a.Reason, c.pending) {
				t.Errorf("within 50ms: %s, found %s %s", a.Outcome, a.Found, a.Reason)
			}
			if a = judge(scenario.Check{}); a.Outcome != scenario.Fail || !strings.Contains(a.Found, c.found) {
				t.Errorf("settled: %s, found %s %s", a.Outcome, a.Found, a.Reason)
			}
		})
	}
}

// TestANegativeCheckIsFalseBeforeItsStep: a denial that holds before the commands only because the state has not
// settled is no reason to call the step vacuous; one that still holds when it has settled is.
func TestANegativeCheckIsFalseBeforeItsStep(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for duplicate address detection")
	}
	t.Parallel()
	build := append([]string{"# T", "## Setup", "```console"}, prompts(probation...)...)
	for dest, says := range map[string]string{"fd00::2": "", "fd00::3": "is true before the commands"} {
		t.Run(dest, func(t *testing.T) {
			t.Parallel()
			sc, err := scenario.Parse("t.md", []byte(lines(append(slices.Clip(build), "```", "## A", "```console",
				"$ ip -n b link set b0 down", "```", "- [ ] `a` does not reach `"+dest+"`")...)))
			if err != nil {
				t.Fatal(err)
			}
			p := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{})
			r := p.Step(t.Context(), 0)
			switch err := r.Err(); {
			case says == "" && r.Outcome != scenario.Pass:
				t.Errorf("%s %s: %v", r.Outcome, r.Reason, err)
			case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
				t.Errorf("%s %s: %v, want … %s …", r.Outcome, r.Reason, err, says)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// prompts are commands as they stand in a console block.
func prompts(commands ...string) (written []string) {
	for _, c := range commands {
		written = append(written, "$ "+c)
	}
	return written
}

// TestARouterAsksAgain: the packets of a probe may wait for a neighbour that the router has asked for in vain before it
// was there. The router asks again a second later, which is too late for the probe.
func TestARouterAsksAgain(t *testing.T) {
	t.Parallel()
	l := started(t, street...)
	claim := claimOf(t, "`a` does not reach `10.0.2.2`")
	judge := func(check scenario.Check) lab.Awaited {
		check.Claim = claim
		return l.Await(t.Context(), []scenario.Check{check}, nil)[0]
	}
	do(t, l, "ip -n b addr del 10.0.2.2/24 dev b0")
	if a := judge(scenario.Check{}); a.Outcome != scenario.Pass {
		t.Fatalf("nobody there: %s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
	do(t, l, "ip -n b addr add 10.0.2.2/24 dev b0", "ip -n b route add default via 10.0.2.1")
	if a := judge(scenario.Check{AtOnce: true}); a.Outcome != scenario.Pass {
		t.Fatalf("the router has asked again already: this test proves nothing: %s", a.Found)
	}
	if a := judge(scenario.Check{}); a.Outcome != scenario.Fail || !strings.Contains(a.Found, "reply in") {
		t.Errorf("somebody there: %s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
}

// TestAnEventToCome: the end of duplicate address detection is an event, too.
func TestAnEventToCome(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it waits for duplicate address detection")
	}
	t.Parallel()
	l := started(t, probation...)
	check := scenario.Check{Claim: claimOf(t, "`b` saw no event")}
	base, err := l.Baseline(t.Context(), []scenario.Check{check})
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if a := l.Await(t.Context(), []scenario.Check{check}, base)[0]; a.Outcome != scenario.Fail ||
		!strings.Contains(a.Found, "addr") {
		t.Errorf("%s, found %s %s", a.Outcome, a.Found, a.Reason)
	}
}

// TestSettledForGood: states that look unsettled and stay: nothing waits for them.
func TestSettledForGood(t *testing.T) {
	t.Parallel()
	byHand := slices.Concat(spanning, []string{
		"ip -n sw link set br0 down", "ip -n sw link set br0 type bridge stp_state 0",
		"ip -n sw link set br0 type bridge forward_delay 0",
		"ip -n sw link set br0 up", "ip -n sw link set p1 type bridge_slave state 1",
	})
	for name, c := range map[string]struct {
		build []string
		check string
	}{
		"an address on a link without carrier": {append(slices.Clone(probation), "ip -n a link set a0 down"),
			"`a` does not reach `fd00::2`"},
		"a port that listens because somebody said so": {byHand, "`a` does not reach `10.0.0.2`"},
		"duplicate address detection, for IPv4": {append(slices.Clone(probation),
			"ip -n a addr add 10.0.0.1/24 dev a0"),
			"`a` does not reach `10.0.0.2`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := started(t, c.build...)
			check := scenario.Check{Claim: claimOf(t, c.check), Within: time.Second}
			if a := l.Await(t.Context(), []scenario.Check{check}, nil)[0]; a.Outcome != scenario.Pass {
				t.Errorf("%s, found %s %s", a.Outcome, a.Found, a.Reason)
			}
		})
	}
}
