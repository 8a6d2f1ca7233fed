package reports

import (
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
