package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLabZsh: in zsh the prompt has its news, the log its commands, and the next time the lab goes on with the history.
func TestLabZsh(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "zsh")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair", "--shell", "zsh")
		l.expects(prompt)
		l.says("for n in testns prodns; do\rip netns add $n\rdone", `step 1 of 7: .* is done\r\n`)
		l.expects(prompt)
		l.says("ip lnik", `is unknown`)
		l.expects(prompt)
		l.says("ip netns exec prodns zsh", `\[veth-pair: prodns\] ~ # `)
		l.says("ip link set lo up", `lo: down, then up`)
		l.expects(`\[veth-pair: prodns\] ~ # `)
		l.types("exit\n")
		l.expects(prompt)
		l.says("lab log", `\$ for n in testns prodns; do\r\n +> ip netns add \$n\r\n`)
		l.expects(`\$ ip lnik\r\n +\[[12][0-9]*\]\r\n`)
		l.expects(`prodns \$ ip link set lo up\r\n +prodns: lo: down, then up`)
		l.expects(prompt)
		l.types("exit\n")
		l.ends()
		again := l.joins(t, uid, "lab", "start", "veth-pair", "--shell", "zsh")
		again.expects(prompt)
		again.says("ip -n prodns -br link", `lo +UNKNOWN`)
		again.expects(prompt)
		again.says("fc -l 1", `ip link set lo up\r\n`)
		again.types("exit\n")
		again.ends()
	})
}

// TestLabSh: sh does not tell its commands. The state speaks alone, and the next time the steps that are done are done
// again by the lesson's commands.
func TestLabSh(t *testing.T) {
	const prompt = `\[veth-pair\] # `
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair", "--shell", "sh")
		l.expects(prompt)
		l.says("ip netns add testns", `namespace testns appeared\r\n.*✓ `)
		l.expects(prompt)
		l.says("ip netns add prdns", "→ .*The new namespace is called .prdns.; this step asks for .prodns.\r\n")
		l.expects(prompt)
		l.says("ip netns del prdns; ip netns add prodns", `step 1 of 7: .* is done\r\n`)
		l.expects(prompt)
		l.says("ip netns exec prodns sh", `\[veth-pair: prodns\] # `)
		l.says("ip link add other type bridge", `prodns: interface other appeared`)
		l.expects(`\[veth-pair: prodns\] # `)
		l.types("exit\n")
		l.expects(prompt)
		l.says("lab log", `a command that the shell does not tell.\r\n +namespace prdns appeared`)
		l.expects(prompt)
		l.types("exit\n")
		l.ends()
		again := l.joins(t, uid, "lab", "start", "veth-pair", "--shell", "sh")
		again.expects(
			`could not be run again; what they did is missing:\r\n +in step [23]: a command that the shell does not tell`)
		again.expects(`Step 3 of 7`)
		again.expects(prompt)
		again.says("ip netns list | sort | xargs", `prodns testns\r\n`)
		again.types("exit\n")
		again.ends()
	})
}

// TestLabKeepsNothing: where nothing can be written the lab works all the same, and says so once.
func TestLabKeepsNothing(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		home := t.TempDir()
		if err := errors.Join(os.Chown(home, uid, uid), os.Chmod(filepath.Dir(home), 0o755),
			os.WriteFile(filepath.Join(home, ".local"), nil, 0o400)); err != nil {
			t.Fatal(err)
		}
		l := sitsAt(t, uid, home, "lab", "start", "veth-pair")
		l.expects(`harness: your progress is not kept: .*\r\n`)
		l.expects(prompt)
		l.says("ip netns add testns", `namespace testns appeared`)
		l.expects(prompt)
		l.says("lab log", `\$ ip netns add testns\r\n`)
		l.expects(prompt)
		l.types("exit\n")
		if status := l.ends(); status != 0 {
			t.Errorf("status %d\n%s", status, l.all())
		}
	})
}

// TestLabLooks: an empty line, and lab itself, look at nothing, in every shell. What was looked at the last time need
// not be looked at again, where the shell tells it.
func TestLabLooks(t *testing.T) {
	for shell, prompt := range map[string]string{"bash": prompt, "zsh": prompt, "sh": `\[veth-pair\] # `} {
		t.Run(shell, func(t *testing.T) {
			needPrograms(t, shell)
			needPrograms(t, "ip")
			l := sits(t, anOrdinaryUserIfRoot(), "lab", "start", "veth-pair", "--shell", shell)
			l.expects(prompt)
			l.says("for n in testns prodns; do ip netns add $n; done", `step 1 of 7: .* is done\r\n`)
			l.expects(prompt)
			l.says("lab next", `Step 2 of 7`)
			for _, line := range []string{"", "", "lab check", ""} {
				l.expects(prompt)
				l.types(line + "\n")
			}
			l.expects(prompt)
			l.says("lab", `This step only looks`)
			l.expects(prompt)
			if shell != "sh" {
				l.says("ip r", `default via`)
				l.expects(prompt)
				l.types("exit\n")
				l.ends()
				l = l.joins(t, anOrdinaryUserIfRoot(), "lab", "start", "veth-pair", "--shell", shell)
				l.expects(`Step 2 of 7`)
				l.expects(prompt)
			}
			l.says("ip -n testns route", `step 2 of 7: .* is done\r\n`)
			l.expects(prompt)
			l.types("exit\n")
			l.ends()
		})
	}
}
