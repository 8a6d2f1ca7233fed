package lab_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

func TestMain(m *testing.M) { os.Exit(lab.TestMain(m)) }

// TestEveryCheckOfTheTutorialCanFail breaks the lab for real after each step and each mistake of the tutorial, in a way that
// should make one check fail, and looks whether it does.
func TestEveryCheckOfTheTutorialCanFail(t *testing.T) {
	sc, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	for i := range sc.Steps {
		step := &sc.Steps[i]
		for _, c := range step.Checks {
			checks++
			t.Run(fmt.Sprintf("line %d", c.Line), func(t *testing.T) {
				t.Parallel()
				l, base := lab.StartAfterStep(t, sc, i, []scenario.Check{c})
				turnsRed(t, l, c, base, step.Section)
			})
		}
		for j := range step.Mistakes {
			for _, c := range step.Mistakes[j].Checks {
				checks++
				t.Run(fmt.Sprintf("line %d", c.Line), func(t *testing.T) {
					t.Parallel()
					l, base := lab.StartAfterMistake(t, sc, i, j, []scenario.Check{c})
					turnsRed(t, l, c, base, step.Section)
				})
			}
		}
	}
	if checks < 30 {
		t.Errorf("the tutorial has only %d checks", checks)
	}
}

// turnsRed sees the check green, breaks the lab, and has to see it red: false, not merely unjudged.
func turnsRed(t *testing.T, l *lab.Lab, c scenario.Check, base *lab.Baseline, step scenario.Section) {
	ctx := context.Background()
	if a := l.Await(ctx, []scenario.Check{c}, base)[0]; a.Outcome != scenario.Pass {
		t.Fatalf("%s is not true to begin with: found %s %s", c.Text, a.Found, a.Reason)
	}
	for _, way := range ways(c.Claim, step) {
		if err := l.Do(ctx, lab.Netlink(), way...); err != nil {
			t.Logf("not broken by %q: %v", way, err)
			continue
		}
		v := l.Evaluate(ctx, c.Claim, base)
		if v.Outcome == scenario.Fail {
			return
		}
		t.Logf("still %s after %q", v.Outcome, way)
	}
	t.Errorf("nothing makes this check fail: %s", c.Text)
}

// ways are the commands, in groups, any of which should make the claim false.
func ways(claim scenario.Claim, step scenario.Section) [][]string {
	switch c := claim.(type) {
	case scenario.NamespaceExists:
		if c.Not {
			return [][]string{{"ip netns add " + c.Netns}}
		}
		return [][]string{{"ip netns del " + c.Netns}}
	case scenario.HasInterface:
		if c.Not {
			return [][]string{{in(c.Netns, "link add %s type bridge", c.Name)}}
		}
		return [][]string{{in(c.Netns, "link del %s", c.Name)}}
	case scenario.HasOnlyInterfaces:
		return [][]string{{in(c.Netns, "link add extra type bridge")}}
	case scenario.AdminState:
		return [][]string{{in(c.Netns, "link set %s %s", c.Name, word(c.Up, "down", "up"))}}
	case scenario.Carrier:
		if c.Has {
			return [][]string{{in(c.Netns, "link set %s down", c.Name)}}
		}
		return stepItself(step)
	case scenario.LinkKind:
		return [][]string{{in(c.Netns, "link del %s", c.Name), in(c.Netns, "link add %s type bridge", c.Name)}}
	case scenario.PeerOf:
		return [][]string{{in(c.Iface.Netns, "link set %s down", c.Iface.Name), in(c.Iface.Netns, "link set %s name other", c.Iface.Name)}}
	case scenario.HasAddress:
		return [][]string{{in(c.Netns, "addr %s %s dev %s", word(c.Not, "add", "del"), c.Prefix, c.Name)}}
	case scenario.HasNoAddress:
		return [][]string{{in(c.Netns, "addr add 198.51.100.1/24 dev %s", c.Name)}}
	case scenario.HasMTU:
		return [][]string{{in(c.Netns, "link set %s mtu 1400", c.Name)}}
	case scenario.HasRoute:
		if c.Not {
			return append(stepItself(step), []string{in(c.Netns, "route add %s", c.Text)})
		}
		return [][]string{{in(c.Netns, "route del %s", c.Text)}, {in(c.Netns, "route flush table local")}, {in(c.Netns, "rule flush")}}
	case scenario.SendsTo:
		return [][]string{{in(c.Netns, "route add unreachable %s", c.Dest)}}
	case scenario.NoRouteTo:
		return [][]string{{in(c.Netns, "link set lo up"), in(c.Netns, "route add %s dev lo", c.Dest)}}
	case scenario.HasNeighbour:
		return [][]string{{in(c.Netns, "neigh flush all")}}
	case scenario.Reaches:
		if c.Not {
			return append(stepItself(step), []string{in(c.Netns, "link set lo up")})
		}
		return [][]string{{in(c.Netns, "route add prohibit %s", c.Dest)}, {in(c.Netns, "rule add to %s prohibit priority 0", c.Dest)},
			{in(c.Netns, "link set lo down")}}
	case scenario.SysctlIs:
		if c.Not {
			return [][]string{{execIn(c.Netns, "sysctl -w %s=%s", c.Key, c.Value)}}
		}
		return [][]string{{execIn(c.Netns, "sysctl -w %s=%s", c.Key, word(c.Value == "1", "0", "1"))}}
	case scenario.NearestName:
		return [][]string{{in(c.Netns, "link set %s down", c.Name), in(c.Netns, "link set %s name zzzzzzzz", c.Name)}, {in(c.Netns, "link del %s", c.Name)}}
	}
	return nil
}

// stepItself are the step's own commands, which lead out of a mistake.
func stepItself(step scenario.Section) [][]string {
	var lines []string
	for _, b := range step.Blocks {
		for _, cmd := range b.Commands {
			if !cmd.Status.Any && cmd.Status.Code == 0 && len(b.Drivers) == 0 {
				lines = append(lines, cmd.Text)
			}
		}
	}
	return [][]string{lines}
}

func in(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == scenario.HostName {
		return "ip " + cmd
	}
	return "ip -n " + netns + " " + cmd
}

func execIn(netns, format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if netns == scenario.HostName {
		return cmd
	}
	return "ip netns exec " + netns + " " + cmd
}

func word(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}
