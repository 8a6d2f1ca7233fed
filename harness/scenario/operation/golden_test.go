package operation

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// realCommands are command lines as people write them, good and bad.
func realCommands(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestRealCommands compares the rendering of each command, or the word for which it is refused, with the golden file.
func TestRealCommands(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, line := range realCommands(t) {
		c, err := Parse(split(line))
		var unknown *UnknownWord
		switch {
		case err == nil:
			checkRoundTrip(t, c)
			fmt.Fprintf(&got, "%s\n    %q\n", line, c.Argv())
		case errors.As(err, &unknown) && unknown.Nearest != "":
			fmt.Fprintf(&got, "%s\n    unknown: %v, near %s\n", line, err, unknown.Nearest)
		case errors.As(err, &unknown):
			fmt.Fprintf(&got, "%s\n    unknown: %v\n", line, err)
		default:
			fmt.Fprintf(&got, "%s\n    refused: %v\n", line, err)
		}
	}
	const golden = "testdata/commands.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}
