package netns

import (
	"os"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(machine{m})) }

// machine gives the tests of shared labs the sandbox's own writable /run in the place of the host's.
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
