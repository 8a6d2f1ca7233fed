package rtnetlink

import (
	"os"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// say runs a command by the driver under test.
func say(t testing.TB, w *netns.World, line string) scenario.Exchange {
	t.Helper()
	x, err := New().Run(t.Context(), w, labtest.Command(t, line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return x
}

// must runs commands that have to succeed.
func must(t testing.TB, w *netns.World, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if x := say(t, w, line); x.Status != 0 {
			t.Fatalf("%s: status %d: %s (%s)", line, x.Status, x.Message, x.Errno)
		}
	}
}
