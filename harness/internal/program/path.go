package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/scenario/operation"
)

// systemDirs are searched after PATH: an ordinary user's PATH may lack them, and ip, tc and sysctl live there.
var systemDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"}

// ErrNotFound says that there is no such program.
var ErrNotFound = exec.ErrNotFound

// LookPath finds a program by its name in PATH and in the folders for system programs. A name with a slash is taken as
// it is, since it may mean a file of the lab alone. The error is an *exec.Error with ErrNotFound.
func LookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range searchPath() {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: ErrNotFound}
}

// Installed says whether the program is there that a command runs in the end, behind all `ip netns exec`; if not, that is a
// *scenario.Unavailable. In a namespace it may be missing where a refusal is expected: that is a lesson about a program that does not
// exist.
func Installed(cmd scenario.Command) error {
	ns, words := operation.Enter(cmd.Argv)
	if len(words) == 0 || ns != "" && cmd.Status.Refusal() {
		return nil
	}
	if _, err := LookPath(words[0]); err != nil {
		return NotInstalled(words[0])
	}
	return nil
}

// NotInstalled is the error for a command whose program is not there.
func NotInstalled(name string) error {
	return &scenario.Unavailable{Reason: fmt.Sprintf("the program %s is not installed", name)}
}

// searchPath is PATH without its relative folders, and the system's.
func searchPath() []string {
	var dirs []string
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), systemDirs...) {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// environment is what of ours is meant for programs, with their words in English and with the system's programs in reach.
func environment() []string {
	env := slices.DeleteFunc(sandbox.ProgramEnvironment(), func(kv string) bool { return strings.HasPrefix(kv, "PATH=") })
	return append(env, "LC_ALL=C", "PATH="+strings.Join(searchPath(), ":"))
}
