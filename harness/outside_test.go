package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestModuleOfSomebodyElse compiles docs/example-suite, which imports the packages as any module would; .ci/run runs
// it. That its own go.mod is up to date is not asked here: `make tidy` sees to it.
func TestModuleOfSomebodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a module")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	// A go.mod and a go.sum beside the real ones, which may be written to.
	mod := filepath.Join(t.TempDir(), "go.mod")
	copyFiles(t, mod, filepath.Join(root, "docs/example-suite/go.mod"))
	copyFiles(t, filepath.Join(filepath.Dir(mod), "go.sum"), filepath.Join(root, "docs/example-suite/go.sum"),
		filepath.Join(root, "go.sum"))
	for _, args := range [][]string{
		{"mod", "edit", "-replace=" + module + "=" + root, mod},
		{"vet", "-mod=mod", "-modfile=" + mod, "./..."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = filepath.Join(root, "docs/example-suite")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %q: %v\n%s", args, err, out)
		}
	}
}

// copyFiles writes the text of files into one, one after the other.
func copyFiles(t *testing.T, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, name := range from {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(to, all, 0o644); err != nil {
		t.Fatal(err)
	}
}
