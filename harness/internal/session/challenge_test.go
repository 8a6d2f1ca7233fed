package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// TestChallenges solves each challenge as its hidden solution does, and in other ways.
func TestChallenges(t *testing.T) {
	for _, sc := range typedScenarios(t, scenario.Challenge) {
		for _, way := range []struct {
			name string
			lead func([]scenario.Command) []scenario.Command
		}{
			{"as its solution", func(all []scenario.Command) []scenario.Command { return all }},
			{"in another order", inAnotherOrder},
			{"inside the namespaces", insideNamespaces},
			{"by ip -batch", byBatch},
		} {
			t.Run(sc.ID+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				p := sitsDown(t, sc, 0, paces[0].pace)
				for i := range sc.Steps {
					for _, cmd := range way.lead(p.commands(sc.Steps[i].Blocks)) {
						if x := p.typesOne(cmd); x.Status != 0 && !cmd.Status.Refusal() {
							t.Fatalf("%s:%d: %s: exit status %d\n%s", sc.File, cmd.Line, cmd.Text, x.Status, x.Output)
						}
					}
					p.done(i)
				}
			})
		}
	}
}

// TestHalfSolvedChallenges leaves out one command of a challenge's solution after the other: the step is not done
// before what is missing is made up for.
func TestHalfSolvedChallenges(t *testing.T) {
	for _, sc := range typedScenarios(t, scenario.Challenge) {
		here, err := kernel.Machine(t.Context(), sc.Conditional()...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sc.Steps {
			var all []scenario.Command
			for _, b := range sc.Steps[i].Blocks {
				if b.For("iproute2", here) {
					all = append(all, b.Commands...)
				}
			}
			for k, without := range all {
				if looks(without) || slices.Contains(tidies, without.Text) {
					continue
				}
				t.Run(fmt.Sprintf("%s:%d", sc.ID, without.Line), func(t *testing.T) {
					t.Parallel()
					p := sitsDown(t, sc, i, paces[0].pace)
					for _, cmd := range slices.Delete(slices.Clone(all), k, k+1) {
						p.typesOne(cmd)
					}
					p.open(i, "without "+without.Text)
					for _, cmd := range all { // those that ran already may be refused
						p.typesOne(cmd)
					}
					p.done(i)
				})
			}
		}
	}
}

// tidies are commands of solutions that could be left out.
var tidies = []string{
	"ip netns exec db nft flush chain inet guard input", // its rule refuses guest, which is still to be so
}

// looks reports whether a command changes nothing.
func looks(cmd scenario.Command) bool {
	c, err := operation.Parse(cmd.Argv)
	if err != nil {
		return false
	}
	run, program := c.Op.(operation.Run)
	return !operation.Mutates(c) && (!program || run.Argv[0] == "getent")
}

// open checks that step i is not done, however one asks.
func (p *typist) open(i int, how string) {
	p.Helper()
	p.unread.Wait()
	p.settled()
	if _, err := p.desk.check(p.Context()); err != nil {
		p.Fatal(err)
	}
	p.desk.mu.Lock()
	defer p.desk.mu.Unlock()
	if p.desk.sitting.Step() > i || p.desk.sitting.Done() {
		p.Errorf("line %d: it is done %s", p.sc.Steps[i].Line, how)
	}
}

// inAnotherOrder does first what concerns no namespace, or several, and then the namespaces one by one, the last first.
// What one namespace gives to another has to be there before the other can go on.
func inAnotherOrder(all []scenario.Command) []scenario.Command {
	sorted := slices.Clone(all)
	for _, cmd := range all {
		if netns, left := operation.Enter(cmd.Argv); netns != "" && slices.Contains(left, "netns") {
			return sorted
		}
	}
	slices.SortStableFunc(sorted, func(a, b scenario.Command) int {
		one, _ := operation.Enter(a.Argv)
		other, _ := operation.Enter(b.Argv)
		if (one == "") != (other == "") {
			return strings.Compare(one, other)
		}
		return strings.Compare(other, one)
	})
	return sorted
}

// insideNamespaces says `ip netns exec NAME ip …` in the place of `ip -n NAME …`.
func insideNamespaces(all []scenario.Command) []scenario.Command {
	return each(all, func(argv []string) []string {
		if len(argv) > 2 && argv[1] == "-n" {
			return append([]string{"ip", "netns", "exec", argv[2], argv[0]}, argv[3:]...)
		}
		return argv
	})
}

// byBatch gives the commands of ip to `ip -batch`, which reads them from its input.
func byBatch(all []scenario.Command) []scenario.Command {
	return each(all, func(argv []string) []string {
		if argv[0] != "ip" || len(argv) > 2 && argv[1] == "netns" && argv[2] == "exec" {
			return argv
		}
		batch := "ip -batch -"
		if argv = argv[1:]; argv[0] == "-n" {
			batch, argv = "ip -n "+argv[1]+" -batch -", argv[2:]
		}
		return []string{"sh", "-c", "echo " + strings.Join(argv, " ") + " | " + batch}
	})
}

func each(all []scenario.Command, way func([]string) []string) []scenario.Command {
	other := slices.Clone(all)
	for i := range other {
		if other[i].Argv = way(all[i].Argv); slices.Equal(other[i].Argv, all[i].Argv) {
			continue
		}
		other[i].Text = strings.Join(other[i].Argv, " ")
	}
	return other
}
