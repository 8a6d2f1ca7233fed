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

// TestRefusedFilesHaveNoValues: a file that is not graded does not count for what the learners have in common.
func TestRefusedFilesHaveNoValues(t *testing.T) {
	sc, err := scenario.Parse("t.md", []byte("# T\n\n## S\n\n- [ ] namespace `a` exists\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"anna.sh": "ip netns add a\n", "ben.sh": "\xff", "carl.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := &options{screen: screen.Plain(&bytes.Buffer{}, &bytes.Buffer{}, false), names: []string{dir}}
	all, err := o.read(sc)
	if of := scenarios(all); err != nil || len(all) != 3 || len(of) != 1 {
		t.Errorf("%d files, those of %d count: %v", len(all), len(of), err)
	}
}
