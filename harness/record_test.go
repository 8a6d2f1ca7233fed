package main_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestRecordAtATerminal: line by line, what is wrong is told and may be typed again; exit writes the file.
func TestRecordAtATerminal(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	dir := t.TempDir()
	cmd := command(t, dir, "scenario", "record", "live.md")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, nil, nil
	cmd.Env = append(cmd.Environ(), "SHELL=/bin/sh") // which tells nobody what is typed: there is no shell, but lines
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	io.WriteString(tty, "# step: One\nip netns add testns\nip link | wc -l\n# stp: two\n# step: Two\nexit\n"+
		"ip -n testns link set lo up\nexit\n")
	out, _ := io.ReadAll(tty) // EIO when the terminal is closed
	said := strings.ReplaceAll(string(out), "\r\n", "\n")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"[live: set-up] $ ", "[live: One] $ ", "commands are not run by a shell",
		`there is no marker "stp", did you mean # step: …?`, "the step “Two” has no command yet", "wrote live.md\n",
		" passed, 0 did not, "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "live.md"))
	if err != nil || !strings.Contains(string(text), "- [ ] `lo` in `testns` is up\n") {
		t.Errorf("%v, it wrote\n%s", err, text)
	}
	if t.Failed() {
		t.Logf("it said\n%s", said)
	}
}

// TestRecordInTheAuthorsShell: an author has his own shell, with pipes and loops. What is none of a scenario is said, a
// mistake has a lab of its own, and what he typed becomes a file that passes.
func TestRecordInTheAuthorsShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh"} {
		t.Run(shell, func(t *testing.T) { recordInTheAuthorsShell(t, shell) })
	}
}

func recordInTheAuthorsShell(t *testing.T, shell string) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, shell)
		needPrograms(t, "ip")
		home := t.TempDir()
		if err := errors.Join(os.Chown(home, uid, uid), os.Chmod(filepath.Dir(home), 0o755)); err != nil {
			t.Fatal(err)
		}
		l := sitsWith(t, uid, home, []string{"SHELL=/bin/" + shell}, "scenario", "record", "live.md")
		at := func(section string) { l.expects(`\[live: ` + section + `\] # `) }
		at("set-up")
		l.types("# stp: One\n")
		l.expects(`not recorded: there is no marker "stp", did you mean # step: …\?`)
		at("set-up")
		l.types("# step: One\n")
		at("One")
		l.says("ip netns add left", `namespace left appeared`)
		at("One")
		l.says("for n in right; do ip netns add $n; done", `namespace right appeared`)
		at("One")
		l.says("ip netns | grep -c t", `2\r\n`)
		at("One")
		l.says("cd /tmp", `not recorded: it changes your shell alone`)
		at("One")
		l.types("# step: Two\n")
		at("Two")
		l.types("ip netns exec left bash\n")
		l.expects(`\[live: Two, in left\] # `)
		l.says("ip link set lo up", `left: lo`)
		l.expects(`\[live: Two, in left\] # `)
		l.types("exit\n")
		at("Two")
		l.types("# mistake: A typo\n")
		at("A typo")
		l.types("exit\n")
		l.expects(`the mistake “A typo” has no command yet`)
		at("A typo")
		l.says("ip -n left -br link show lo", `lo +DOWN`)
		at("A typo")
		l.says("ip -n lfet link set lo up", `Cannot open network namespace "lfet"`)
		at("A typo")
		l.types("exit\n")
		l.expects(`wrote live\.md`)
		l.expects(` passed, 0 did not, `)
		if status := l.ends(); status != 0 {
			t.Errorf("status %d", status)
		}
		text, err := os.ReadFile(filepath.Join(l.cmd.Dir, "live.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"$ sh -c 'for n in right; do ip netns add $n; done'\n",
			"$ sh -c 'ip netns | grep -c t'\n2\n", "- [ ] namespace `right` exists\n",
			"$ ip netns exec left ip link set lo up\n", "- [ ] `lo` in `left` is up\n", "### Mistake: A typo\n"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("it wrote no %q:\n%s", want, text)
			}
		}
		for _, no := range []string{"cd /tmp", "exit", "stp", "\x1b", "bash", "ip netns add left\n..."} {
			if strings.Contains(string(text), no) {
				t.Errorf("it wrote %q:\n%s", no, text)
			}
		}
	})
}
