package busybox

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario"
	"netnscheck/harness/state"
)

// The scripts are those of the netlink driver.
func TestLeavesTheStateThatIPRoute2Leaves(t *testing.T) {
	labtest.Needs(t, "busybox", "ip", "ping", "sysctl")
	labtest.Scripts(t, newDriver(t), "../rtnetlink/testdata/scripts/*.txt")
}

// Each line below the gap runs by itself in the state that the lines above the gap made.
func TestLeavesTheStateThatIPRoute2LeavesLineByLine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it runs each line in a lab of its own")
	}
	labtest.Needs(t, "busybox", "ip", "ping")
	files, err := filepath.Glob("testdata/line-by-line/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			before, alone, _ := strings.Cut(labtest.Read(t, path), "\n\n")
			var ours, theirs *netns.World
			var built *state.State
			d := newDriver(t)
			for _, line := range labtest.Lines(alone) {
				var cannot *scenario.CannotSay
				if errors.As(d.CanSay(labtest.Command(t, line)), &cannot) {
					continue // the driver would skip it
				}
				// Worlds that a line has not changed are used again.
				if ours == nil || len(state.Diff(built, labtest.Observed(t, ours))) > 0 {
					ours, theirs = labtest.World(t), labtest.World(t)
					build(t, ours, labtest.Lines(before))
					build(t, theirs, labtest.Lines(before))
					built = labtest.Observed(t, ours)
				}
				labtest.Agree(t, d, ours, theirs, line)
			}
		})
	}
}
