package lab_test

import (
	"errors"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

const lacking = `# Programs that no machine has

## Setup
` + "```console\n$ ip netns add testns\n```" + `

## A
` + "```console\n$ ip netns add a\n```\n- [ ] namespace `a` exists" + `

### Mistake: m
` + "```console\n$ sh -c 'nor-this | sort'\n```\n- [x] namespace `a` exists\n```console fix\n$ or-that\n```" + `

## B
` + "```console\n$ ip netns exec a timeout 1 no-such-program\n$ nor-this\n```\n- [x] namespace `a` exists" + `

## C
` + "```console\n$ ip netns exec a nor-this\n$ ip netns exec a or-that\n```\n- [x] namespace `a` exists" + `

### Mistake: n
` + "```console\n$ ip netns list\n```\n- [x] namespace `a` exists\n"

// TestMissingPrograms: a skipped section lists all programs that it lacks, and a section that needs it lists those and
// its own.
func TestMissingPrograms(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lacking))
	if err != nil {
		t.Fatal(err)
	}
	p := lab.NewPlay(sc, lab.Netlink(), &lab.Parity{}, lab.PlayOptions{})
	step := func(i int) func() scenario.SectionResult {
		return func() scenario.SectionResult { return p.Step(t.Context(), i) }
	}
	mistake := func(i, j int) func() scenario.SectionResult {
		return func() scenario.SectionResult { return p.Mistake(t.Context(), i, j) }
	}
	for _, c := range []struct {
		play            func() scenario.SectionResult
		missing, reason string
	}{
		{step(0), "", ""},
		{mistake(0, 0), "nor-this or-that", "line 16: the programs nor-this, or-that are not installed"},
		{step(1), "no-such-program nor-this", "line 25: the programs no-such-program, nor-this are not installed"},
		{step(2), "no-such-program nor-this or-that", "needs step 2 “B”, which was skipped: line 25"},
		{mistake(2, 0), "no-such-program nor-this or-that", "needs step 2 “B”"}, // its repair is the step
	} {
		r := c.play()
		want := scenario.Skip
		if c.missing == "" {
			want = scenario.Pass
		}
		if r.Outcome != want || strings.Join(r.Missing, " ") != c.missing || !strings.HasPrefix(r.Reason, c.reason) {
			t.Errorf("%s: %s, missing %q, %q %v", r.Title, r.Outcome, r.Missing, r.Reason, r.Err())
			t.Errorf("want %s, missing %q, %q", want, c.missing, c.reason)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestMissingProgramsOfChecks: a section is skipped for a program that only a check needs; a mistake also for one that
// the checks of its step need, which are awaited after its repair.
func TestMissingProgramsOfChecks(t *testing.T) {
	sc, err := scenario.Parse("t.md",
		[]byte(lines("# T", "## A", "- [x] the command `nor-this` in `host` prints nothing",
			"### Mistake: m", "```console", "$ true", "```", "- [x] namespace `a` does not exist", "```console fix",
			"$ true",
			"```")))
	if err != nil {
		t.Fatal(err)
	}
	p := lab.NewPlay(sc, lab.Netlink(), &lab.Parity{}, lab.PlayOptions{})
	for _, r := range []scenario.SectionResult{p.Step(t.Context(), 0), p.Mistake(t.Context(), 0, 0)} {
		if r.Outcome != scenario.Skip || strings.Join(r.Missing, " ") != "nor-this" ||
			!strings.Contains(r.Reason, "line 3: the program nor-this is not installed") {
			t.Errorf("%s: %s, missing %q, %q %v", r.Title, r.Outcome, r.Missing, r.Reason, r.Err())
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestWhatIsNoLackOfPrograms: a section that could not be played with all programs either lists none.
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

// TestAbsent: the sections of a driver that a worker cannot find are skipped, with the missing program.
func TestAbsent(t *testing.T) {
	text := lines("# T", "## A", "```console", "$ ip netns add a", "```", "- [ ] namespace `a` exists")
	sc, err := scenario.Parse("t.md", []byte(text))
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
		if r.Outcome != scenario.Skip || r.Driver != "iproute2" ||
			strings.Join(r.Missing, " ") != c.missing || !strings.Contains(r.Reason, c.err.Error()) {
			t.Errorf("%v: %s by %s, missing %q, %q", c.err, r.Outcome, r.Driver, r.Missing, r.Reason)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestNothingIsHalfDoneWithoutAProgram: missing programs are found before the first of several commands runs.
func TestNothingIsHalfDoneWithoutAProgram(t *testing.T) {
	l := started(t)
	var cmds []operation.Command
	for _, words := range [][]string{{"ip", "netns", "add", "a"}, {"ip", "netns", "exec", "a", "no-such-program"}} {
		c, err := operation.Parse(words)
		if err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	for name, err := range map[string]error{
		"Do":    l.Do(t.Context(), lab.Netlink(), "ip netns add a", "ip netns exec a no-such-program"),
		"Build": l.Build(t.Context(), cmds),
	} {
		var unavailable *scenario.Unavailable
		if !errors.As(err, &unavailable) || strings.Join(unavailable.Programs, " ") != "no-such-program" {
			t.Errorf("%s: %v, want that no-such-program is missing", name, err)
		}
	}
	if s, err := l.State(t.Context()); err != nil || s.Namespace("a") != nil {
		t.Errorf("the namespace a was made all the same, %v", err)
	}
}
