package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

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
	return sandbox.OwnRun(usedBefore(m))
}

// usedBefore hides a /run with somebody's namespaces below the /run of the tests, as on a machine where `ip netns add`
// was used before.
type usedBefore struct{ *testing.M }

func (m usedBefore) Run() int {
	theirs := filepath.Join(namesDir, "theirs")
	if err := errors.Join(os.Mkdir(namesDir, 0o755), unix.Mount(namesDir, namesDir, "", unix.MS_BIND, ""),
		unix.Mount("", namesDir, "", unix.MS_SHARED, ""), mountOn(theirs, "/proc/self/ns/net")); err != nil {
		fmt.Fprintln(os.Stderr, "make names that the tests do not see:", err)
		return 1
	}
	return sandbox.OwnRun(m.M)
}
