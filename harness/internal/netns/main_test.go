package netns

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(machine{m})) }

// machine gives the tests of shared labs a /run that is the machine's for them: the sandbox's own, to which they may write.
type machine struct{ *testing.M }

func (m machine) Run() int {
	if os.Getenv(roleVariable) != "" {
		return own()
	}
	if way := os.Getenv(wayVariable); way != "" {
		return goOneWay(way)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		fmt.Fprintln(os.Stderr, "mount /run:", err)
		return 1
	}
	return m.M.Run()
}
