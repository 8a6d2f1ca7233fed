package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyOrdinaryFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(filepath.Join(dir, "folder", "x"), nil); err == nil {
		t.Error("a file in a folder that is not there was written")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "folder"), []byte("x")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("x")); err == nil {
		t.Error("a device was replaced by a file")
	}
	open, err := os.Create(filepath.Join(dir, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	stdout := filepath.Join(dir, "stdout")
	// like /dev/stdout
	if err := os.Symlink(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), open.Fd()), stdout); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(stdout, []byte("x")); err == nil {
		t.Error("a link to an open file was replaced by a file")
	}
}

// TestAFileBesideOfSomebodyElse: in a shared folder another user may have created the temporary file, and could read
// what is written there.
func TestAFileBesideOfSomebodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := t.TempDir()
	beside := filepath.Join(dir, ".x.new")
	if err := os.WriteFile(beside, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(beside, 12345, 12345); err != nil {
		t.Skip(err)
	}
	if err := WritePrivateFile(filepath.Join(dir, "x"), []byte("secret")); err == nil {
		t.Error("it was written into a file of somebody else")
	}
	if text, err := os.ReadFile(beside); err != nil || len(text) > 0 {
		t.Errorf("the file of somebody else has %q, %v", text, err)
	}
}

func TestAPrivateFileIsItsOwnersAlone(t *testing.T) {
	for path, want := range map[string]os.FileMode{"private": 0o600, "public": 0o644} {
		path = filepath.Join(t.TempDir(), path)
		write := WriteFile
		if want == 0o600 {
			write = WritePrivateFile
		}
		if err := write(path, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
	}
}
