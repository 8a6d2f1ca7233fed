package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// atFault is the prompt of the lab in which veth-pair has a fault.
const atFault = `\[veth-pair-fault\] ~ # `

// hunt starts a challenge of veth-pair.
func hunt(t testing.TB, l *learner, uid int, args ...string) *learner {
	t.Helper()
	args = append([]string{"lab", "start", "veth-pair", "--challenge"}, args...)
	if l == nil {
		return sits(t, uid, args...)
	}
	return l.joins(t, uid, args...)
}

// leaves ends the lab.
func (l *learner) leaves() {
	l.Helper()
	l.types("exit\n")
	if status := l.ends(); status != 0 {
		l.Errorf("status %d", status)
	}
}

// progressOf is the path of the progress file of a lab.
func (l *learner) progressOf(lab string) string {
	return filepath.Join(l.cmd.Dir, ".local/state/netnscheck/labs", lab, "progress.json")
}

// TestLabChallenge: the finished network of a lesson has a fault, the same one each time, which no cause betrays before
// the learner asks for it. It is solved by hand; then the challenge is done, and graded by its progress file.
func TestLabChallenge(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := hunt(t, nil, uid, "--level", "1", "--seed", "7")
		l.expects(`a fault of level 1, by --seed 7`)
		l.expects(`(?s)Find the fault: .*Step 1 of 1: Mend the network.*· `)
		l.expects(atFault)
		l.says("lab solve", `These commands are the step`)
		mend := l.expects(`(?s)\$ ip .*` + atFault)
		l.leaves()

		var commands []string
		for _, m := range regexp.MustCompile(`(?m)\$ (ip .*?)\r?$`).FindAllStringSubmatch(mend, -1) {
			commands = append(commands, m[1])
		}
		again := hunt(t, l, uid, "--level", "1", "--seed", "7", "--fresh")
		again.expects(atFault)
		again.says("for d in 192.168.2.103 192.168.2.102 127.0.0.1; do for n in prodns testns; do "+
			"ip netns exec $n ping -c1 -W0.2 $d; done; done; ping -c1 -W0.2 127.0.0.1; echo pin''ged", `pinged\r\n`)
		if told := again.expects(atFault); strings.Contains(told, "→") {
			t.Errorf("the cause was told unasked: %s", told)
		}
		again.says("lab check", `· `)
		again.expects(atFault)
		again.says("lab why", `(?m)^• ip .*:`)
		again.expects(atFault)
		again.says("lab why | grep -c 'repair''\\|→'", `0\r\n`)
		again.expects(atFault)
		again.leaves()

		// What was done goes on; other faults than it has are refused.
		for _, other := range [][]string{{"--seed", "8"}, {"--level", "2"}, {"--faults", "2"}, {"--exam"}} {
			refused := hunt(t, l, uid, other...)
			refused.expects(`it was begun with`)
			if status := refused.ends(); status != 2 {
				t.Errorf("%v: status %d", other, status)
			}
		}
		on := hunt(t, l, uid)
		on.expects(`a fault of level 1, by --seed 7`)
		on.expects(atFault)
		for i, c := range commands {
			on.types(c + "\n")
			if i+1 < len(commands) {
				on.expects(atFault)
			}
		}
		on.expects(`✓ Mend the network is done: that was all`)
		on.expects(atFault)
		on.leaves()
		solved := hunt(t, l, uid)
		solved.expects(`this challenge is solved; --fresh makes another one`)
		solved.expects(`is\s+done:\s+1\s+of\s+1\s+point`)
		solved.expects(atFault)
		solved.leaves()
		if uid != os.Geteuid() { // what follows runs as the user of the tests
			return
		}
		file := l.progressOf("veth-pair+challenge")
		grade := []string{"lab", "grade", file, "--lab", "veth-pair"}
		harness(t, l.cmd.Dir, append(grade, "--challenge")...).want(t, 0, "1 step, 1 point", "1/1")
		harness(t, l.cmd.Dir, append(grade, "--challenge", "--seed", "8")...).want(t, 1,
			"its faults are of the seed 7")
		harness(t, l.cmd.Dir, append(grade, "--challenge", "--faults", "2")...).want(t, 1, "its network has 1 fault")
		harness(t, l.cmd.Dir, append(grade, "--challenge", "--level", "2")...).want(t, 1,
			"its faults were to be of level 1")
		harness(t, l.cmd.Dir, grade...).want(t, 1, "it is about faults in the network")
		dir := write(t, map[string]string{
			"in/anna.sh": strings.Join(commands, "\n"),
			"in/ben.sh":  "ip netns add more\n",
			"class.csv":  "name,seed\nAnna,7\nBen,7\n",
		})
		harness(t, dir, "lab", "grade", "in", "--lab", "veth-pair", "--challenge", "--level", "1", "--roster",
			"class.csv").want(t, 0, "Anna", "1/1", "0/1", "went wrong first")
	})
}

