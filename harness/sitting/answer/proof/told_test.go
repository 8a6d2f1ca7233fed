package proof_test

import (
	"os"
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/scenarios"
)

// TestTold: what is told of a command that is none of the scenario's mistakes, and of the state without the line.
func TestTold(t *testing.T) {
	const file = "../testdata/small.md"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	small, err := scenario.Parse(file, source)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := scenarios.ByID("veth-pair")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sc   *scenario.Scenario
		step int
		// before are lines that run before, separated by semicolons.
		before, line string
		// typed is what the hook tells, if not line.
		typed       string
		kind, title string
		// state is the title of what the state alone tells, "" for nothing.
		state string
	}{
		// Names that are not there.
		{sc: pair, step: 3, line: "ip link set vnxi-prodns netns prodns", kind: "typo",
			title: "There is no interface `vnxi-prodns` in `host`; did you mean `vnix-prodns`?"},
		{sc: pair, step: 3, before: "ip link set vnic-testns netns testns",
			line: "ip link set vnic-testns netns prodns",
			kind: "typo", title: "There is no interface `vnic-testns` in `host`; it is in `testns` now"},
		{sc: pair, step: 3, line: "ip link set vnix-prodns netns prdns", kind: "typo",
			title: "There is no namespace `prdns`; did you mean `prodns`?"},
		{sc: pair, step: 3, line: "ip -n prdns link set lo up", typed: "sudo ip -n prdns link set lo up", kind: "typo",
			title: "There is no namespace `prdns`; did you mean `prodns`?"},
		{sc: pair, step: 3, line: "ip netns exec nowhere ip link set lo up", kind: "typo",
			title: "There is no namespace `nowhere`"},
		{sc: pair, step: 3, line: "ip link set eth9 netns prodns", kind: "typo",
			title: "There is no interface `eth9` in `host`"},
		{sc: pair, step: 3, line: "ip lnk set vnix-prodns netns prodns", kind: "typo",
			title: "`ip` does not know the word `lnk`; did you mean `link`?"},
		{sc: pair, step: 0, line: "ip netns add tesnts", kind: "typo",
			title: "The new namespace is called `tesnts`; this step asks for `testns`",
			state: "The new namespace is called `tesnts`; this step asks for `testns`"},
		{sc: pair, step: 2, line: "ip link add vnix-prodns type veth peer name vnic-tesns", kind: "typo",
			title: "The new interface is called `vnic-tesns`; this step asks for `vnic-testns`",
			state: "The new interface is called `vnic-tesns`; this step asks for `vnic-testns`"},

		{sc: pair, step: 3, line: "ip link set vnix-prodns prodns", kind: "typo",
			title: "A word is missing: `netns`, before `prodns`"},
		{sc: pair, step: 3, line: "ip link vnix-prodns set netns prodns", kind: "typo",
			title: "Two words are in the wrong order: it is `set vnix-prodns`"},
		{sc: pair, step: 3, line: "ip link set vnix-prodns@vnic-testns netns prodns", kind: "typo",
			title: "There is no interface `vnix-prodns@vnic-testns` in `host`; its name is `vnix-prodns`"},
		{sc: pair, step: 4, line: "ip netns exec prodns addr add 192.168.2.102/24 dev vnix-prodns", kind: "typo",
			title: "A word is missing: `ip`, before `addr`"},
		{sc: pair, step: 4, line: "ip prodns addr add 192.168.2.102/24 dev vnix-prodns", kind: "typo",
			title: "`ip` does not know the word `prodns`; a namespace is named with `ip -n`"},
		{sc: pair, step: 4, line: "ip -n testns addr add 192.168.2.103/24 vnic-testns", kind: "mistake",
			title: "addr add without dev"},

		// What the kernel does without a word.
		{sc: pair, step: 4, line: "ip -n prodns addr add 192.168.2.103/24 dev vnix-prodns", kind: "silent",
			title: "`vnix-prodns` in `prodns` got `192.168.2.103/24`; this step asks for it on `vnic-testns` in " +
				"`testns`",
			state: "`vnix-prodns` in `prodns` got `192.168.2.103/24`; this step asks for it on `vnic-testns` in " +
				"`testns`"},
		{sc: pair, step: 4, line: "ip -n prodns addr add 192.168.2.12/24 dev vnix-prodns", kind: "silent",
			title: "`vnix-prodns` in `prodns` got `192.168.2.12/24`; this step asks for `192.168.2.102/24`",
			state: "`vnix-prodns` in `prodns` got `192.168.2.12/24`; this step asks for `192.168.2.102/24`"},
		{sc: pair, step: 4, line: "ip netns del testns", kind: "silent",
			title: "`testns` is gone, which this step needs; `lab reset --step` begins it anew",
			state: "`testns` is gone, which this step needs; `lab reset --step` begins it anew"},
		{sc: pair, step: 5, line: "ping -c1 -W0.1 192.168.2.103", kind: "silent",
			title: "That was sent from `host`; this step is about `prodns`"},
		{sc: small, step: 0, line: "ip -n left addr add 10.0.0.1 dev l0", kind: "silent",
			title: "`l0` in `left` got `10.0.0.1/32`, not `10.0.0.1/24`",
			state: "`l0` in `left` got `10.0.0.1/32`, not `10.0.0.1/24`"},
		{sc: small, step: 1, line: "ip -n right addr add 10.0.0.2/24 dev r0", kind: "silent",
			title: "`r0` in `right` has `10.0.0.2/24`, and still `10.0.0.9/32`",
			state: "`r0` in `right` has `10.0.0.2/24`, and still `10.0.0.9/32`"},
		{sc: small, step: 2, line: "ip -n left link set dev l0", kind: "silent",
			title: "That set nothing of `l0` in `left`"},
		{sc: small, step: 2, line: "ip -n left link set l0 down", kind: "silent",
			title: "That changed nothing: it was so already"},
		{sc: small, step: 2, before: "ip -n left link set l0 up", line: "ip netns exec left ping -c1 -W0.1 10.0.0.2",
			kind: "silent", title: "`l0` in `left` is up, but the other end of its cable, `r0` in `right`, is down"},
		{sc: small, step: 3, before: "ip -n left rule add from 10.0.0.1 lookup 7",
			line: "ip -n left rule add from 10.0.0.1 lookup 7 pref 9", kind: "silent",
			title: "The same rule is there twice in `left`"},
		{sc: small, step: 3, before: "ip -n left route add 10.9.0.0/17 via 10.0.0.2",
			line: "ip -n left route add 10.9.0.0/17 via 10.0.0.2 metric 7", kind: "silent",
			title: "The same route is there twice in `left`"},
		{sc: small, step: 3, line: "ip rule add from 10.0.0.1 lookup 7", kind: "silent",
			title: "That was done in `host`; this step is about `left`"},

		// A look that failed, and one that did not.
		{sc: small, step: 2, line: "ip netns exec left ping -c1 -W0.1 10.0.0.2", kind: "cause",
			title: "l0 in left is administratively down, so its routes are gone"},
		{sc: small, step: 2, line: "ip -n left link"},
		{sc: small, step: 2, line: "ip -n right link set r0 up"},
		{sc: pair, step: 3, line: "ip -n testns link set lo up"},
		{sc: pair, step: 0, line: "ip netns add another"},
	} {
		t.Run(c.line, func(t *testing.T) {
			p := begins(t, c.sc, c.step)
			if p == nil {
				t.Skip("this machine cannot play it")
			}
			for line := range strings.SplitSeq(c.before, "; ") {
				if line != "" {
					p.types(command(t, line))
				}
			}
			p.settled()
			cmd := command(t, c.line)
			if c.typed != "" {
				cmd.Text = c.typed
			}
			got, ok := p.does(cmd)
			if !ok {
				t.Skip("a program is missing")
			}
			if kind, title := said(got.line); kind != c.kind || title != c.title {
				t.Errorf("with the line: %s %q, want %s %q", kind, title, c.kind, c.title)
			}
			if _, title := said(got.state); title != c.state {
				t.Errorf("by the state: %q, want %q", title, c.state)
			}
			if a := got.line; a != nil && (a.Check < 0 || a.Check >= len(c.sc.Steps[c.step].Checks)) {
				t.Errorf("it is about check %d", a.Check)
			}
		})
	}
}

func said(a *sitting.Answer) (kind, title string) {
	if a == nil {
		return "", ""
	}
	return a.Kind, a.Title
}

func command(t *testing.T, line string) scenario.Command {
	t.Helper()
	argv, err := scenario.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Command{Text: line, Argv: argv}
}
