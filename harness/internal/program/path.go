package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// systemDirs are searched after PATH: an ordinary user's PATH may lack the sbin directories, where ip, tc and sysctl
// are.
var systemDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"}

// ErrNotFound is the error if there is no such program.
var ErrNotFound = exec.ErrNotFound

// LookPath finds a program by its name in PATH and in the system's program directories. It skips files that this
// process may not execute, as execvp(3) does, and links to busybox under another program's name. A name with a slash is
// returned unchanged, since the file may exist in the lab alone. The error is an *exec.Error with ErrNotFound.
func LookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range searchPath() {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && executable(path) && !isForeign(path) {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: ErrNotFound}
}

// executable asks the kernel, which considers more than the mode: ids, ACLs, capabilities, noexec mounts.
func executable(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) == nil
}

// isForeign reports whether a program is a link to busybox or toybox and differs there (see foreign).
func isForeign(path string) bool {
	if !slices.Contains(foreign, filepath.Base(path)) {
		return false
	}
	target, err := filepath.EvalSymlinks(path)
	return err == nil && slices.Contains([]string{"busybox", "toybox"}, filepath.Base(target))
}

// searchPath is PATH followed by the system's directories, without relative ones and without those that this process
// may not search: with one of these in PATH, execvp(3) fails with EACCES instead of ENOENT for a program that is in no
// directory. Access is found out by trying, not computed from modes.
func searchPath() []string {
	var dirs []string
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), systemDirs...) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) && searchable(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// searchable reports whether this process may look up names in a directory. A stat of the directory alone would not
// tell.
func searchable(dir string) bool {
	_, err := os.Stat(dir + "/.")
	return err == nil
}

// environment is ShellEnvironment with LC_ALL=C, so that output is in English.
func environment() []string { return append(ShellEnvironment(), "LC_ALL=C") }

// ShellEnvironment is the environment of a shell that a person uses: sandbox.ProgramEnvironment with searchPath behind
// the given folders as PATH, and without a locale.
func ShellEnvironment(first ...string) []string {
	env := slices.DeleteFunc(sandbox.ProgramEnvironment(), func(kv string) bool {
		return strings.HasPrefix(kv, "PATH=")
	})
	return append(env, ShellPath(first...))
}

// ShellPath is the variable PATH of a shell that a person uses: the given folders, then searchPath.
func ShellPath(first ...string) string {
	return "PATH=" + strings.Join(append(first, searchPath()...), ":")
}
