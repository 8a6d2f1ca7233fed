package proof_test

import (
	"testing"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/scenario"
	"netnscheck/scenarios"
)

// TestTutorialByHand types the whole tutorial, each mistake where its step begins, and asks after each what is wrong.
func TestTutorialByHand(t *testing.T) {
	asEach(t, func(t *testing.T, uid int) {
		sc, err := scenarios.ByID("veth-pair")
		if err != nil {
			t.Fatal(err)
		}
		r := compared(t, "tutorial")
		p := sits(t, uid, home(t, uid), "lab", "start", sc.ID)
		p.prompts(r, "harness lab start veth-pair")
		for i := range sc.Steps {
			step := &sc.Steps[i]
			for _, m := range step.Mistakes {
				p.follows(r, m.Blocks)
				p.says(r, "lab why")
				p.follows(r, m.Fix)
				p.says(r, "lab reset --step --yes")
			}
			for _, command := range asked[i] {
				p.says(r, command)
			}
			p.follows(r, step.Blocks)
		}
		p.says(r, "lab")
		p.says(r, "lab next")
		p.types("exit\n")
		p.ends(r, "exit", 0)
		r.end()
	})
}

// asked is what the learner asks the lab before he does a step, by its index.
var asked = map[int][]string{
	0: {"lab hint", "lab hint", "lab hint", "lab why", "lab next"},
	1: {"lab", "lab check"},
	3: {"lab next"},
	4: {"sudo ip netns", "lab map"},
	5: {"lab"},
}

// follows types the commands of blocks, as they are for iproute2.
func (p *person) follows(r *record, blocks []scenario.Block) {
	p.Helper()
	here, err := kernel.Machine(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, b := range blocks {
		if !b.For("iproute2", here) {
			continue
		}
		for _, c := range b.Commands {
			p.says(r, c.Text)
		}
	}
}
