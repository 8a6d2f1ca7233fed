package tree

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBuild(t *testing.T) {
	labtest.Needs(t, "make")
	dir := t.TempDir()
	if Is(dir) {
		t.Error("an empty folder is taken for a source tree")
	}
	write(t, filepath.Join(dir, "Makefile"),
		"all:\n\techo built >image\n\tcat .config\nolddefconfig:\n\techo new >>.config\n")
	if Is(dir) {
		t.Error("a folder with a Makefile alone is taken for the tree of a kernel")
	}
	write(t, filepath.Join(dir, "Kconfig"), "")
	if !Is(dir) {
		t.Error("a folder with a Makefile and a Kconfig is not taken for the tree of a kernel")
	}
	if err := Build(t.Context(), dir, &bytes.Buffer{}); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("without .config: %v", err)
	}
	write(t, filepath.Join(dir, ".config"), "old\n")
	var out bytes.Buffer
	if err := Build(t.Context(), dir, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "image")); err != nil || !strings.Contains(out.String(), "old\nnew\n") {
		t.Errorf("%v; it was built with %q", err, out.String())
	}

	write(t, filepath.Join(dir, "Makefile"), "all:\n\tfalse\nolddefconfig:\n")
	if err := Build(t.Context(), dir, &out); err == nil {
		t.Error("a build that fails succeeds")
	}
}

// stopper stops a build as soon as it prints.
type stopper func()

func (s stopper) Write(text []byte) (int, error) {
	s()
	return len(text), nil
}

// TestBuildInterrupted: what make runs ends with it, long before it is done.
func TestBuildInterrupted(t *testing.T) {
	labtest.Needs(t, "make")
	t.Setenv("MAKELEVEL", "1") // as below `make test`: then make tells which folder it enters
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".config"), "")
	write(t, filepath.Join(dir, "Makefile"),
		"all:\n\t@touch begun; echo begun; sleep 1000; touch ended\nolddefconfig:\n\t@true\n")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := Build(ctx, dir, stopper(stop)); err == nil {
		t.Error("a build that was interrupted succeeds")
	}
	for name, want := range map[string]bool{"begun": true, "ended": false} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
