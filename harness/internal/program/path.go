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

// systemDirs are searched after PATH: an ordinary user's PATH may lack them, and ip, tc and sysctl live there.
var systemDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"}

// ErrNotFound says that there is no such program.
var ErrNotFound = exec.ErrNotFound

// LookPath finds a program by its name in PATH and in the folders for system programs. What this process may not
// execute is passed over, as execvp(3) does, and so is a link of busybox that bears the name of another program. A name
// with a slash is taken as it is, since it may mean a file of the lab alone. The error is an *exec.Error with
// ErrNotFound.
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

// executable asks the kernel, which knows more than the mode: ids, access lists, capabilities, mounts without exec.
func executable(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS) == nil
}

// isForeign says whether a program is a link to busybox or toybox, and has other words there.
func isForeign(path string) bool {
	if !slices.Contains(foreign, filepath.Base(path)) {
		return false
	}
	target, err := filepath.EvalSymlinks(path)
	return err == nil && slices.Contains([]string{"busybox", "toybox"}, filepath.Base(target))
}

// searchPath is PATH, and the system's folders. Relative ones are left out, and those that this process cannot search:
// because of one of them, execvp(3) says EACCES of a program that is in none. That is found by trying, from where
// programs are started.
func searchPath() []string {
	var dirs []string
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), systemDirs...) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) && searchable(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// searchable looks something up in a folder: itself. To find the folder is not enough.
func searchable(dir string) bool {
	_, err := os.Stat(dir + "/.")
	return err == nil
}

// environment is what of ours is meant for programs, with the words of programs in English and with the system's
// programs in reach.
func environment() []string {
	env := slices.DeleteFunc(sandbox.ProgramEnvironment(), func(kv string) bool {
		return strings.HasPrefix(kv, "PATH=")
	})
	return append(env, "LC_ALL=C", "PATH="+strings.Join(searchPath(), ":"))
}
