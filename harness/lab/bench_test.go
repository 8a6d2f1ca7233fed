package lab_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/claim"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// tutorial are the commands of the veth tutorial, with one ping each way. The benchmarks compare ways to run them.
var tutorial = []string{
	"ip netns add testns",
	"ip netns add prodns",
	"ip link add vnix-prodns type veth peer name vnic-testns",
	"ip link set vnix-prodns netns prodns",
	"ip link set vnic-testns netns testns",
	"ip -n prodns addr add 192.168.2.102/24 dev vnix-prodns",
	"ip -n testns addr add 192.168.2.103/24 dev vnic-testns",
	"ip -n prodns link set vnix-prodns up",
	"ip -n testns link set vnic-testns up",
	"ip netns exec prodns ping -c1 192.168.2.103",
	"ip netns exec testns ping -c1 192.168.2.102",
}

// teardown is the end of the script; a lab is closed instead.
var teardown = []string{"ip netns del testns", "ip netns del prodns"}

// BenchmarkTutorial compares the tutorial run by the netlink driver, from build to teardown, with a shell script of the
// same commands.
func BenchmarkTutorial(b *testing.B) {
	sideBySide(b, func(ctx context.Context) error {
		return inLab(ctx, lab.Options{}, func(l *lab.Lab) error { return l.Do(ctx, lab.Netlink(), tutorial...) })
	})
}

// BenchmarkDirect builds the tutorial's end state with the links created in their final namespaces, and pings both
// ways.
func BenchmarkDirect(b *testing.B) {
	direct := typedTutorial(b)
	claims := []claim.Claim{claimOf(b, "`prodns` reaches `192.168.2.103`"),
		claimOf(b, "`testns` reaches `192.168.2.102`")}
	sideBySide(b, func(ctx context.Context) error {
		return inLab(ctx, lab.Options{Ahead: lab.Namespaces(direct)}, func(l *lab.Lab) error {
			if err := l.Build(ctx, direct); err != nil {
				return err
			}
			return holds(ctx, l, claims...)
		})
	})
}

// BenchmarkCycles runs 1,000 direct cycles whatever b.N is and reports the slowest and how many stalled for 500 ms.
func BenchmarkCycles(b *testing.B) {
	const cycles, stall = 1000, 500 * time.Millisecond
	direct := typedTutorial(b)
	reach := claimOf(b, "`prodns` reaches `192.168.2.103`")
	for range b.N {
		var took []time.Duration
		stalled := 0
		for range cycles {
			start := time.Now()
			err := inLab(b.Context(), lab.Options{Ahead: lab.Namespaces(direct)}, func(l *lab.Lab) error {
				if err := l.Build(b.Context(), direct); err != nil {
					return err
				}
				return holds(b.Context(), l, reach)
			})
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
			if took[len(took)-1] >= stall {
				stalled++
			}
		}
		b.ReportMetric(ms(slices.Max(took)), "slowest-ms")
		b.ReportMetric(ms(percentile(took, 50)), "median-ms")
		b.ReportMetric(float64(stalled), "stalls")
	}
}

// sideBySide alternates between the shell script and the way under test and reports the ratio of their 10th
// percentiles, which other load affects least.
func sideBySide(b *testing.B, way func(context.Context) error) {
	for _, name := range []string{"ip", "ping"} {
		if _, err := program.LookPath(name); err != nil {
			b.Skipf("the script needs %s", name)
		}
	}
	w, err := netns.New(netns.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	script := strings.Join(append(slices.Clone(tutorial), teardown...), "\n")
	var theirs, ours []time.Duration
	for range b.N {
		theirs = append(theirs, timed(b, func() error { return runScript(w, script) }))
		ours = append(ours, timed(b, func() error { return way(b.Context()) }))
	}
	b.ReportMetric(ms(percentile(theirs, 10)), "script-ms")
	b.ReportMetric(ms(percentile(ours, 10)), "lab-ms")
	b.ReportMetric(float64(percentile(theirs, 10))/float64(percentile(ours, 10)), "times-as-fast")
}

// runScript runs the script in the namespaces of w. Creating the world is not timed.
func runScript(w *netns.World, script string) error {
	running, err := w.Start(netns.Program{
		Path: "/bin/sh", Args: []string{"sh", "-ec", script},
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	})
	if err != nil {
		return err
	}
	if status, err := running.Wait(); err != nil || status != 0 {
		return fmt.Errorf("the script ended with status %d: %w", status, err)
	}
	return nil
}

func inLab(ctx context.Context, o lab.Options, f func(*lab.Lab) error) error {
	l, err := lab.Start(ctx, scenario.Host{}, o)
	if err != nil {
		return err
	}
	return errors.Join(f(l), l.Close())
}

// holds returns an error for the first of the claims that is not true.
func holds(ctx context.Context, l *lab.Lab, claims ...claim.Claim) error {
	for _, c := range claims {
		if v := l.Evaluate(ctx, c, nil); v.Outcome != scenario.Pass {
			return fmt.Errorf("%s: found %s %s", c.Sentence(), v.Found, v.Reason)
		}
	}
	return nil
}

func typedTutorial(b *testing.B) []operation.Command {
	var typed []operation.Command
	for _, line := range tutorial {
		c, err := operation.Parse(strings.Fields(line))
		if err != nil {
			b.Fatal(err)
		}
		typed = append(typed, c)
	}
	return operation.Direct(typed)
}

func claimOf(b testing.TB, text string) claim.Claim {
	b.Helper()
	c, err := scenario.ParseClaim(text)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func timed(b *testing.B, f func() error) time.Duration {
	start := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func percentile(d []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)-1)*p/100]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
