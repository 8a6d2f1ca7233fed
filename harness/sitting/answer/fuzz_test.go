package answer_test

import (
	"net/netip"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/answer"
	"netnscheck/harness/state"
	"netnscheck/harness/term"
)

// FuzzFind: whatever is typed, what is told is short, printable and about an open check; in an exam it is nothing.
func FuzzFind(f *testing.F) {
	for _, line := range []string{
		"ip -n left addr add 10.0.0.1 dev l0", "sudo ip netns exec lft sh -c 'ip link set l0 up; ping 10.0.0.2'",
		"ip link set dev l0", "ip lnk", "ipp link", "ip link set \x1b[31m up", "ip -n `reboot` link",
		"ip link set 'a`b' up",
		"ip netns exec left", "ip left", "ip", "(((", "ip -batch -",
		"ip -n left route add 10.9.0.0/16 via 10.0.0.2 metric 7",
	} {
		for _, status := range []int{0, 1, 2, 127} {
			f.Add(line, status, uint8(3))
		}
	}
	sc := small(f)
	before, after := ends(), ends()
	after.Namespaces[1].Links[0].Addresses = append(after.Namespaces[1].Links[0].Addresses,
		state.Address{Prefix: netip.MustParsePrefix("10.0.0.1/32"), Scope: "global"})
	f.Fuzz(func(t *testing.T, line string, status int, step uint8) {
		facts := answer.Facts{Scenario: sc, Step: int(step) % len(sc.Steps), Before: before, After: after, Whole: after,
			Line: line, Status: status, Asked: step > 127}
		if step%2 == 0 {
			facts.Before = facts.After
		}
		a := answer.Find(facts)
		if a != nil {
			for _, text := range []string{a.Title, a.Text, a.Repair} {
				if !utf8.ValidString(text) || term.Printable(text) != text || len(text) > 4000 {
					t.Errorf("%q is told of %q", text, line)
				}
			}
			if a.Title == "" || term.OneLine(a.Title) != a.Title || term.Width(a.Title) > 300 {
				t.Errorf("the title %q is told of %q", a.Title, line)
			}
			kinds := []string{answer.Mistake, answer.Typo, answer.Silent, answer.Cause, answer.Check}
			if !slices.Contains(kinds, a.Kind) || a.Check < 0 || a.Check >= len(sc.Steps[facts.Step].Checks) {
				t.Errorf("a %q about check %d is told of %q", a.Kind, a.Check, line)
			}
		}
		facts.Exam = true
		if a := answer.Find(facts); a != nil {
			t.Errorf("in an exam %q is told", a.Title)
		}
		holds := make([]scenario.Verdict, len(sc.Steps[facts.Step].Checks))
		for i := range holds {
			holds[i].Outcome = scenario.Pass
		}
		facts.Exam, facts.Verdicts = false, holds
		if a := answer.Find(facts); a != nil {
			t.Errorf("%q is told although all checks hold", a.Title)
		}
	})
}

// small is a scenario whose steps want something that a learner may miss.
func small(t testing.TB) *scenario.Scenario {
	t.Helper()
	const file = "testdata/small.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := scenario.Parse(file, source)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// ends are two namespaces with a cable between them.
func ends() *state.State {
	link := func(name, other, netns string, index int) []state.Link {
		return []state.Link{{Index: index, Name: name, Kind: "veth", MTU: 1500, MAC: "02:00:00:00:00:01",
			Peer: &state.LinkRef{Index: index, Name: other, Netns: netns}}}
	}
	return &state.State{Namespaces: []state.Namespace{
		{Name: state.Host, Inode: 1},
		{Name: "left", Inode: 2, Links: link("l0", "r0", "right", 2)},
		{Name: "right", Inode: 3, Links: link("r0", "l0", "left", 2)},
	}}
}
