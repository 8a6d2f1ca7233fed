package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
)

// The tests of the command line run the real, static binary.

var binary = sync.OnceValues(func() (string, error) { return labtest.Build(scratch) })

// scratch is a folder for the binary that other users may enter.
var scratch string

func TestMain(m *testing.M) {
	if os.Getenv(loadVariable) != "" {
		burn()
		return
	}
	if text := os.Getenv(limitsVariable); text != "" {
		beLimited(text)
	}
	labtest.MostlyWaiting()
	os.Exit(labtest.InFolder(m, &scratch))
}

// buildHarness builds the binary, once for all tests, and returns its path.
func buildHarness(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it builds the program and runs it")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// needPrograms skips the test if a program that a command starts is missing, also one in a shell script.
func needPrograms(t testing.TB, argv ...string) {
	t.Helper()
	if err := program.Installed(scenario.Command{Argv: argv}); err != nil {
		sandbox.Lacking(t, err)
	}
}

// call is the result of one call of the harness.
type call struct {
	stdout, stderr string
	status         int
}

// harness runs the binary in a folder and waits for its end.
func harness(t testing.TB, dir string, args ...string) call {
	t.Helper()
	return finish(t, command(t, dir, args...))
}

func command(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), buildHarness(t), args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	return cmd
}

func finish(t testing.TB, cmd *exec.Cmd) call {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %s: %v", strings.Join(cmd.Args, " "), err)
	}
	return call{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// want fails the test unless the call ended with the status and printed all of the words, on either stream.
func (c call) want(t testing.TB, status int, words ...string) {
	t.Helper()
	if c.status != status {
		t.Errorf("status %d, want %d", c.status, status)
	}
	for _, w := range words {
		if !strings.Contains(c.stdout+c.stderr, w) {
			t.Errorf("it does not say %q", w)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", c.stdout, c.stderr)
	}
}

// write puts a scenario into a new folder and returns the folder.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
