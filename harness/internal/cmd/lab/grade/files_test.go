package grade

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/scenario"
)

// TestNamesOfFilesForgeNoLines: what a learner calls a file is told in one line, whatever it is.
func TestNamesOfFilesForgeNoLines(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte("# T\n\n## S\n\n- [ ] namespace `a` exists\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"anna.sh", "x\nharness: anna.sh has all points", "y\x1b[2J\u202e"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("ip netns add a\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, told bytes.Buffer
	o := &options{screen: screen.Plain(&out, &told, false), names: []string{dir}}
	all, err := o.read(sc)
	if err != nil || len(all) != 1 || all[0].Name != "anna" {
		t.Fatalf("%+v, %v", all, err)
	}
	if lines := strings.Split(strings.TrimSpace(told.String()), "\n"); len(lines) != 2 ||
		!strings.HasSuffix(lines[0], `has all points is left out: it is neither *.json nor *.sh`) {
		t.Errorf("%q", lines)
	}
}
