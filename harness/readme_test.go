package main_test

import (
	"os"
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

// withoutTimes replaces what differs from run to run by an ellipsis.
func withoutTimes(text string) []string {
	times := regexp.MustCompile(`(\(| in )(under )?[0-9.]+ (ms|s|min)\b`)
	return strings.Split(strings.TrimSpace(times.ReplaceAllString(text, "$1…")), "\n")
}
