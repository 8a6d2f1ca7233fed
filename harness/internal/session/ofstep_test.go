package session

import (
	"strings"
	"testing"

	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

const lookAround = `---
id: look-around
KIND---
# Look around

## Make it

` + "```console\n$ ip netns add red\n```" + `

- [ ] namespace ` + "`red`" + ` exists

## Look at it

` + "```console\n$ ip -n red -br addr show dev lo\n$ ip netns exec red ping -c1 -W0.1 127.0.0.1\n" +
	"ping: connect: Network is unreachable\n[2]\n$ ip netns exec red nft list ruleset\n$ ip -n red route get " +
	"10.0.0.1\n[2]\n```" + `

` + "```console netlink\n$ ip -n red rule\n```\n\n```console kernel>=6.0\n$ ip -n red maddr\n```" + `

- [x] namespace ` + "`red`" + ` exists

### Mistake: it is changed

` + "```console\n$ ip -n red link set lo up\n```" + `

- [ ] ` + "`lo` in `red`" + ` is up

## Look around

` + "```console\n$ ip -n red rule\n```" + `

- [x] namespace ` + "`red`" + ` exists

## Take it away

` + "```console\n$ ip netns del red\n```" + `

- [ ] namespace ` + "`red`" + ` does not exist
`

// onOldKernel shows what a learner sees who has iproute2 and an old kernel.
func onOldKernel(b scenario.Block) bool {
	return b.For("iproute2", scenario.Machine{Versions: map[string]string{"kernel": "5.10"}})
}

func lookingAround(t *testing.T, kind string) *scenario.Scenario {
	sc, err := scenario.Parse("look-around.md", []byte(strings.Replace(lookAround, "KIND", kind, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestLooking: a step that only looks has been looked at when the learner has run its commands for the real programs on
// every kernel, or others that look at the same, in any order.
func TestLooking(t *testing.T) {
	const all, pings, nft, get = "ip -n red addr", "ip netns exec red ping 127.0.0.1", "nft list table inet x",
		"ip r get 10.0.0.1"
	for name, c := range map[string]struct {
		lines []ran
		want  bool
	}{
		"as they are written": {[]ran{{line: "ip -n red -br addr show dev lo"},
			{line: "ip netns exec red ping -c1 -W0.1 127.0.0.1", status: 2},
			{line: "ip netns exec red nft list ruleset"}, {line: "ip -n red route get 10.0.0.1", status: 2}}, true},
		"in other words": {[]ran{{line: "sudo ip netns exec red ip address"}, {netns: "red", line: get, status: 2},
			{netns: "red", line: nft}, {line: pings + " -c 3", status: 1}}, true},
		"one is missing": {[]ran{{line: all}, {line: pings, status: 1}, {netns: "red", line: nft}}, false},
		"twice the same": {[]ran{{line: all}, {line: all}, {line: pings, status: 1}, {line: pings, status: 1}}, false},
		"in one line": {[]ran{{line: all + " && ip netns exec red nft list ruleset"}, {line: pings, status: 1},
			{line: "ip -n red " + get[3:], status: 2}}, true},
		"elsewhere": {[]ran{{line: "ip addr"}, {line: pings, status: 1}, {netns: "red", line: nft},
			{netns: "red", line: get, status: 2}}, false},
		"another destination": {[]ran{{line: all}, {line: "ip netns exec red ping -c1 127.0.0.2", status: 2},
			{netns: "red", line: nft}, {netns: "red", line: get, status: 2}}, false},
		"refused": {[]ran{{line: all, status: 1}, {line: pings, status: 1}, {netns: "red", line: nft},
			{netns: "red", line: get, status: 2}}, false},
		"anything":        {[]ran{{line: "ls"}, {line: "ip -n red rule"}, {line: "ip -n red maddr"}}, false},
		"lines of a sh":   {[]ran{{}}, true},
		"nothing at all":  {nil, false},
		"no shell's text": {[]ran{{line: "ip -n red addr ("}, {line: "'"}}, false},
	} {
		k, got := lookAt(lookingAround(t, ""), 1, onOldKernel), false
		for _, r := range c.lines {
			got = k.takes(r)
		}
		if got != c.want {
			t.Errorf("%s: got %v, left %+v", name, got, k.left)
		}
	}
	if k := lookAt(lookingAround(t, "kind: challenge\n"), 1, onOldKernel); !k.takes(ran{line: "ls"}) {
		t.Errorf("a challenge hides its commands, and wants %+v", k.left)
	}
}

// TestBelongs: a learner at a step that only looks goes past it, and past others like it, by a command of a later one.
func TestBelongs(t *testing.T) {
	sc := lookingAround(t, "")
	for _, c := range []struct {
		at   int
		r    ran
		want int
	}{
		{0, ran{line: "ip netns add red"}, 0},
		{0, ran{line: "ip -n red addr show dev lo"}, -1},
		{1, ran{line: "ip -n red a"}, 1},
		{1, ran{netns: "red", line: "ip rule"}, 1}, // for another driver, but of this step
		{1, ran{line: "ip netns delete red"}, 3},
		{1, ran{line: "ip netns del blue"}, -1},
		{1, ran{line: "ip -n red link set lo up"}, -1},
		{2, ran{line: "ip -n red link set lo up"}, -1},
		{3, ran{line: "ip netns add red"}, -1},
		{4, ran{line: "ip netns add red"}, -1},
	} {
		if got := belongs(sc, c.at, onOldKernel, c.r); got != c.want {
			t.Errorf("%d, %q: got %d, want %d", c.at, c.r.line, got, c.want)
		}
	}
	if !ofMistake(&sc.Steps[1], ran{netns: "red", line: "ip link set dev lo up"}) ||
		ofMistake(&sc.Steps[1], ran{line: "ip -n red addr"}) {
		t.Error("what a mistake is")
	}
}

// TestLookedBefore: what was looked at the last time need not be looked at again, once the lab goes on.
func TestLookedBefore(t *testing.T) {
	sc := lookingAround(t, "")
	earlier := []progress.Entry{{Step: 2, Line: "ip -n red addr"},
		{Step: 1, Line: "ip -n red route get 10.0.0.1", Status: 2},
		{Step: 2, Line: "ip netns exec red ping -c1 127.0.0.1", Status: 2}, {Step: 2, Do: progress.Hint},
		{Step: 2, Netns: "red", Line: "nft list ruleset"}}
	for n, want := range map[int]bool{0: false, 2: false, len(earlier): true} {
		d := &desk{sc: sc, shown: onOldKernel,
			sitting: sitting.New(sc, sitting.Options{Past: []sitting.Past{{Done: true}, {}}})}
		d.lookedBefore(earlier[:n])
		if got := d.looks(ran{line: "ip -n red route get 10.0.0.1", status: 2}); got != want {
			t.Errorf("after %d: got %v, left %+v", n, got, d.looking.left)
		}
	}
}
