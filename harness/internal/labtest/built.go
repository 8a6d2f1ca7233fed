package labtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// InFolder runs the tests of a package with a new folder that other users may enter, and returns the exit status.
func InFolder(m *testing.M, folder *string) (status int) {
	dir, err := os.MkdirTemp("", "netnscheck-test-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	*folder = dir
	return m.Run()
}

// Build builds the real program, static as it is released, under the name harness in a folder.
func Build(dir string) (path string, err error) {
	path = filepath.Join(dir, "harness")
	cmd := exec.Command("go", "build", "-o", path, "netnscheck/harness")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the harness: %w\n%s", err, output)
	}
	return path, nil
}

// OrdinaryUser is the id of a user who owns nothing.
const OrdinaryUser = 31337

// EachUser runs a test as the user who runs the tests and, if that is root, as an ordinary user too.
func EachUser(t *testing.T, test func(t *testing.T, uid int)) {
	if os.Geteuid() == 0 {
		t.Run("as an ordinary user", func(t *testing.T) { t.Parallel(); test(t, OrdinaryUser) })
	}
	t.Run("as the user of the tests", func(t *testing.T) { t.Parallel(); test(t, os.Geteuid()) })
}

// Sit starts a program as a user on a new terminal of so many rows and columns, and returns the terminal's other end,
// which can be closed while somebody reads it.
func Sit(t testing.TB, cmd *exec.Cmd, uid int, rows, columns uint16) *os.File {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if uid != os.Geteuid() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(master.Fd()))
	if err := errors.Join(err, syscall.SetNonblock(fd, true), master.Close()); err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "terminal")
}
