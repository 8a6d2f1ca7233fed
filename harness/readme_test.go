package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeShowsTheRealRun runs the command that README shows and compares the output, except the times.
func TestReadmeShowsTheRealRun(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	needPrograms(t, "ping")
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(readme), "<!-- transcript:begin -->\n```text\n$ go run ./harness ")
	shown, _, ended := strings.Cut(rest, "```\n<!-- transcript:end -->")
	if !begun || !ended {
		t.Fatal("README has no transcript between its marks")
	}
	arguments, shown, _ := strings.Cut(shown, "\n")
	real := harness(t, t.TempDir(), strings.Fields(arguments)...)
	real.want(t, 0)
	if diff := cmp.Diff(withoutTimes(shown), withoutTimes(real.stdout)); diff != "" {
		t.Errorf("README (-) shows another run than the real one (+):\n%s", diff)
	}
}

// TestReadmeGate plays README's example for CI, on one scenario of it, with an `ip` first in PATH that always fails: it
// has to fail. With the machine's own it passes.
func TestReadmeGate(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- gate:begin -->\n```sh\nmake build\nbin/harness ")
	gate, _, found := strings.Cut(rest, "\n```\n<!-- gate:end -->")
	if !found {
		t.Fatal("README has no example between its marks")
	}
	args := append(strings.Fields(gate), "veth-pair")
	harness(t, t.TempDir(), args...).want(t, 0, "pass     veth-pair  iproute2")
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "ip"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, t.TempDir(), args...)
	cmd.Env = append(os.Environ(), "PATH="+broken+":"+os.Getenv("PATH"))
	finish(t, cmd).want(t, 1, "fail     veth-pair  iproute2", "pass     veth-pair  netlink")
}

// withoutTimes replaces what differs from run to run by an ellipsis.
func withoutTimes(text string) []string {
	times := regexp.MustCompile(`(\(| in )(under )?[0-9.]+ (ms|s|min)\b`)
	return strings.Split(strings.TrimSpace(times.ReplaceAllString(text, "$1…")), "\n")
}
