// Package labtest holds the fixtures of tests: for those of the drivers a sandbox, worlds that have to close without an
// error, commands, and the state that they leave; for those of the whole the built program, users and a terminal; and
// how many tests run in parallel where most of them wait. It may be imported by tests alone and imports no driver. It
// never hides a failure: each function fails the test.
package labtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/observe"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// Main runs the tests of a package in a sandbox with a writable /run, and returns the exit status.
func Main(m *testing.M) int { return sandbox.TestMain(ownRun{m}) }

type ownRun struct{ *testing.M }

func (m ownRun) Run() int { return sandbox.OwnRun(m.M) }

// World is the world of a new lab in the sandbox. The test fails if it cannot be closed.
func World(t testing.TB) *netns.World { return world(t, netns.Options{}) }

// SharedWorld is a World whose names are in the host's /run/netns, as with --sandbox=off.
func SharedWorld(t testing.TB) *netns.World { return world(t, netns.Options{Shared: true}) }

func world(t testing.TB, o netns.Options) *netns.World {
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

// Needs skips the test if a program is missing.
func Needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := program.LookPath(p); err != nil {
			sandbox.Lacking(t, err)
		}
	}
}

// NeedsKernels skips a test that boots a guest or takes a kernel out of the user's cache, unless NETNSCHECK_KERNELS=1
// says that `harness vm` has fetched one there: a test fetches none. A caller that then finds none has to fail.
func NeedsKernels(t testing.TB) {
	t.Helper()
	if os.Getenv("NETNSCHECK_KERNELS") != "1" {
		t.Skip("it needs kernels that `harness vm` has fetched: set NETNSCHECK_KERNELS=1")
	}
}

// Command parses a command that may be refused.
func Command(t testing.TB, line string) scenario.Command {
	t.Helper()
	argv, err := scenario.Words(line)
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Command{Text: line, Argv: argv, Status: scenario.Status{Any: true}}
}

// Run runs a program in the host namespace of the lab.
func Run(t testing.TB, w *netns.World, argv []string) (output string, status int) {
	t.Helper()
	out, status, err := program.Run(t.Context(), w, netns.Host, argv, program.Limit)
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	return string(out), status
}

// Observed is the lab's state in normal form.
func Observed(t testing.TB, w *netns.World) *state.State {
	t.Helper()
	s, err := observe.Lab(t.Context(), w, observe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Normal()
}

// Driver is the part of a driver that these tests use, with the lab's internal world.
type Driver interface {
	Run(ctx context.Context, w *netns.World, cmd scenario.Command) (scenario.Exchange, error)
}

// Scripts runs the lines of each file by the driver under test and by the real programs (Agree).
func Scripts(t *testing.T, d Driver, pattern string) {
	scripts, err := filepath.Glob(pattern)
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "pings" {
				t.Skip("-short: it waits for unanswered pings")
			}
			t.Parallel()
			ours, theirs := World(t), World(t)
			for _, line := range Lines(Read(t, path)) {
				Agree(t, d, ours, theirs, line)
			}
		})
	}
}

// Agree runs a line by the driver under test and by the real program. Both have to leave the same state, or both have
// to refuse.
func Agree(t testing.TB, d Driver, ours, theirs *netns.World, line string) {
	t.Helper()
	cmd := Command(t, line)
	x, err := d.Run(t.Context(), ours, cmd)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	output, status := Run(t, theirs, cmd.Argv)
	if (x.Status == 0) != (status == 0) {
		t.Errorf("%s: %s (%q): status %d, %s %q; the real program: status %d, %q", line, x.By, x.Argv, x.Status,
			x.Errno, x.Output, status, output)
	}
	if diff := state.Compare(Observed(t, theirs), Observed(t, ours), "the real program", "the driver"); len(diff) > 0 {
		t.Fatalf("%s: %s (%q) left another state:\n\t%s", line, x.By, x.Argv, strings.Join(diff, "\n\t"))
	}
}

// Read is the text of a file.
func Read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Lines are the lines of a text, trimmed, without empty ones.
func Lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
