package reports

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDescriptor: paths that lead to an open file of this process are distinguished from others.
func TestDescriptor(t *testing.T) {
	dir := t.TempDir()
	for name, to := range map[string]string{
		"stdout": "/dev/stdout", "again": "stdout", "three": "/proc/self/fd/3", "null": os.DevNull, "round": "round",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		"-": 1, "/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/63": 63, "/proc/self/fd/5": 5,
		filepath.Join(dir, "stdout"): 1, filepath.Join(dir, "again"): 1, filepath.Join(dir, "three"): 3,
		"/dev/null": -1, filepath.Join(dir, "null"): -1, filepath.Join(dir, "round"): -1, filepath.Join(dir, "no"): -1,
		"junit.xml": -1, "/nowhere/junit.xml": -1, "/proc/self/fd/x": -1,
	} {
		if fd, ok := descriptor(path); ok != (want >= 0) || ok && fd != want {
			t.Errorf("%s stands for %d, %v; want %d", path, fd, ok, want)
		}
	}
}

// TestDiskIsNoPlaceForAReport: a block device is refused, though it could be opened.
func TestDiskIsNoPlaceForAReport(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	if err := syscall.Mknod(disk, syscall.S_IFBLK|0o600, 7<<8|250); err != nil {
		t.Skipf("no device can be made here: %v", err)
	}
	if _, err := openOutput(disk, &Standard{}); err == nil ||
		!strings.Contains(err.Error(), "it is not a file, pipe or") {
		t.Errorf("it was opened: %v", err)
	}
}

// TestSecondWriteIsNotTried: a stream's first error is reported, and nothing is written after the gap.
func TestSecondWriteIsNotTried(t *testing.T) {
	w := &failing{}
	o := &output{path: "-", std: 1, stream: w}
	for range 2 {
		if n, err := o.Write([]byte("text")); n != 4 || err != nil {
			t.Errorf("Write returned %d, %v", n, err)
		}
	}
	if err := o.close(); err == nil || err.Error() != "write the report on standard output: broken pipe" ||
		w.asked != 1 {
		t.Errorf("%v, after %d writes", err, w.asked)
	}
}

type failing struct{ asked int }

func (f *failing) Write([]byte) (int, error) {
	f.asked++
	return 0, syscall.EPIPE
}
