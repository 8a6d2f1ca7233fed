package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"netnscheck/harness/internal/labworld"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session/shell"
)

// furnish puts the files of the shells into the lab, and the programs that a session adds. It writes into folders that
// programs may have changed, but in their mounts alone, where they could write as well.
func (s *session) furnish() error {
	err := labworld.Of(s.lab).InMounts(func() error {
		if err := os.MkdirAll(shell.Bin, 0o755); err != nil {
			return err
		}
		for _, name := range []string{"harness", "lab", "sudo"} {
			if err := os.Symlink(sandbox.ProgramPath, filepath.Join(shell.Bin, name)); err != nil {
				return err
			}
		}
		if err := os.WriteFile(shell.History, s.begin.History, 0o600); err != nil {
			return err
		}
		for _, name := range shell.Names {
			for path, text := range shell.For(name, s.begin.Scenario.ID, s.secret).Files {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("prepare the shell: %w", err)
	}
	return s.greetNestedShells()
}

// greetNestedShells lets a bash that is started in another one have the same prompt and hooks.
func (s *session) greetNestedShells() error {
	err := labworld.Of(s.lab).InMounts(func() error {
		path := filepath.Join(s.home(), ".bashrc")
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = file.WriteString(". " + shell.Home + "/bashrc\n")
		return errors.Join(err, file.Close())
	})
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, syscall.EROFS) {
		return nil // a home that is not the learner's own, such as /
	}
	return err
}

// home is the learner's home, which is empty in the sandbox; / if there is none.
func (s *session) home() string {
	home := os.Getenv("HOME")
	if !filepath.IsAbs(home) {
		return "/"
	}
	if st, err := os.Stat(home); err != nil || !st.IsDir() {
		return "/"
	}
	return home
}
