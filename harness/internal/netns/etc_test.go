package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEtcIsCopiedWhereAnOverlayIsRefused stacks overlays on /etc until the kernel refuses one for real, as it refuses
// all of them in a user namespace before Linux 5.11, and has a lab's /etc made there.
func TestEtcIsCopiedWhereAnOverlayIsRefused(t *testing.T) {
	err := onThrowawayThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return fmt.Errorf("make a mount namespace: %w", err)
		}
		if err := ownRun(); err != nil {
			return err
		}
		if err := stackOnEtc(); err != nil {
			return err
		}
		_, unreadable := os.ReadFile("/etc/closed")
		if err := ownEtc(); err != nil {
			return err
		}
		lookAtCopy(t, unreadable != nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stackOnEtc mounts overlays on /etc, the first one with files of the test, until one is refused.
func stackOnEtc() error {
	if err := unix.Mkdir("/run/stack", 0o755); err != nil {
		return err
	}
	for i := range 4 {
		upper, work := fmt.Sprintf("/run/stack/upper%d", i), fmt.Sprintf("/run/stack/work%d", i)
		if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
			return err
		}
		err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir="+upper+",workdir="+work+",userxattr")
		switch {
		case err != nil && i == 0:
			return fmt.Errorf("mount an overlay on /etc: %w", err)
		case err != nil:
			return nil
		case i > 0:
			continue
		}
		if err := errors.Join(os.MkdirAll("/etc/folder/below", 0o755), os.Chmod("/etc/folder/below", 0o500),
			os.WriteFile("/etc/folder/file", []byte("text\n"), 0o640), os.Chown("/etc/folder/file", 0, 0),
			os.WriteFile("/etc/closed", nil, 0o000), os.WriteFile("/etc/set", nil, 0o755),
			os.Chmod("/etc/set", 0o755|fs.ModeSetuid|fs.ModeSetgid), os.Symlink("../nowhere", "/etc/link"),
			unix.Mkfifo("/etc/fifo", 0o666), os.MkdirAll("/etc/netns/theirs", 0o755)); err != nil {
			return fmt.Errorf("write to /etc: %w", err)
		}
	}
	return errors.New("the kernel stacks any number of overlays: nothing refuses one here")
}

func lookAtCopy(t *testing.T, closed bool) {
	var st unix.Statfs_t
	if err := unix.Statfs("/etc", &st); err != nil || st.Type != unix.TMPFS_MAGIC {
		t.Errorf("/etc has the file system %#x, %v", st.Type, err)
	}
	if text, err := os.ReadFile("/etc/folder/file"); string(text) != "text\n" {
		t.Errorf("the copied file: %q, %v", text, err)
	}
	for path, want := range map[string]fs.FileMode{"/etc": fs.ModeDir | 0o755, "/etc/folder": fs.ModeDir | 0o755,
		"/etc/folder/below": fs.ModeDir | 0o500, "/etc/folder/file": 0o640, "/etc/set": 0o755} {
		if st, err := os.Lstat(path); err != nil || st.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, st, err, want)
		}
	}
	if to, err := os.Readlink("/etc/link"); to != "../nowhere" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if _, err := os.Lstat("/etc/closed"); closed != errors.Is(err, fs.ErrNotExist) {
		t.Errorf("/etc/closed could not be read: %v; in the copy: %v", closed, err)
	}
	// /etc/shadow is for the machine's root alone, who has no id in the sandbox.
	for _, path := range []string{"/etc/fifo", "/etc/netns/theirs", "/run/.etc", "/etc/shadow"} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := errors.Join(os.WriteFile("/etc/new", nil, 0o644), os.Remove("/etc/folder/file"),
		os.MkdirAll("/etc/netns/ours", 0o755)); err != nil {
		t.Errorf("the lab's /etc takes no writes: %v", err)
	}
}
