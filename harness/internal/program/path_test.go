package program

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSearchPath: directories that cannot be searched are left out of PATH. Root could search them all.
func TestSearchPath(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	dir := onlyPrograms(t)
	for _, name := range []string{"open", "closed", "closed/below"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(dir+"/closed", 0o755) })
	if err := os.Chmod(dir+"/closed", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("open", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	want := []string{dir + "/link", dir + "/open"}
	path := []string{dir + "/closed", dir + "/closed/below", dir + "/nowhere", "relative", want[0], want[1], want[1]}
	t.Setenv("PATH", strings.Join(path, ":"))
	if got := searchPath(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMissingBehindAClosedFolder: with a directory in PATH that may not be searched, execvp(3) fails with EACCES for a
// program that does not exist, which no lesson expects.
func TestMissingBehindAClosedFolder(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", closed+":"+os.Getenv("PATH"))
	cmd := exec.Command("env", "no-such-program")
	cmd.Env = environment()
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 127 || strings.Contains(string(output), "ermission") {
		t.Errorf("%v, %s; want status 127 and that there is none", err, output)
	}
}

// unprivileged reports whether the test continues in this process, as an ordinary user. As root it runs the test again
// as one and reports its result.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + strings.Join(systemDirs, ":"), ordinary + "=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	output, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		t.Skip("root cannot become another user here: ", err)
	}
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Errorf("as an ordinary user: %v\n%s", err, output)
	}
	return false
}

func TestLookPath(t *testing.T) {
	dir := onlyPrograms(t, "busybox", "nft")
	for name, target := range map[string]string{
		"ping": "busybox", "ip": dir + "/busybox", "cat": "busybox", "ss": "nft", "tc": "nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir+"/nft", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/arping", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{
		"busybox": true, "cat": true, // busybox's cat will do
		"ping": false, "ip": false, // but its ping and ip differ
		"nft": false, "ss": false, // may not be executed
		"tc": false, "arping": false, "wg": false,
	} {
		path, err := LookPath(name)
		var missing *exec.Error
		switch {
		case there && (err != nil || path != filepath.Join(dir, name)):
			t.Errorf("%s: %q, %v", name, path, err)
		case !there && (!errors.As(err, &missing) || missing.Name != name || !errors.Is(err, ErrNotFound)):
			t.Errorf("%s: %q, %v, want that it is not found", name, path, err)
		}
	}
	t.Setenv("PATH", dir+":"+t.TempDir())
	other := filepath.Join(filepath.SplitList(os.Getenv("PATH"))[1], "ping")
	if err := os.WriteFile(other, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if path, err := LookPath("ping"); path != other {
		t.Errorf("ping behind busybox's: %q, %v, want %s", path, err, other)
	}
}
