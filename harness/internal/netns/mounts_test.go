package netns

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPlainFileMendsALinkThatLeadsNowhere(t *testing.T) {
	dir := t.TempDir()
	link, kept := filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts")
	if err := os.Symlink("../run/systemd/resolve/stub-resolv.conf", link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, kept, filepath.Join(dir, "missing")} {
		if err := plainFile(path); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() {
			t.Errorf("%s is no plain file: %v", path, err)
		}
	}
	if text, _ := os.ReadFile(kept); string(text) != "127.0.0.1 localhost\n" {
		t.Errorf("a plain file was changed to %q", text)
	}
}
