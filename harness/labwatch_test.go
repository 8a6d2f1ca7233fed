package main_test

import (
	"syscall"
	"testing"
)

// The sequences that switch to the alternate screen, and back from it.
const (
	entersScreen = `\x1b\[\?1049h`
	leavesScreen = `\x1b\[\?25h\x1b\[\?1049l`
)

// TestLabWatch: a lab can be watched from its shell, on the whole terminal, which is given back, and line by line.
func TestLabWatch(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		needPrograms(t, "stty")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("lab watch", entersScreen)
		l.expects(`Step 1 of 7: Create the namespaces`)
		l.expects(`q quit`)
		l.types("h")
		l.expects(`deals with namespaces is`)
		l.types("q")
		l.expects(leavesScreen)
		l.expects(prompt)
		l.says("stty -a", ` icanon`)
		l.expects(prompt)
		l.types(`lab watch --plain | while read -r line; do echo "$line"; case "$line" in ` +
			`Open:*prodns\ exists*) ip netns add testns;; Changed:*) ip netns add prodns; break;; esac; done` + "\n")
		l.expects(`Open: namespace prodns exists`)
		l.expects(`Changed: namespace testns appeared\.`)
		l.expects(prompt)
		l.says("lab watch --plain | head -1; echo read one li''ne", `read one line\r\n`) // and nothing more
		l.expects(prompt)
		l.says("exit", "")
		l.ends()
	})
}

// TestLabWatchBeside: a second terminal shows what is done in the first; it is given back after a signal, and when the
// lab ends.
func TestLabWatchBeside(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		watched := func() *learner {
			w := l.joins(t, uid, "lab", "watch", "veth-pair")
			w.expects(entersScreen)
			w.expects(`q quit`)
			return w
		}
		w := watched()
		l.types("ip netns add testns\n")
		w.expects(`─\*testns`)
		w.expects(`namespace testns appeared`)
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			other := watched()
			other.cmd.Process.Signal(signal)
			other.expects(leavesScreen)
			if status := other.ends(); status == 0 {
				t.Errorf("%s: status 0", signal)
			}
		}
		for _, args := range [][]string{{"lab", "watch"}, {"lab", "watch", "--plain"}} {
			other := l.joins(t, uid, args...)
			other.expects(`Step 1 of 7`)
			other.master.Close()
			other.ends()
		}
		l.types("exit\n")
		w.expects(leavesScreen)
		w.expects(`The lab has ended\.`)
		if status := w.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
		none := l.joins(t, uid, "lab", "watch")
		none.expects("no lab is open")
		if status := none.ends(); status != 2 {
			t.Errorf("status %d", status)
		}
	})
}
