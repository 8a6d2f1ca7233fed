package lab_test

import (
	"context"
	"errors"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// cable is a veth pair from the host into testns. Its end in the host goes with the namespace.
var cable = []string{
	"ip netns add testns",
	"ip link add h0 type veth peer name t0 netns testns",
	"ip addr add 10.0.0.1/24 dev h0", "ip link set h0 up",
	"ip -n testns addr add 10.0.0.2/24 dev t0", "ip -n testns link set t0 up",
}

// TestWhatKeepsANamespaceAlive: after its name is deleted, a namespace exists until nothing holds it open and no
// process is in it.
func TestWhatKeepsANamespaceAlive(t *testing.T) {
	for name, keep := range map[string]func(t *testing.T, l *lab.Lab) (letGo func() error){
		"Hold": func(t *testing.T, l *lab.Lab) func() error {
			release, err := l.Hold("testns")
			if err != nil {
				t.Fatal(err)
			}
			return func() error { release(); return nil }
		},
		"Spawn": func(t *testing.T, l *lab.Lab) func() error {
			p, err := l.Spawn("testns", "sleep", "4714")
			if err != nil {
				lackingProgram(t, err)
			}
			return p.End
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			l := started(t, cable...)
			letGo := keep(t, l)
			// The kernel removes namespaces in order: once a later one has gone, this one would have gone too.
			do(t, l, "ip netns del testns", "ip netns add other", "ip link add o0 type veth peer name o1 netns other")
			awaitAll(ctx, t, l, "namespace `testns` does not exist", "`host` has the interface `o0`")
			do(t, l, "ip netns del other")
			awaitAll(ctx, t, l, "`host` does not have the interface `o0`", "`host` reaches `10.0.0.2`")
			if err := letGo(); err != nil {
				t.Fatal(err)
			}
			awaitAll(ctx, t, l, "`host` does not have the interface `h0`")
			if err := letGo(); err != nil {
				t.Errorf("let go again: %v", err)
			}
		})
	}
}

func TestHoldAndSpawnWhereNothingIs(t *testing.T) {
	l := started(t)
	if _, err := l.Hold("testns"); err == nil {
		t.Error("held a namespace that does not exist")
	}
	if _, err := l.Spawn("testns", "sleep", "4714"); err == nil {
		t.Error("spawned in a namespace that does not exist")
	}
	var unavailable *scenario.Unavailable
	for _, argv := range [][]string{{"no-such-program"}, {"sh", "-c", "no-such-program | sort"}} {
		if _, err := l.Spawn(scenario.HostName, argv...); !errors.As(err, &unavailable) {
			t.Errorf("spawned %q, of which one does not exist: %v", argv, err)
		}
	}
}

// TestCloseEndsWhatWasSpawned: Close ends spawned programs without an error.
func TestCloseEndsWhatWasSpawned(t *testing.T) {
	l := started(t, cable...)
	for _, ns := range []string{scenario.HostName, "testns"} {
		if _, err := l.Spawn(ns, "sleep", "4714"); err != nil {
			lackingProgram(t, err)
		}
	}
}

func lackingProgram(t *testing.T, err error) {
	t.Helper()
	var unavailable *scenario.Unavailable
	if errors.As(err, &unavailable) {
		lab.Lacking(t, err)
	}
	t.Fatal(err)
}

func awaitAll(ctx context.Context, t *testing.T, l *lab.Lab, claims ...string) {
	t.Helper()
	for _, text := range claims {
		c := scenario.Check{Text: text, Claim: claimOf(t, text), Within: 10 * scenario.DefaultLimit}
		if v := l.Await(ctx, []scenario.Check{c}, nil)[0].Verdict; v.Outcome != scenario.Pass {
			t.Errorf("%s: %s, found %s %s", text, v.Outcome, v.Found, v.Reason)
		}
	}
}
