// Package here is the hidden subcommand that the way into a lab ends with: a shell whose prompt names the lab. It runs
// where nsenter(1) has put it, in the namespaces of the lab. Only the subcommand lab imports it.
package here

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/program"
)

// Command is `harness lab here NAME`. It is hidden because it is of use only in a lab.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:    "here NAME",
		Short:  "Start a shell in the lab in which this process is",
		Hidden: true,
		Args:   status.Args(1, 1, "the name of the lab"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := shell(args[0]); err != nil {
				return fmt.Errorf("start a shell in the lab %s: %w", args[0], err)
			}
			return nil
		},
	}
}

// shell replaces this process by a shell. It reads no profile: those of the machine and of the home are not made for a
// sandbox, where much of what they read is out of reach.
func shell(lab string) error {
	bin, err := folder()
	if err != nil {
		return err
	}
	env := append(without(os.Environ(), "PATH", "PS1", "ENV", "BASH_ENV", "PROMPT_COMMAND", "HISTFILE"),
		program.ShellPath(bin), "PS1=["+lab+"] # ", "HISTFILE=")
	for _, args := range [][]string{{"bash", "--noprofile", "--norc", "-i"}, {"sh", "-i"}} {
		path, missing := program.LookPath(args[0])
		if missing == nil {
			return syscall.Exec(path, args, env)
		}
		err = missing
	}
	return err
}

// folder is a folder for PATH in which this program is called harness. In a sandbox it is made.
func folder() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if filepath.Base(self) == "harness" {
		return filepath.Dir(self), nil
	}
	dir, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return "", err
	}
	return dir, errors.Join(os.Chmod(dir, 0o755), os.Symlink(self, filepath.Join(dir, "harness")))
}

// without is an environment without some variables.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}
