package lab_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/lab"
	"netnscheck/harness/scenario"
)

// TestPlay plays small scenarios that are right or wrong in one respect, with the netlink driver.
func TestPlay(t *testing.T) {
	// In these, iproute2 runs what the netlink driver does not.
	byAnother := []string{"a word that the driver cannot say", "a step for another driver",
		"a replay without the step that is not for this driver"}
	for _, c := range []struct {
		name, text string
		want       string // the outcomes of the sections, in order
		says       string // in the problems and reasons
	}{
		{"a check that is true before proves nothing", lines("# T", "## A", "```console", "$ ip netns add testns",
			"```", "- [ ] namespace `testns` exists", "", "## B", "```console", "$ ip netns list", "```",
			"- [ ] namespace `testns` exists"), "pass error", "12: a `- [ ]` check that is true before"},
		{"another output", lines("# T", "## A", "```console iproute2", "$ ip netns add testns", "$ ip netns list",
			"other", "```", "- [ ] namespace `testns` exists"), "skip", "no command for the driver"},
		{"another errno", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console errno=EPERM", "$ ip link set nix up", "[!]", "```"), "fail",
			"8: unexpected refusal"},
		{"the errno", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console errno=ENODEV", "$ ip link set nix up", "[!]", "```"), "pass",
			""},
		{"a refused command that changed something", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console", "$ ip link add v0 type veth peer name v1",
			"$ ip link set v0 mtu 1300 master lo", "[!]", "```", "- [ ] `host` has the interface `v0`"), "fail",
			"9: a refused command changed something"},
		{"the second of two refused commands changed something",
			lines("# T", "## A", "```console", "$ ip netns add testns", "```", "- [ ] namespace `testns` exists",
				"```console", "$ ip link add v0 type veth peer name v1", "$ ip link set nix up", "[!]",
				"$ ip link set v0 mtu 1300 master lo", "[!]", "```", "- [ ] `host` has the interface `v0`"), "fail",
			"11: a refused command changed something"},
		{"a refused command of a partial block", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console partial", "$ ip link add v0 type veth peer name v1",
			"$ ip link set v0 mtu 1300 master lo", "[!]", "```", "- [ ] `v0` in `host` has the MTU `1300`"), "pass",
			""},
		{"a status that should not be", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console", "$ ip netns add testns", "```",
			"- [x] namespace `testns` exists", "", "### Mistake: m", "```console", "$ ip netns list", "```",
			"- [x] namespace `testns` exists", "", "## C", "```console", "$ ip netns list", "```",
			"- [x] namespace `testns` exists"), "pass fail blocked blocked", "10: wrong exit status"},
		{"a mistake that is none", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "### Mistake: m", "```console", "$ ip netns add other", "[1]", "```",
			"- [x] namespace `testns` does not exist"), "pass fail", "9: wrong exit status"},
		{"a repair that does not lead back", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "### Mistake: m", "```console", "$ ip netns add other", "```",
			"- [ ] namespace `other` exists", "```console fix", "$ ip netns list", "```"), "pass fail",
			"not true after the repair"},
		{"a mistake that did a part of the step", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "### Mistake: m", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists"), "pass pass", ""},
		{"a fix that undoes", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "### Mistake: m", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console fix undo", "$ ip netns del testns", "```"), "pass pass", ""},
		{"an undo that does not undo", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "### Mistake: m", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console fix undo", "$ ip netns list", "```"), "pass fail",
			"wrong exit status"},
		{"a check on the diagnosis", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] the cause from `testns` to `198.51.100.1` is `no-interface` in `testns`",
			"- [x] nothing is wrong from `host` to `127.0.0.1`", "", "## B", "```console", "$ ip netns list", "```",
			"- [x] the cause from `testns` to `198.51.100.1` is `no-route` in `testns` within `10ms`"), "pass fail",
			"no-interface"},
		{"a failed check says why", lines("# T", "## A", "```console", "$ ip netns add testns",
			"$ ip link add v0 type veth peer name v1 netns testns", "$ ip addr add 10.0.0.1/24 dev v0",
			"$ ip -n testns addr add 10.0.0.2/24 dev v1", "$ ip link set v0 up", "```",
			"- [ ] `host` reaches `10.0.0.2` within `10ms`"), "fail",
			"peer-down on v1 in testns: v1 in testns is administratively down"},
		{"a failed check says what its author says", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "- [ ] namespace `other` exists within `10ms`",
			"<!-- fail: Make two. -->"), "fail", "; hint: Make two."},
		{"a check of the diagnosis", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "- [x] nothing is wrong from `host` to `127.0.0.1`",
			"- [ ] the cause from `testns` to `127.0.0.1` is `loopback-down` on `lo` in `testns`"), "pass", ""},
		{"a wrong check of the diagnosis", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists",
			"- [ ] the cause from `testns` to `127.0.0.1` is `no-interface` in `testns` within `10ms`"), "fail",
			"the cause is loopback-down, lo in testns"},
		{"a word that the driver cannot say", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console", "$ ip netns add never",
			"$ ip lnk add v0 type veth", "[!]", "```", "- [ ] namespace `never` exists", "", "## C", "```console",
			"$ ip netns list", "```", "- [x] namespace `testns` exists"), "pass skip pass",
			"netlink driver cannot say lnk"},
		{"a shell that would start the real ip", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console",
			"$ ip netns exec testns sh -c 'ip link set lo up'",
			"```", "- [ ] `lo` in `testns` is up"), "pass skip",
			"line 10: netlink driver cannot say sh … ip: sh would start the real ip"},
		{"a step for another driver", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console iproute2", "$ ip netns add onlyip", "```",
			"- [ ] namespace `onlyip` exists", "", "## C", "```console", "$ ip netns add c", "```",
			"- [ ] namespace `c` exists"), "pass skip pass", "no command for the driver"},
		{"a block for another kernel", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "```console kernel>=99", "$ ip netns add never", "```",
			"```console kernel<99", "$ ip netns add now", "```", "- [ ] namespace `now` exists",
			"- [x] namespace `never` does not exist"), "pass", ""},
		{"a missing feature", lines("---", "requires: [no-such-feature-anywhere]", "---", "# T", "## A", "```console",
			"$ ip netns add testns", "```", "- [ ] namespace `testns` exists"), "error", "no-such-feature-anywhere"},
		{"a missing program", lines("---", "requires: ['program:no-such-program']", "---", "# T", "## A", "```console",
			"$ ip netns add testns", "```", "- [ ] namespace `testns` exists"), "skip", "no-such-program"},
		{"a set-up that fails", lines("# T", "## Setup", "```console", "$ ip netns del nowhere", "```", "## A",
			"```console", "$ ip netns add testns", "```", "- [ ] namespace `testns` exists", "", "## B", "```console",
			"$ ip netns list", "```", "- [x] namespace `testns` exists"), "error blocked", "run “Setup”"},
		{"an absent subject makes a negative claim false", lines("# T", "## A", "```console", "$ ip netns list", "```",
			"- [x] `eth7` in `host` does not have the MTU `1500` within `10ms`"), "fail", "there is no interface eth7"},
		{"an event that did not happen", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console", "$ ip -n testns link set lo up", "```",
			"- [ ] `testns` saw the event `link change lo`",
			"- [ ] `testns` saw the event `link del lo` within `50ms`"), "pass fail",
			"13: not true after the commands: `testns` saw the event `link del lo`"},
		{"an event where there should be none", lines("# T", "## A", "```console", "$ ip netns add testns", "```",
			"- [ ] namespace `testns` exists", "", "## B", "```console", "$ ip -n testns link set lo up", "```",
			"- [x] `testns` saw no event within `50ms`"), "pass fail", "link change lo"},
		{"what an earlier step has begun is not the work of this one", lines("# T", "## A", "```console",
			"$ ip netns add testns", "$ ip link add v0 up type veth peer name v1 netns testns",
			"$ ip netns exec testns sysctl -qw net.ipv6.conf.v1.dad_transmits=2",
			"$ ip -n testns addr add fd00::2/64 dev v1", "$ ip -n testns link set v1 up", "```",
			"- [ ] `v1` in `testns` is up", "", "## B", "```console", "$ ip netns add b", "```",
			"- [ ] namespace `b` exists", "- [x] `testns` saw no event"), "pass pass", ""},
		{"a watch does not keep a namespace alive", lines("# T", "## A", "```console", "$ ip netns add testns",
			"$ ip link add v0 type veth peer name v1 netns testns", "```", "- [ ] `host` has the interface `v0`", "",
			"## B", "```console", "$ ip netns del testns", "```", "- [ ] `host` does not have the interface `v0`",
			"- [ ] `host` saw the event `link del v0`", "- [ ] namespace `testns` does not exist", "", "## C",
			"```console", "$ ip netns add testns", "$ ip link add v0 type veth peer name v1 netns testns",
			"$ ip netns del testns", "$ sh -c 'while test -e /sys/class/net/v0; do :; done'", "```",
			"- [x] `host` does not have the interface `v0`", "- [ ] `host` saw the event `link add v0`"),
			"pass pass pass", ""},
		{"a watch of what is no namespace", lines("# T", "## A", "```console", "$ touch /run/netns/plain", "```",
			"- [x] namespace `plain` does not exist", "", "## B", "```console", "$ ip netns add b", "```",
			"- [ ] namespace `b` exists", "- [ ] `plain` saw the event `link add v0`"), "pass error",
			"watch the events of plain"},
		{"a probe of one check is not counted by another", lines("# T", "## A", "```console", "$ ip netns add testns",
			"$ ip link add v0 type veth peer name v1 netns testns", "$ ip addr add 10.0.0.1/24 dev v0",
			"$ ip -n testns addr add 10.0.0.2/24 dev v1", "$ ip link set v0 up", "$ ip -n testns link set v1 up", "```",
			"- [ ] `host` reaches `10.0.0.2`", "", "## B", "```console", "$ ping -c1 10.0.0.2", "```",
			"- [x] `host` reaches `10.0.0.2`", "- [ ] the counter `IcmpInEchos` in `testns` grew by `1`"), "pass pass",
			""},
		{"nor by one that is looked at again", lines("# T", "## A", "```console", "$ ip netns add testns",
			"$ ip link add v0 type veth peer name v1 netns testns", "$ ip addr add 10.0.0.1/24 dev v0",
			"$ ip -n testns addr add 10.0.0.2/24 dev v1", "$ ip link set v0 up", "$ ip -n testns link set v1 up", "```",
			"- [ ] `host` reaches `10.0.0.2`", "", "## B", "```console", "$ ip -n testns link set lo up", "```",
			"- [x] `host` reaches `10.0.0.2`",
			"- [ ] the counter `IcmpInEchos` in `testns` grew by `1` within `100ms`"), "pass fail", "it grew by 0"},
		{"a neighbour that the probe of another check makes",
			lines("# T", "## A", "```console", "$ ip netns add testns",
				"$ ip link add v0 type veth peer name v1 netns testns", "$ ip addr add 10.0.0.1/24 dev v0",
				"$ ip -n testns addr add 10.0.0.2/24 dev v1", "$ ip link set v0 up", "$ ip -n testns link set v1 up",
				"```", "- [ ] `v0` in `host` is up", "", "## B", "```console", "$ ping -c1 10.0.0.2", "```",
				"- [x] `host` reaches `10.0.0.2`", "- [ ] `host` has the neighbour `10.0.0.2`"), "pass pass", ""},
		{"an alternative name of the way out",
			lines("# T", "## A", "```console", "$ ip link add v0 up type veth peer name v1", "$ ip link set v1 up",
				"$ ip addr add 10.0.0.1/24 dev v0", "$ ip link property add dev v0 altname the-way-out", "```",
				"- [ ] `host` sends packets for `10.0.0.2` out of `the-way-out`", "", "## B", "```console",
				"$ ip netns list", "```", "- [x] `host` sends packets for `10.0.0.2` out of `v1` within `10ms`"),
			"pass fail", "dev v0"},
		{"a misspelt counter", lines("# T", "## A", "```console", "$ ip netns list", "```",
			"- [x] the counter `IpInRecieves` in `host` did not grow within `10ms`"), "fail",
			"host has no counter IpInRecieves; the nearest name is IpInReceives"},
		{"a misspelt counter of a link", lines("# T", "## A", "```console", "$ ip netns list", "```",
			"- [x] the counter `rx_packet` of `lo` in `host` did not grow within `10ms`"), "fail",
			"the nearest name is rx_packets"},
		{"a replay without the step that is not for this driver", lines("# T", "## A", "```console iproute2",
			"$ ip netns add testns", "```", "- [ ] namespace `testns` exists", "", "## B", "```console",
			"$ ip netns add b", "$ sh -c true", "```", "- [ ] namespace `b` exists", "", "## C", "```console",
			"$ ip -n b link set lo up", "```", "- [ ] `lo` in `b` is up", "", "### Mistake: m", "```console",
			"$ ip netns add m", "```", "- [ ] namespace `m` exists"), "skip pass pass pass", ""},
		{"a replay waits for what the kernel does in its own time",
			lines("# T", "## A", "```console", "$ ip netns add rx", "$ sh -c true",
				"$ ip link add host0 type veth peer name c0 netns rx", "$ ip netns del rx", "```",
				"- [ ] `host` saw the event `link add host0`", "- [x] `host` does not have the interface `host0`", "",
				"## B", "```console", "$ ip netns add rx", "$ ip link add host0 type veth peer name c0 netns rx", "```",
				"- [ ] `host` has the interface `host0`", "", "## C", "```console", "$ ip link set host0 up", "```",
				"- [ ] `host0` in `host` is up", "", "### Mistake: m", "```console", "$ ip link set host0 mtu 1400",
				"```", "- [ ] `host0` in `host` has the MTU `1400`"), "pass pass pass pass", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := lab.IPRoute2(); err != nil && slices.Contains(byAnother, c.name) {
				lab.Lacking(t, err)
			}
			sc, err := scenario.Parse("t.md", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			outcomes, said := playThrough(t, lab.NewPlay(sc, lab.Netlink(), &lab.Parity{}, lab.PlayOptions{}), sc)
			if want := strings.Fields(c.want); !slices.Equal(outcomes, want) {
				t.Errorf("outcomes %q, want %q\n%s", outcomes, want, said)
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("%q does not say %q", said, c.says)
			}
		})
	}
}

