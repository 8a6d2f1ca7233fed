package rtnetlink

import (
	"testing"

	"netnscheck/harness/internal/labtest"
)

// The scripts are commands after each of which the driver has to leave the state that the real programs leave. A line
// that one refuses, the other has to refuse too.
func TestLeavesTheStateThatTheRealProgramsLeave(t *testing.T) {
	labtest.Needs(t, "ip", "ping", "sysctl")
	labtest.Scripts(t, New(), "testdata/scripts/*.txt")
}
