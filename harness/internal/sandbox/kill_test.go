package sandbox_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whenever it is killed, nothing is left: no process, no mount, no name of a namespace.
func TestKilledAtAnyMomentNothingIsLeft(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it kills 20 sandboxes")
	}
	for round := range 20 {
		marker := fmt.Sprintf("NETNSCHECK_TEST_MARKER=%d-%d", os.Getpid(), rand.Int64())
		before := traces(t)
		pause := time.Duration(rand.Int64N(int64(40 * time.Millisecond)))
		killOuter(t, marker, round%4 != 0, pause)
		if !await(func() bool { return len(marked(t, marker)) == 0 }) {
			t.Errorf("killed after %v: left the processes %v", pause, marked(t, marker))
		}
		// There may be other labs on this host at the same time. They remove what they make, so each trace has to go.
		known := func(trace string) bool { return slices.Contains(before, trace) }
		left := slices.DeleteFunc(traces(t), known)
		if !await(func() bool {
			now := traces(t)
			left = slices.DeleteFunc(left, func(trace string) bool { return !slices.Contains(now, trace) })
			return len(left) == 0
		}) {
			t.Errorf("killed after %v: left the traces\n%s", pause, strings.Join(left, "\n"))
		}
	}
}

// killOuter starts a process with a sandbox full of labs and kills it: some time after its first lab is ready, or after
// its start.
func killOuter(t *testing.T, marker string, wait bool, pause time.Duration) {
	t.Helper()
	cmd := exec.Command(self(t), "labs")
	cmd.Env = append(os.Environ(), roleVariable+"=outer", marker)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if wait {
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("it says %q, %v\n%s", line, err, complaints.String())
		}
		if n := len(marked(t, marker)); n < 4 {
			t.Errorf("only %d processes are found while it runs: the search is blind", n)
		}
	}
	time.Sleep(pause)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
}

// marked returns the processes on this host with the marker in their environment.
func marked(t *testing.T, marker string) []string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		if environ, err := os.ReadFile(path); err == nil &&
			slices.Contains(strings.Split(string(environ), "\x00"), marker) {
			found = append(found, filepath.Dir(path))
		}
	}
	return found
}

// traces returns the mounts and names of namespaces that this process sees.
func traces(t *testing.T) []string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "netns") || strings.Contains(line, "nsfs") {
			found = append(found, line)
		}
	}
	for _, pattern := range []string{"/run/netns/*", "/run/netnscheck/*", "/etc/netns/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, names...)
	}
	return found
}
