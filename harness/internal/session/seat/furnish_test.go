package seat

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPut: a file is put in the place of whatever a program of the lab has put there, and nothing happens to what that
// leads to.
func TestPut(t *testing.T) {
	mask := syscall.Umask(0o022) // that of the sandbox
	t.Cleanup(func() { syscall.Umask(mask) })
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	for name, plant := range map[string]func(path string) error{
		"nothing":     func(string) error { return nil },
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"a link":      func(path string) error { return os.Symlink(precious, path) },
		"a dead link": func(path string) error { return os.Symlink(filepath.Join(dir, "none"), path) },
		"a folder":    func(path string) error { return os.MkdirAll(filepath.Join(path, "in"), 0o755) },
		"a file":      func(path string) error { return os.WriteFile(path, []byte("else"), 0o600) },
		"a name":      func(path string) error { return os.Link(precious, path) },
		"the same":    func(path string) error { return os.WriteFile(path, []byte("text"), 0o644) },
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(precious, []byte("precious"), 0o644), plant(path)); err != nil {
			t.Fatal(err)
		}
		err := put(path, []byte("text"), 0o644)
		got, failed := os.ReadFile(path)
		info, wrong := os.Lstat(path)
		if err := errors.Join(err, failed, wrong); err != nil || string(got) != "text" || info.Mode() != 0o644 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if text, err := os.ReadFile(precious); err != nil || string(text) != "precious" {
			t.Errorf("%s: what it led to: %q, %v", name, text, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dead link was followed: %v", err)
	}
}

// TestLink: the same for a link.
func TestLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "link")
	for _, plant := range []func() error{
		func() error { return nil },
		func() error { return os.Symlink("elsewhere", path) },
		func() error { return os.MkdirAll(filepath.Join(path, "in"), 0o755) },
		func() error { return os.Symlink("there", path) },
	} {
		if err := errors.Join(os.RemoveAll(path), plant(), link("there", path)); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(path); err != nil || to != "there" {
			t.Errorf("it leads to %q, %v", to, err)
		}
	}
}
