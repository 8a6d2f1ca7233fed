package lab_test

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestMissingPrograms: a section is skipped for all programs that it lacks, and what needs it for those and its own.
func TestMissingPrograms(t *testing.T) {
	text := lines("# T", "## Setup", "```console", "$ ip netns add testns", "```",
		"## A", "```console", "$ ip netns add a", "```", "- [ ] namespace `a` exists",
		"### Mistake: m", "```console", "$ sh -c 'nor-this | sort'", "```", "- [x] namespace `a` exists", "```console fix", "$ or-that", "```",
		"## B", "```console", "$ ip netns add b", "$ ip netns exec b timeout 1 no-such-program", "$ nor-this", "```", "- [ ] namespace `b` exists",
		"## C", "```console", "$ ip netns exec a nor-this", "$ ip netns exec a or-that", "```", "- [x] namespace `a` exists",
		"### Mistake: n", "```console", "$ ip netns list", "```", "- [x] namespace `a` exists")
	sc, err := scenario.Parse("t.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p := lab.NewPlay(sc, lab.Netlink(), &lab.Parity{}, lab.PlayOptions{})
	defer p.Close()
	for _, c := range []struct {
		play            func() scenario.SectionResult
		missing, reason string
	}{
		{func() scenario.SectionResult { return p.Step(t.Context(), 0) }, "", ""},
		{func() scenario.SectionResult { return p.Mistake(t.Context(), 0, 0) }, "nor-this or-that", "line 13: the programs nor-this, or-that are not installed"},
		{func() scenario.SectionResult { return p.Step(t.Context(), 1) }, "no-such-program nor-this", "line 22: the programs no-such-program, nor-this are not installed"},
		{func() scenario.SectionResult { return p.Step(t.Context(), 2) }, "no-such-program nor-this or-that", "needs step 2 “B”, which was skipped: line 22"},
		{func() scenario.SectionResult { return p.Mistake(t.Context(), 2, 0) }, "no-such-program nor-this", "needs step 2 “B”"},
	} {
		r := c.play()
		want := scenario.Skip
		if c.missing == "" {
			want = scenario.Pass
		}
		if r.Outcome != want || strings.Join(r.Missing, " ") != c.missing || !strings.HasPrefix(r.Reason, c.reason) {
			t.Errorf("%s: %s, missing %q, %q %v; want %s, %q, %q", r.Title, r.Outcome, r.Missing, r.Reason, r.Err(), want, c.missing, c.reason)
		}
	}
}

// TestWhatIsNoLackOfPrograms: what would not be played with all programs either names none.
func TestWhatIsNoLackOfPrograms(t *testing.T) {
	for _, text := range []string{
		lines("# T", "## A", "```console", "$ no-such-program", "$ ip lnk", "```", "- [ ] namespace `a` exists"),
		lines("# T", "## A", "```console iproute2", "$ no-such-program", "```", "- [ ] namespace `a` exists"),
	} {
		sc, err := scenario.Parse("t.md", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p := lab.NewPlay(sc, lab.Netlink(), &lab.Parity{}, lab.PlayOptions{})
		if r := p.Step(t.Context(), 0); r.Outcome != scenario.Skip || len(r.Missing) > 0 {
			t.Errorf("%s: %s, missing %q, %q", text, r.Outcome, r.Missing, r.Reason)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAbsent: a driver that a worker does not find skips what it should play, for the program that it lacks.
func TestAbsent(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add a", "```", "- [ ] namespace `a` exists")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err     error
		missing string
	}{
		{&scenario.Unavailable{Reason: "the program ip is not installed", Programs: []string{"ip"}}, "ip"},
		{errors.New("list the programs in busybox: exit status 1"), ""},
	} {
		p := lab.NewPlay(sc, lab.Absent("iproute2", c.err), &lab.Parity{}, lab.PlayOptions{})
		r := p.Step(t.Context(), 0)
		if r.Outcome != scenario.Skip || r.Driver != "iproute2" || strings.Join(r.Missing, " ") != c.missing || !strings.Contains(r.Reason, c.err.Error()) {
			t.Errorf("%v: %s by %s, missing %q, %q", c.err, r.Outcome, r.Driver, r.Missing, r.Reason)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
