package qemu

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
)

// start starts a process for a clock, which is killed at the end of the test.
func start(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// TestClock: the time of a process that waits is that which passes, that of a stopped one stands still, and a look is
// never more than a second.
func TestClock(t *testing.T) {
	cmd := start(t, "sleep", "1000")
	began := time.Now()
	c := NewClock(cmd.Process.Pid)
	c.last = c.last.Add(-time.Hour) // as if this machine had slept
	if had := c.Look(); had <= 0 || had > time.Second {
		t.Errorf("after an hour a look is %v", had)
	}
	c.last = c.last.Add(-500 * time.Millisecond)
	if had := c.Look(); had > 500*time.Millisecond+time.Since(began) {
		t.Errorf("after half a second a look is %v", had)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !c.stopped() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // until the kernel has stopped it
	}
	c.last = c.last.Add(-time.Second)
	if had := c.Look(); had != 0 {
		t.Errorf("a stopped process had %v", had)
	}
}

// TestRefused: what qemu says when it refuses its arguments comes with how it ended.
func TestRefused(t *testing.T) {
	labtest.Needs(t, Program)
	p, err := Start(false, "-M", "none", "-display", "none", "-nodefaults", "-no-such-option")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if how := p.How(); !strings.Contains(how, "exited with status 1: ") || !strings.Contains(how, "no-such-option") {
		t.Errorf("it says %q", how)
	}
}
