package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/program"
	"netnscheck/harness/internal/session/shell"
)

// Sudo is the program sudo of a lab, where everybody is root already: it runs the command as it is, and says once that
// it is not needed.
func Sudo(args []string) int {
	said, err := os.OpenFile(shell.Home+"/sudo-said", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		said.Close()
		fmt.Fprintln(os.Stderr, "sudo is not needed in a lab: you are root here")
	}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		option := args[0]
		args = args[1:]
		if option == "--" {
			break
		}
		if slices.Contains([]string{"-i", "-s", "--login", "--shell"}, option) && len(args) == 0 {
			args = []string{"sh"}
		}
		if slices.Contains([]string{"-u", "-g", "--user", "--group"}, option) && len(args) > 0 {
			fmt.Fprintf(os.Stderr, "sudo: the sudo of a lab runs commands as root alone, not with %s\n", option)
			return status.Failed
		}
	}
	env := os.Environ()
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "=") {
		env, args = append([]string{args[0]}, env...), args[1:] // the first one counts
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: sudo COMMAND [ARGUMENT]...")
		return status.Failed
	}
	path, err := program.LookPath(args[0])
	if err == nil {
		err = syscall.Exec(path, args, env)
	}
	if errors.Is(err, program.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "sudo: %s: command not found\n", args[0])
		return status.Failed
	}
	fmt.Fprintf(os.Stderr, "sudo: %s: %v\n", args[0], err)
	return status.Failed
}
