package rtnetlink

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/state"
)

// The scripts are commands after each of which the driver has to leave the state that the real programs leave. A line that one
// refuses, the other has to refuse too.
func TestLeavesTheStateThatTheRealProgramsLeave(t *testing.T) {
	labtest.Needs(t, "ip", "ping", "sysctl")
	scripts, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			ours, theirs := labtest.World(t), labtest.World(t)
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range labtest.Lines(string(script)) {
				x := say(t, ours, line)
				output, status := really(t, theirs, line)
				if (x.Status == 0) != (status == 0) {
					t.Errorf("%s: status %d, errno %s, %q; the real one has %d: %s", line, x.Status, x.Errno, x.Message, status, output)
				}
				if diff := state.Compare(labtest.Observed(t, theirs), labtest.Observed(t, ours), "the real program", "the driver"); len(diff) > 0 {
					t.Fatalf("%s: other states:\n%s", line, join(diff))
				}
			}
		})
	}
}

func join(list []string) (text string) {
	for _, line := range list {
		text += "\t" + line + "\n"
	}
	return text
}

// changes is how two states differ, "" when they do not.
func changes(before, after *state.State) string { return join(state.Diff(before, after)) }
