package rtnetlink

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(machine{m})) }

// machine gives the test of a shared lab a /run to which it may write: the sandbox's own.
type machine struct{ *testing.M }

func (m machine) Run() int {
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		fmt.Fprintln(os.Stderr, "mount /run:", err)
		return 1
	}
	return m.M.Run()
}

func newWorld(t testing.TB) *netns.World {
	t.Helper()
	w, err := netns.New(netns.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// needs skips the test when a program is missing.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := program.LookPath(p); err != nil {
			if os.Getenv(sandbox.Required) == "1" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
}

func command(t testing.TB, line string) scenario.Command {
	t.Helper()
	argv, err := scenario.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Command{Text: line, Argv: argv, Status: scenario.Status{Any: true}}
}

// say carries a line out by the driver under test.
func say(t testing.TB, w *netns.World, line string) scenario.Exchange {
	t.Helper()
	x, err := New().Run(t.Context(), w, command(t, line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return x
}

// must carries lines out that are not refused.
func must(t testing.TB, w *netns.World, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if x := say(t, w, line); x.Status != 0 {
			t.Fatalf("%s: status %d: %s (%s)", line, x.Status, x.Message, x.Errno)
		}
	}
}

// really carries a line out by the real program.
func really(t testing.TB, w *netns.World, line string) (output string, status int) {
	t.Helper()
	out, status, err := program.Run(t.Context(), w, netns.Host, command(t, line).Argv, program.Limit)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return string(out), status
}

func observed(t testing.TB, w *netns.World) *state.State {
	t.Helper()
	s, err := observe.Lab(t.Context(), w, observe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Normal()
}

// lines are the lines of a text without blanks around them, empty ones left out.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