// TestAReplayThatEndsElsewhereIsAnError: a mistake is not played if the steps before it, run again, leave a different
// state. The first step leaves a file outside the lab and behaves differently if the file exists.
func TestAReplayThatEndsElsewhereIsAnError(t *testing.T) {
	if _, err := lab.IPRoute2(); err != nil {
		lab.Lacking(t, err)
	}
	for check, found := range map[string]string{
		"`lo` in `testns` is up":             "it is down",
		"`testns` reaches `127.0.0.1`":       "",
		"`host` saw the event `link add v0`": "the events: ",
	} {
		t.Run(check, func(t *testing.T) {
			t.Parallel()
			file := fmt.Sprintf("/tmp/replay-%d", rand.Int64()) // shared by all labs of this process
			sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add testns",
				"$ sh -c 'test -e "+file+" || { ip -n testns link set lo up; ip link add v0 type veth; }'",
				"$ touch "+file, "```", "- [ ] "+check+" within `50ms`", "",
				"## B", "```console", "$ ip netns add b", "```", "- [ ] namespace `b` exists", "",
				"### Mistake: m", "```console", "$ ip netns add m", "```", "- [ ] namespace `m` exists")))
			if err != nil {
				t.Fatal(err)
			}
			p := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{})
			if r := p.Step(t.Context(), 1); r.Outcome != scenario.Pass {
				t.Fatalf("the steps: %s, %s, %v", r.Outcome, r.Reason, r.Err())
			}
			r := p.Mistake(t.Context(), 1, 0)
			want := "run “A” again: " + check + " did not become true: " + found
			if r.Outcome != scenario.Error || !strings.Contains(r.Err().Error(), want) {
				t.Errorf("the mistake: %s, %v; want %q", r.Outcome, r.Err(), want)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNothingIsHalfDoneOnTheMachine: with --sandbox=off a namespace cannot be named inside a shell script. That is
// found before the first command of the section runs.
func TestNothingIsHalfDoneOnTheMachine(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add testns",
		"$ sh -c 'ip -n testns link set lo up'", "```", "- [ ] `lo` in `testns` is up")))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range lab.Drivers() {
		p := lab.NewPlay(sc, d, nil, lab.PlayOptions{World: lab.Options{Shared: true}})
		r := p.Step(t.Context(), 0)
		if r.Outcome != scenario.Skip || !strings.Contains(r.Reason, "line 5: the command names testns inside") ||
			len(r.Transcript) > 0 {
			t.Errorf("%s: %s %q, %d commands were run", d.Name(), r.Outcome, r.Reason, len(r.Transcript))
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

// TestRefusedRepair: a repair without effect tells which of its commands was refused, and why, once.
func TestRefusedRepair(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add a",
		"$ ip link add v0 netns a type veth peer name p0", "```", "- [ ] `p0` in `host` is down",
		"- [ ] `v0` in `a` is down", "- [ ] `host` has the interface `p0`", "### Mistake: another kind", "```console",
		"$ ip netns add a", "$ ip link add v0 netns a type bridge", "```", "- [ ] namespace `a` exists")))
	if err != nil {
		t.Fatal(err)
	}
	p := lab.NewPlay(sc, lab.Netlink(), nil, lab.PlayOptions{})
	defer p.Close()
	if r := p.Step(t.Context(), 0); r.Outcome != scenario.Pass {
		t.Fatalf("the step: %s, %v", r.Outcome, r.Err())
	}
	r := p.Mistake(t.Context(), 0, 0)
	var said []string
	for _, problem := range r.Problems {
		for _, line := range problem.Diagnosis {
			if strings.HasPrefix(line, "refused: ") {
				said = append(said, line)
			}
		}
	}
	want := []string{"refused: ip netns add a: exit status 1, EEXIST, ", // and the words of the driver
		"refused: ip link add v0 netns a type veth peer name p0: exit status 2, EEXIST, file exists"}
	if r.Outcome != scenario.Fail || len(r.Problems) < 2 || len(said) != len(want) ||
		!strings.HasPrefix(said[0], want[0]) || said[1] != want[1] {
		t.Errorf("the mistake: %s, %q, %v", r.Outcome, said, r.Err())
	}
}

