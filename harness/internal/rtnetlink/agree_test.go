package rtnetlink

import (
	"testing"

	"netnscheck/harness/internal/labtest"
)

// After each command of the scripts the driver and the real programs have to leave the same state. A command that one
// refuses has to be refused by the other.
func TestLeavesTheStateThatTheRealProgramsLeave(t *testing.T) {
	labtest.Needs(t, "ip", "ping", "sysctl")
	labtest.Scripts(t, New(), "testdata/scripts/*.txt")
}
