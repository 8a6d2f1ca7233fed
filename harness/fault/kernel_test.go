package fault_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/diagnose/causes"
	"netnscheck/harness/fault"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
	"netnscheck/scenarios"
)

var every = flag.String("every", "veth-pair", "put every fault into these lessons: ids with commas, or all")

// TestMain runs the tests in a sandbox, which cannot write golden files.
func TestMain(m *testing.M) {
	flag.Parse()
	labtest.MostlyWaiting()
	if *update {
		os.Exit(m.Run())
	}
	os.Exit(lab.TestMain(m))
}

// lessons are those with these ids.
func lessons(t testing.TB, ids string) (found []*scenario.Scenario) {
	t.Helper()
	all, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.Kind == scenario.Lesson && (ids == "all" || slices.Contains(strings.Split(ids, ","), sc.ID)) {
			found = append(found, sc)
		}
	}
	return found
}

// ofLessons are the programs that the lessons of these tests need, and their faults.
var ofLessons = []string{"ip", "bridge", "nft", "busybox", "getent", "nsenter"}

// TestEveryFault puts each fault into the finished lab of a lesson, one after the other. The kernel has to do what the
// bench did: the states are the same in normal form. Then something is broken, and mended by the operations that lead
// back to the very state that there was.
func TestEveryFault(t *testing.T) {
	labtest.Needs(t, ofLessons...)
	for _, sc := range lessons(t, *every) {
		t.Run(sc.ID, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c, err := lab.Finish(ctx, sc, lab.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Lab.Close()
			possible := fault.Possible(c.Finished, c.Goals)
			t.Logf("%d goals, %d faults", len(c.Goals), len(possible))
			for _, f := range possible {
				if err := tryOut(ctx, c, f); err != nil {
					t.Errorf("%s (%s): %v\n%s", f.Title, f.Name, err, written(f))
					if err := c.Lab.Build(ctx, f.Mend); err != nil {
						t.Fatal("cannot go on: ", err)
					}
				}
			}
		})
	}
}

// tryOut puts a fault in and mends it.
func tryOut(ctx context.Context, c *lab.Challenge, f fault.Fault) error {
	if err := c.PutIn(ctx, f); err != nil {
		return err
	}
	s, err := c.Lab.Whole(ctx)
	if err != nil {
		return err
	}
	if changes := differences(fault.Carried(c.Finished, f), s); len(changes) > 0 {
		return fmt.Errorf("the kernel does not do what was expected:\n  %s", strings.Join(changes, "\n  "))
	}
	if !seen(ctx, c) {
		return fmt.Errorf("it breaks nothing")
	}
	if name := diagnosed(s, c); !slices.Contains(f.Names, name) {
		return fmt.Errorf("the diagnosis says %s, not one of %v", name, f.Names)
	}
	if err := c.Lab.Build(ctx, f.Mend); err != nil {
		return err
	}
	if s, err = c.Lab.Whole(ctx); err != nil {
		return err
	}
	if changes := differences(c.Finished, s); len(changes) > 0 {
		return fmt.Errorf("mended, it is not what it was:\n  %s", strings.Join(changes, "\n  "))
	}
	if open := unmet(ctx, c); len(open) > 0 {
		return fmt.Errorf("mended, it still is not true that\n  %s", strings.Join(open, "\n  "))
	}
	return nil
}

// differences are those of two states in normal form and of their packet filters, without handles.
func differences(want, got *state.State) []string {
	changes := state.Compare(want.Normal(), fault.ChosenMACs(got, want).Normal(), "expected", "found")
	tables := func(s *state.State) (all []string) {
		for _, n := range s.Namespaces {
			for _, t := range n.Filters {
				for _, c := range t.Chains {
					all = append(all, strings.Join([]string{n.Name, t.Family, t.Name, c.Name, c.Hook, c.Policy}, " "))
					for _, r := range c.Rules {
						all = append(all, r.Text)
					}
				}
			}
		}
		return all
	}
	if a, b := tables(want), tables(got); !slices.Equal(a, b) {
		changes = append(changes, fmt.Sprintf("packet filters %v expected, %v found", a, b))
	}
	return changes
}

// seen reports whether some goal is not true, which need not wait for all of them. What asks the network comes last.
func seen(ctx context.Context, c *lab.Challenge) bool {
	goals := slices.Clone(c.Goals)
	slices.SortStableFunc(goals, func(a, b scenario.Check) int {
		return int(a.Claim.Needs().Class) - int(b.Claim.Needs().Class)
	})
	return slices.ContainsFunc(goals, func(g scenario.Check) bool {
		return c.Lab.Evaluate(ctx, g.Claim, nil).Outcome == scenario.Fail
	})
}

func holds(ctx context.Context, c *lab.Challenge, g scenario.Check) bool {
	return c.Lab.Evaluate(ctx, g.Claim, nil).Outcome == scenario.Pass
}

// flows reports whether all goals hold of which the diagnosis says that something stops their packets.
func flows(ctx context.Context, c *lab.Challenge) (bool, error) {
	s, err := c.Lab.Whole(ctx)
	if err != nil {
		return false, err
	}
	for _, g := range c.Goals {
		if q, ok := fault.QueryOf(g.Claim); ok && diagnose.Diagnose(s, q).Cause != nil && !holds(ctx, c, g) {
			return false, nil
		}
	}
	return true, nil
}

