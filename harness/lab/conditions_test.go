package lab_test

import (
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestBlocksWithAndWithoutAFeature: a block is played where the trial of its feature says so. One that is not is told,
// in the result of its section, and a section that has no other one is skipped, its checks with it.
func TestBlocksWithAndWithoutAFeature(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T",
		"## A", "```console with=veth", "$ ip netns add a", "```", "```console without=veth", "$ ip netns add b", "```",
		"- [ ] namespace `a` exists", "- [x] namespace `b` does not exist",
		"### Mistake: with", "```console with=veth", "$ ip netns add c", "```", "- [ ] namespace `c` exists",
		"### Mistake: without", "```console without=veth", "$ ip netns add c", "```", "- [ ] namespace `c` exists",
		"## B", "```console without=veth", "$ ip netns del a", "```", "- [ ] namespace `a` does not exist")))
	if err != nil {
		t.Fatal(err)
	}
	p := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{})
	defer p.Close()
	const leftOut = "the block in line 6 is for without=veth"
	if r := p.Mistake(t.Context(), 0, 0); r.Outcome != scenario.Pass || !slices.Equal(r.Excluded, []string{leftOut}) {
		t.Errorf("the mistake with veth: %s, left out %q, %v", r.Outcome, r.Excluded, r.Err())
	}
	if r := p.Step(t.Context(), 0); r.Outcome != scenario.Pass || !slices.Equal(r.Excluded, []string{leftOut}) {
		t.Errorf("the step: %s, left out %q, %v", r.Outcome, r.Excluded, r.Err())
	}
	for _, r := range []scenario.SectionResult{p.Mistake(t.Context(), 0, 1), p.Step(t.Context(), 1)} {
		if r.Outcome != scenario.Skip || !strings.Contains(r.Reason, "is for without=veth") || len(r.Checks) > 0 {
			t.Errorf("%s, of which nothing is for this machine: %s, %q, %v", r.Title, r.Outcome, r.Reason, r.Checks)
		}
	}
}

// TestABlockOfAFeatureThatNobodyKnows: where the feature of a block cannot be told, nothing is passed over in silence.
func TestABlockOfAFeatureThatNobodyKnows(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add a", "```",
		"```console without=no-such-feature", "$ ip netns add b", "```", "- [ ] namespace `a` exists")))
	if err != nil {
		t.Fatal(err)
	}
	outcomes, said := playThrough(t, lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{}), sc)
	if !slices.Equal(outcomes, []string{"error"}) || !strings.Contains(said, "no-such-feature: could not tell") {
		t.Errorf("%q: %s", outcomes, said)
	}
}
