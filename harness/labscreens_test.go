package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"netnscheck/harness/term"
)

// TestLabScreens: what a lab shows fits its terminal. Only commands, outputs and maps, which are to be read or copied
// as they are, may be wider on a narrow one.
func TestLabScreens(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "bash")
	needPrograms(t, "ip")
	for _, columns := range []uint16{40, 80, 200} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			l := &learner{TB: t, wide: columns, more: make(chan struct{})}
			cmd := command(t, home, "lab", "start", "veth-pair")
			cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME=", "XDG_RUNTIME_DIR=", "TERM=xterm",
				"SHELL=/bin/bash", "LC_ALL=C.UTF-8", "NO_COLOR=1")
			l.begins(cmd, os.Geteuid())
			l.expects(prompt)
			for _, line := range []string{"PS1='%''% '", "lab", "ip netns add testsn", "lab why", "lab hint", "lab hint",
				"lab map", "lab check", "lab solve", "lab", "lab next", "lab log", "lab next", "lab solve", "lab next",
				"lab solve", "lab map", "lab next", "lab", "lab why", "lab solve", "lab map", "lab check nonsense",
				"harness list", "harness list --course", "harness doctor --lab nat"} {
				l.types(line + "\n")
				l.expects(`%% `) // which the line that sets it has not
			}
			l.types("exit\n")
			l.ends()
			<-l.over
			for _, line := range strings.Split(l.all(), "\r\n") {
				output := strings.HasPrefix(line, "    ") // of programs, in blocks of the lesson
				copied := strings.HasPrefix(line, "  ") || strings.Contains(line, home) ||
					strings.Contains(line, ":  harness ")
				if n := term.Width(line); n > int(columns) && !output && !(copied && columns < 80) {
					t.Errorf("%d columns: %q", n, line)
				}
			}
			if testing.Verbose() {
				t.Log(l.all())
			}
		})
	}
}
