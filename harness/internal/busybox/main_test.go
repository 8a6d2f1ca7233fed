package busybox

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
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

func newDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New()
	if err != nil {
		sandbox.Lacking(t, err)
	}
	return d
}

func newWorld(t testing.TB, o netns.Options) *netns.World {
	t.Helper()
	w, err := netns.New(o)
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
			sandbox.Lacking(t, err)
		}
	}
}

// command is a line that may be refused.
func command(t testing.TB, line string) scenario.Command {
	t.Helper()
	argv, err := scenario.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Command{Text: line, Argv: argv, Status: scenario.Status{Any: true}}
}

// build carries lines out by netlink.
func build(t testing.TB, w *netns.World, lines []string) {
	t.Helper()
	var cmds []operation.Command
	for _, line := range lines {
		c, err := operation.Parse(command(t, line).Argv)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		cmds = append(cmds, c)
	}
	if err := rtnetlink.New().Build(t.Context(), w, cmds); err != nil {
		t.Fatal(err)
	}
}

// carryOut carries a line out by the driver under test.
func carryOut(t testing.TB, w *netns.World, line string) scenario.Exchange {
	t.Helper()
	x, err := newDriver(t).Run(t.Context(), w, command(t, line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return x
}

// run starts a program on the host.
func run(t testing.TB, w *netns.World, argv []string) (output string, status int) {
	t.Helper()
	out, status, err := program.Run(t.Context(), w, netns.Host, argv, program.Limit)
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
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

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
