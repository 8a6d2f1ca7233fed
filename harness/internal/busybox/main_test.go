package busybox

import (
	"os"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/rtnetlink"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

func newDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := New()
	if err != nil {
		sandbox.Lacking(t, err)
	}
	return d
}

// build runs commands by netlink.
func build(t testing.TB, w *netns.World, lines []string) {
	t.Helper()
	var cmds []operation.Command
	for _, line := range lines {
		c, err := operation.Parse(labtest.Command(t, line).Argv)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		cmds = append(cmds, c)
	}
	if err := rtnetlink.New().Build(t.Context(), w, cmds); err != nil {
		t.Fatal(err)
	}
}

// carryOut runs a command by the driver under test.
func carryOut(t testing.TB, w *netns.World, line string) scenario.Exchange {
	t.Helper()
	x, err := newDriver(t).Run(t.Context(), w, labtest.Command(t, line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return x
}
