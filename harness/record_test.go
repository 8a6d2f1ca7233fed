package main_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestRecordAtATerminal: what is wrong is told and may be typed again; exit writes the file.
func TestRecordAtATerminal(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	dir := t.TempDir()
	cmd := command(t, dir, "scenario", "record", "live.md")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, nil, nil
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
