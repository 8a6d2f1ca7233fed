package lab_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// BenchmarkLive measures how long it takes from the effect of a command to the verdicts of a step's checks: those that
// the state tells (state), and all of them (all), also those that need packets. First as at a prompt, which is held
// back until the checks are judged, then as the kernel tells of changes, which are joined for some milliseconds (told).
func BenchmarkLive(b *testing.B) {
	pair := []string{"ip netns add testns", "ip netns add prodns",
		"ip link add vnix-prodns netns prodns type veth peer name vnic-testns netns testns",
		"ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns",
		"ip -n testns addr add 192.168.2.103/24 dev vnic-testns",
		"ip -n prodns link set vnix-prodns up", "ip -n testns link set vnic-testns up"}
	for _, c := range []struct {
		name            string
		lines, checks   []string
		effect, undoing string
	}{
		{"veth-pair", pair, []string{"namespace `testns` exists", "namespace `prodns` exists",
			"`vnix-prodns` in `prodns` is the peer of `vnic-testns` in `testns`",
			"`vnix-prodns` in `prodns` is up", "`vnic-testns` in `testns` is up",
			"`vnix-prodns` in `prodns` has the address `192.168.2.102/24`",
			"`vnic-testns` in `testns` has the address `192.168.2.103/24`",
			"`prodns` has the route `192.168.2.0/24 dev vnix-prodns`",
			"`prodns` reaches `192.168.2.103`", "`testns` reaches `192.168.2.102`"},
			"ip -n testns addr add 192.168.2.103/24 dev vnic-testns",
			"ip -n testns addr del 192.168.2.103/24 dev vnic-testns"},
		{"30 namespaces", append(star(30), "ip -n n7 addr add 10.77.0.1/24 dev eth0"),
			[]string{"`eth0` in `n7` has the address `10.77.0.1/24`", "`p7` in `hub` is a port of `br0`",
				"`eth0` in `n29` is up", "`n29` has the route `10.9.0.0/16 dev eth0`",
				"`n29` reaches `" + starAddress(0) + "`", "`n7` has the route `10.77.0.0/24 dev eth0`"},
			"ip -n n7 addr add 10.77.0.1/24 dev eth0", "ip -n n7 addr del 10.77.0.1/24 dev eth0"},
	} {
		b.Run(c.name, func(b *testing.B) {
			err := inLab(b.Context(), lab.Options{}, func(l *lab.Lab) error {
				if err := l.Do(b.Context(), lab.Netlink(), c.lines...); err != nil {
					return err
				}
				m := &measured{b: b, lab: l}
				return m.all(b.Context(), c.checks, c.effect, c.undoing)
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// measured is a lab whose checks are timed.
type measured struct {
	b    *testing.B
	lab  *lab.Lab
	live *lab.Live
	took map[string][]time.Duration
}

func (m *measured) all(ctx context.Context, sentences []string, effect, undoing string) (err error) {
	if m.live, err = m.lab.Live(ctx); err != nil {
		return err
	}
	var checks []scenario.Check
	for _, s := range sentences {
		checks = append(checks, scenario.Check{Text: s, Claim: claimOf(m.b, s)})
	}
	if err := m.live.Begin(ctx, checks); err != nil {
		return err
	}
	m.took = map[string][]time.Duration{}
	for m.b.Loop() {
		for _, way := range []string{"prompt", "told"} {
			for _, line := range []string{undoing, effect} {
				if err := m.one(ctx, way, line, line == effect); err != nil {
					return err
				}
			}
		}
	}
	for what, took := range m.took {
		m.b.ReportMetric(ms(percentile(took, 50)), what+"-p50-ms")
		m.b.ReportMetric(ms(percentile(took, 95)), what+"-p95-ms")
	}
	return nil
}

// one runs a command and judges the checks, which all have to hold in the end if green is set.
func (m *measured) one(ctx context.Context, way, line string, green bool) error {
	m.live.Take() // what the probes before it have left
	if err := m.lab.Do(ctx, lab.Netlink(), line); err != nil {
		return err
	}
	began := time.Now()
	change := lab.Change{Command: way == "prompt"}
	if change.Command {
		change.Heard = m.live.Take()
	} else {
		change.Heard = <-m.live.Changes()
	}
	verdicts, _, err := m.live.Judge(ctx, change, func([]scenario.Verdict, *state.State) {
		m.took[way+"-state"] = append(m.took[way+"-state"], time.Since(began))
	})
	if err != nil {
		return err
	}
	m.took[way+"-all"] = append(m.took[way+"-all"], time.Since(began))
	holds := !slices.ContainsFunc(verdicts, func(v scenario.Verdict) bool { return v.Outcome != scenario.Pass })
	if holds != green {
		return fmt.Errorf("after %s: %v", line, verdicts)
	}
	return nil
}