// forget makes all links forget their neighbours, as those of a challenge that begins.
func forget(ctx context.Context, c *lab.Challenge) error {
	var flushes []operation.Command
	for _, n := range c.Finished.Namespaces {
		netns := n.Name
		if netns == state.Host {
			netns = ""
		}
		for _, l := range n.Links {
			if l.Up && l.Kind != "loopback" {
				flushes = append(flushes, operation.Command{Netns: netns, Op: operation.NeighbourFlush{Dev: l.Name}})
			}
		}
	}
	return c.Lab.Build(ctx, flushes)
}

// broken is the first question whose answer a fault changes.
func broken(c *lab.Challenge, f fault.Fault) (diagnose.Query, bool) {
	s := fault.Carried(c.Finished, f)
	for _, g := range c.Goals {
		if q, ok := fault.QueryOf(g.Claim); ok && diagnose.Diagnose(s, q).Cause != nil {
			return q, true
		}
	}
	return diagnose.Query{}, false
}

// unmet are the goals that are not true in the end.
func unmet(ctx context.Context, c *lab.Challenge) []string { return unmetOf(ctx, c, c.Goals) }

// unmetOf are those of some goals that are not true in the end.
func unmetOf(ctx context.Context, c *lab.Challenge, goals []scenario.Check) (open []string) {
	for i, a := range c.Lab.Await(ctx, goals, nil) {
		if a.Outcome != scenario.Pass {
			open = append(open, goals[i].Text+": "+a.Found+a.Reason)
		}
	}
	return open
}

// diagnosed is the first cause that the diagnosis names for a goal; 0 for none.
func diagnosed(s *state.State, c *lab.Challenge) causes.Cause {
	for _, g := range c.Goals {
		if asks, ok := g.Claim.(interface{ Unreached() (diagnose.Query, bool) }); ok {
			if q, ok := asks.Unreached(); ok {
				if cause := diagnose.Diagnose(s, q).Cause; cause != nil {
					return cause.Name
				}
			}
		}
	}
	return 0
}

func written(f fault.Fault) string {
	var lines []string
	for _, c := range f.Break {
		lines = append(lines, "    break: "+line(c))
	}
	for _, c := range f.Mend {
		lines = append(lines, "    mend:  "+line(c))
	}
	return strings.Join(lines, "\n")
}

func line(c operation.Command) string { return strings.Join(c.Argv(), " ") }

// TestPingAloneIsNotEnough: with both ends of the cable in one namespace, and with both addresses in one, pings get
// their answers. The network is not what it was, and that is seen.
func TestPingAloneIsNotEnough(t *testing.T) {
	for name, commands := range map[string][]string{
		"both ends in one namespace": {
			"ip -n testns link set vnic-testns netns prodns", "ip -n prodns addr add 192.168.2.103/24 dev vnic-testns",
			"ip -n prodns link set vnic-testns up", "ip -n prodns link set lo up",
		},
		"one address on both ends": {
			"ip -n prodns addr add 192.168.2.103/24 dev vnix-prodns",
			"ip -n testns addr add 192.168.2.102/24 dev vnic-testns",
			"ip -n prodns link set lo up", "ip -n testns link set lo up",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c, err := lab.Finish(ctx, lessons(t, "veth-pair")[0], lab.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Lab.Close()
			if err := c.Lab.Do(ctx, lab.Netlink(), commands...); err != nil {
				t.Fatal(err)
			}
			ping, err := scenario.ParseClaim("`prodns` reaches `192.168.2.103`")
			if err != nil {
				t.Fatal(err)
			}
			if v := c.Lab.Evaluate(ctx, ping, nil); v.Outcome != scenario.Pass {
				t.Fatalf("a ping gets no answer: %s", v.Found)
			}
			open := strings.Join(unmet(ctx, c), "\n")
			if want := "nothing is wrong from `prodns` to `192.168.2.103`"; !strings.Contains(open, want) {
				t.Errorf("it passes that %s; open are only\n%s", want, open)
			}
			if strings.Contains(open, "same-namespace") || strings.Contains(open, "duplicate-address") {
				t.Errorf("a check tells the cause:\n%s", open)
			}
		})
	}
}

// TestSolution: the hidden commands of the page solve the challenge.
func TestSolution(t *testing.T) {
	labtest.Needs(t, ofLessons...)
	for i, sc := range lessons(t, "bridge,container-network,ipv6,router") {
		t.Run(sc.ID, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c, err := lab.StartChallenge(ctx, sc, fault.Options{Faults: 3, Seed: fmt.Sprint(i)}, lab.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Lab.Close()
			if !seen(ctx, c) {
				t.Fatal("nothing is broken")
			}
			if _, err := c.Lab.Perform(ctx, c.Page, 0); err != nil {
				t.Fatal(err)
			}
			if open := unmet(ctx, c); len(open) > 0 {
				t.Errorf("it is not true that\n  %s\n%s", strings.Join(open, "\n  "), c.Page.Source)
			}
		})
	}
}

// TestCannotStart: a challenge that cannot be made says why, and leaves no lab.
func TestCannotStart(t *testing.T) {
	labtest.Needs(t, ofLessons...)
	for _, c := range []struct {
		lesson  string
		options fault.Options
		want    string
	}{
		{"names", fault.Options{}, "make a challenge of names: put in a fault: no check that holds at the end"},
		{"what-a-namespace-contains", fault.Options{Faults: 3}, "only 2 of those of this network go together"},
		{"veth-pair", fault.Options{Level: 9}, "the levels are 1 to 3"},
	} {
		_, err := lab.StartChallenge(t.Context(), lessons(t, c.lesson)[0], c.options, lab.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.lesson, err, c.want)
		}
	}
}
