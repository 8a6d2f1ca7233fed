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

// compare carries a line out by the driver and by the real program, which have to leave the same state, or both refuse.
func compare(t *testing.T, ours, theirs *netns.World, line string) {
	t.Helper()
	cmd := labtest.Command(t, line)
	x, err := newDriver(t).Run(t.Context(), ours, cmd)
	var cannot *scenario.CannotSay
	if errors.As(err, &cannot) {
		return // a skip promises nothing
	}
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	output, status := labtest.Run(t, theirs, cmd.Argv)
	if (x.Status == 0) != (status == 0) {
		t.Errorf("%s: %s (%q) says %d, %q; the real one says %d, %q", line, x.By, x.Argv, x.Status, x.Output, status, output)
	}
	if diff := state.Compare(labtest.Observed(t, theirs), labtest.Observed(t, ours), "the real program", "the driver"); len(diff) > 0 {
		t.Fatalf("%s: %s (%q) left another state:\n\t%s", line, x.By, x.Argv, strings.Join(diff, "\n\t"))
	}
}

// The scripts are those of the netlink driver.
func TestLeavesTheStateThatIPRoute2Leaves(t *testing.T) {
	labtest.Needs(t, "busybox", "ip", "ping", "sysctl")
	scripts, err := filepath.Glob("../rtnetlink/testdata/scripts/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			ours, theirs := labtest.World(t), labtest.World(t)
			for _, line := range labtest.Lines(read(t, path)) {
				compare(t, ours, theirs, line)
			}
		})
	}
}

// Each of these lines is carried out by itself in the state that the lines above the gap made.
func TestLeavesTheStateThatIPRoute2LeavesLineByLine(t *testing.T) {
	labtest.Needs(t, "busybox", "ip", "ping")
	files, err := filepath.Glob("testdata/line-by-line/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			before, alone, _ := strings.Cut(read(t, path), "\n\n")
			var ours, theirs *netns.World
			var built *state.State
			for _, line := range labtest.Lines(alone) {
				// What changed nothing leaves the same state to the next one.
				if ours == nil || len(state.Diff(built, labtest.Observed(t, ours))) > 0 {
					ours, theirs = labtest.World(t), labtest.World(t)
					build(t, ours, labtest.Lines(before))
					build(t, theirs, labtest.Lines(before))
					built = labtest.Observed(t, ours)
				}
				compare(t, ours, theirs, line)
			}
		})
	}
}
