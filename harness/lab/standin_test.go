package lab_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// mute is a driver that cannot say one word.
type mute struct {
	lab.Driver
	word string
}

func (m mute) CanSay(cmd scenario.Command) error {
	if slices.Contains(cmd.Argv, m.word) {
		return &scenario.CannotSay{Driver: m.Name(), Word: m.word}
	}
	return m.Driver.CanSay(cmd)
}

// inexact is a driver that sets another MTU.
type inexact struct{ lab.Driver }

func (i inexact) Run(ctx context.Context, l *lab.Lab, cmd scenario.Command) (scenario.Exchange, error) {
	cmd.Argv = slices.Clone(cmd.Argv)
	if at := slices.Index(cmd.Argv, "1400"); at >= 0 {
		cmd.Argv[at] = "1300"
	}
	return i.Driver.Run(ctx, l, cmd)
}

// TestAfterASkippedStep: what a driver cannot say is skipped, and no more: another driver does it for the steps after
// it.
func TestAfterASkippedStep(t *testing.T) {
	if _, err := lab.IPRoute2(); err != nil {
		lab.Lacking(t, err)
	}
	another := "; for the steps after it, the driver iproute2 has run its commands"
	bridged := []string{"## C", "```console", "$ ip link set br0 up", "```", "- [ ] `br0` in `host` is up",
		"### Mistake: a typo", "```console", "$ ip link set br1 up", "[!]", "```", "- [x] `br0` in `host` is down", "",
		"### Mistake: a program, which cannot be built directly", "```console", "$ sh -c true", "```",
		"- [x] `br0` in `host` is down", "", "## D", "```console", "$ sh -c true", "$ ip link set br0 mtu 1400", "```",
		"- [ ] `br0` in `host` has the MTU `1400`", "### Mistake: another MTU", "```console",
		"$ ip link set br0 mtu 1300",
		"```", "- [ ] `br0` in `host` has the MTU `1300`"}
	begin := []string{"# T", "## A", "```console", "$ ip netns add a", "```", "- [ ] namespace `a` exists"}
	for _, c := range []struct {
		name, text string
		want       string   // the outcomes of the sections, in order
		says       []string // in the reasons
	}{
		{"a word that the driver cannot say", lines(slices.Concat(begin, []string{"## B", "```console",
			"$ ip link add br0 type bridge", "$ ip nexthop list", "```", "- [ ] `host` has the interface `br0`"},
			bridged)...), "pass skip pass pass pass pass pass",
			[]string{"line 10: netlink driver cannot say nexthop" + another}},
		{"a step for another driver", lines(slices.Concat(begin, []string{"## B", "```console iproute2",
			"$ ip link add br0 type bridge", "```", "- [ ] `host` has the interface `br0`"}, bridged)...),
			"pass skip pass pass pass pass pass",
			[]string{"has no command for the driver netlink" + another}},
		{"in the first step", lines("# T", "## A", "```console", "$ ip netns add a", "$ ip nexthop list", "```",
			"- [ ] namespace `a` exists", "## B", "```console", "$ ip -n a link set lo up", "```",
			"- [ ] `lo` in `a` is up"),
			"skip pass", []string{"cannot say nexthop" + another}},
		{"in the set-up", lines("# T", "## Setup", "```console", "$ ip netns add a", "$ ip nexthop list", "```", "## B",
			"```console", "$ ip -n a link set lo up", "```", "- [ ] `lo` in `a` is up"), "pass", nil},
		{"a step that changes nothing",
			lines(slices.Concat(begin, []string{"## B", "```console", "$ ip link show nexthop",
				"[!]", "```", "- [x] namespace `a` exists", "## C", "```console", "$ ip -n a link set lo up", "```",
				"- [ ] `lo` in `a` is up", "### Mistake: m", "```console", "$ sh -c true", "```",
				"- [x] `lo` in `a` is down"})...),
			"pass skip pass pass", []string{"cannot say nexthop\n"}},
		{"what no driver can say",
			lines(slices.Concat(begin, []string{"## B", "```console", "$ no-such-program nexthop",
				"```", "- [x] namespace `a` exists", "## C", "```console", "$ ip -n a link set lo up", "```",
				"- [ ] `lo` in `a` is up"})...), "pass skip skip",
			[]string{"needs step 2 “B”, which was skipped: line 9"}},
		{"what the other driver does not complete", lines(slices.Concat(begin, []string{"## B", "```console",
			"$ ip link set nexthop up", "```", "- [x] namespace `a` exists", "## C", "```console",
			"$ ip -n a link set lo up", "```", "- [ ] `lo` in `a` is up"})...), "pass skip skip",
			[]string{"which was to run its commands for the steps after it, did not: run “B”: ", "needs step 2 “B”"}},
		{"a mistake at a skipped step", lines(slices.Concat(begin, []string{"## B", "```console",
			"$ ip link add br0 type bridge", "$ ip nexthop list", "```", "- [ ] `host` has the interface `br0`",
			"### Mistake: with a fix", "```console", "$ ip link add rb0 type bridge", "```",
			"- [ ] `host` has the interface `rb0`", "```console fix", "$ ip link set rb0 name br0", "```",
			"### Mistake: without one", "```console", "$ ip link add rb0 type bridge", "```",
			"- [ ] `host` has the interface `rb0`"})...), "pass skip pass skip",
			[]string{"needs step 2 “B”, which was skipped: line 10: netlink driver cannot say nexthop"}},
		{"a mistake at a skipped step that another driver has run", lines(slices.Concat(begin, []string{"## B",
			"```console", "$ ip link add br0 type bridge", "$ ip nexthop list", "```",
			"- [ ] `host` has the interface `br0`", "### Mistake: without a fix", "```console",
			"$ ip link add rb0 type bridge", "```", "- [ ] `host` has the interface `rb0`", "## C", "```console",
			"$ ip link set br0 up", "```", "- [ ] `br0` in `host` is up"})...), "pass skip skip pass",
			[]string{"\nline 10: netlink driver cannot say nexthop\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sc, err := scenario.Parse("t.md", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			p := lab.NewPlay(sc, mute{lab.Netlink(), "nexthop"}, &lab.Parity{}, lab.PlayOptions{})
			outcomes, said := playThrough(t, p, sc)
			if want := strings.Fields(c.want); !slices.Equal(outcomes, want) {
				t.Errorf("outcomes %q, want %q\n%s", outcomes, want, said)
			}
			for _, words := range c.says {
				if !strings.Contains(said, words) {
					t.Errorf("%q does not say %q", said, words)
				}
			}
		})
	}
}

// TestParityAfterASkippedStep: the steps after it are compared with the other drivers'.
func TestParityAfterASkippedStep(t *testing.T) {
	iproute2, err := lab.IPRoute2()
	if err != nil {
		lab.Lacking(t, err)
	}
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip link add br0 type bridge",
		"$ ip nexthop list", "```", "- [ ] `host` has the interface `br0`", "## B", "```console",
		"$ ip link set br0 up mtu 1400", "```", "- [ ] `br0` in `host` is up")))
	if err != nil {
		t.Fatal(err)
	}
	parity := &lab.Parity{}
	var last scenario.SectionResult
	for _, d := range []lab.Driver{iproute2, mute{inexact{lab.Netlink()}, "nexthop"}} {
		p := lab.NewPlay(sc, d, parity, lab.PlayOptions{})
		last = p.Step(t.Context(), 1)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if last.Outcome != scenario.Fail || !strings.Contains(last.Err().Error(), "the drivers disagree") {
		t.Errorf("another MTU: %s %s, %v", last.Outcome, last.Reason, last.Err())
	}
}