// TestNoSuchChallenge: what there cannot be is told with status 2, and nothing is kept of it.
func TestNoSuchChallenge(t *testing.T) {
	needSandbox(t)
	for _, c := range []struct{ args, want string }{
		{"--level 4", `--level 4: want 1 to 3`},
		{"--level 0", `--level 0: want 1 to 3`},
		{"--faults 0", `--faults 0: want 1 to 5`},
		{"--faults 9", `--faults 9: want 1 to 5`},
		{"--seed=", `--seed is empty`},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			l := hunt(t, nil, os.Geteuid(), strings.Fields(c.args)...)
			l.expects(c.want)
			if status := l.ends(); status != 2 {
				t.Errorf("status %d", status)
			}
			if _, err := os.Stat(l.progressOf("veth-pair+challenge")); err == nil {
				t.Error("there is a progress file")
			}
		})
	}
	l := sits(t, os.Geteuid(), "version")
	l.ends()
	if err := os.WriteFile(filepath.Join(l.cmd.Dir, "varied.md"), []byte(varied), 0o644); err != nil {
		t.Fatal(err)
	}
	l = l.joins(t, os.Geteuid(), "lab", "start", "varied.md", "--challenge")
	l.expects(`says that something is\s+reached`)
	if status := l.ends(); status != 2 {
		t.Errorf("nothing to break: status %d", status)
	}
	harness(t, t.TempDir(), "lab", "start", "veth-pair", "--level", "2").want(t, 2,
		"--level is about the faults of --challenge")
}

const varied = `---
vars:
  colour: [red, blue]
  net: 10.{1..200}.0
---
# Variables

## Make a namespace

It is {{colour}}, in {{net}}.

` + "```console\n$ ip netns add {{colour}}\n```" + `

- [ ] namespace ` + "`{{colour}}`" + ` exists
`

// TestLabKeepsItsValues: the values of variables and the seed that chose them are those of the last time; others are
// told.
func TestLabKeepsItsValues(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "bash")
	const atVaried = `\[varied\] ~ # `
	l := sits(t, os.Geteuid(), "version")
	l.ends()
	if err := os.WriteFile(filepath.Join(l.cmd.Dir, "varied.md"), []byte(varied), 0o644); err != nil {
		t.Fatal(err)
	}
	start := func(args ...string) *learner {
		return l.joins(t, os.Geteuid(), append([]string{"lab", "start", "varied.md"}, args...)...)
	}
	first := start("--var", "colour=blue", "--seed", "bob")
	net := first.expects(`It is blue, in 10\.[0-9]+\.0\.`)
	first.expects(atVaried)
	first.leaves()
	for _, args := range [][]string{nil, {"--seed", "bob"}, {"--var", "colour=blue"}} {
		again := start(args...)
		again.expects(regexp.QuoteMeta(net))
		again.expects(atVaried)
		again.leaves()
	}
	for want, args := range map[string][]string{
		`begun with --seed bob, not eve`:     {"--seed", "eve"},
		`begun with colour=blue, not red`:    {"--var", "colour=red"},
		`expected red or blue, found "bleu"`: {"--var", "colour=bleu"},
	} {
		other := start(args...)
		other.expects(want)
		if status := other.ends(); status != 2 {
			t.Errorf("%s: status %d", want, status)
		}
	}
	fresh := start("--fresh")
	fresh.expects(`It is red, in 10\.1\.0\.`)
	fresh.expects(atVaried)
	fresh.leaves()
}