// named is a driver under another name.
type named struct {
	lab.Driver
	name string
}

func (n named) Name() string { return n.name }

// TestTheOddOneOut: of three drivers the one that left another state than both others is named, whichever played first;
// of two nobody knows.
func TestTheOddOneOut(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add testns",
		"$ ip -n testns link set lo up mtu 1400", "```", "- [ ] `lo` in `testns` is up", "## B", "```console",
		"$ ip netns add other", "```", "- [ ] namespace `other` exists")))
	if err != nil {
		t.Fatal(err)
	}
	const disagree = "the drivers disagree: "
	for _, c := range []struct {
		liars string
		want  []string // of each driver, the message; "" if it passes
	}{
		{"", []string{"", "", ""}},
		{"a", []string{"", disagree + "b left another state than a",
			"a is the odd one out: b and c left the same state, which is another one"}},
		{"b", []string{"", disagree + "b left another state than a", ""}},
		{"c", []string{"", "", disagree + "c left another state than a and b"}},
	} {
		parity := &lab.Parity{}
		for i, name := range []string{"a", "b", "c"} {
			var d lab.Driver = named{lab.Netlink(), name}
			if name == c.liars {
				d = named{inexact{lab.Netlink()}, name}
			}
			p := lab.NewPlay(sc, d, parity, lab.PlayOptions{})
			r := p.Step(t.Context(), 0)
			said := ""
			if len(r.Problems) > 0 {
				said = r.Problems[0].Message
			}
			if said != c.want[i] || said != "" && !strings.Contains(r.Problems[0].Found, "lo: MTU 1") {
				t.Errorf("%q lies: %s: %v; want %q", c.liars, name, r.Problems, c.want[i])
			}
			if next := p.Step(t.Context(), 1); (next.Outcome == scenario.Pass) != (said == "") {
				t.Errorf("%q lies: %s: the next step: %s", c.liars, name, next.Outcome)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDriversThatDisagree: a step must leave the same state with every driver.
func TestDriversThatDisagree(t *testing.T) {
	iproute2, err := lab.IPRoute2()
	if err != nil {
		lab.Lacking(t, err)
	}
	sc, err := scenario.Parse("t.md", []byte(lines("# T", "## A", "```console", "$ ip netns add testns",
		"$ ip -n testns link set lo up mtu 1400", "```", "- [ ] `lo` in `testns` is up")))
	if err != nil {
		t.Fatal(err)
	}
	parity := &lab.Parity{}
	var last scenario.SectionResult
	for _, d := range []lab.Driver{iproute2, inexact{lab.Netlink()}} {
		p := lab.NewPlay(sc, d, parity, lab.PlayOptions{})
		last = p.Step(t.Context(), 0)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if last.Outcome != scenario.Fail || !strings.Contains(last.Err().Error(), "the drivers disagree") {
		t.Errorf("another MTU: %s, %v", last.Outcome, last.Err())
	}
}
