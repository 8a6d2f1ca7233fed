package netns

import (
	"os"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(machine{m})) }

// machine gives the tests of shared labs a /run that is the machine's for them: the sandbox's own, to which they may
// write.
type machine struct{ *testing.M }

func (m machine) Run() int {
	if os.Getenv(roleVariable) != "" {
		return own()
	}
	if way := os.Getenv(wayVariable); way != "" {
		return goOneWay(way)
	}
	return sandbox.OwnRun(m.M)
}
