package seat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/session/shell"
)

// Furniture is what a lab has for its shells.
type Furniture struct {
	// Lab is the name for the prompt, Secret part of each mark of the shells' hooks.
	Lab, Secret string
	// Programs are the names that this program has for the shells.
	Programs []string
	History  []byte
	// More is what a shell reads behind its usual file, by its name; nil if there is nothing more.
	More map[string]string
}

// Furnish puts it into the lab. It writes into folders that programs may have changed, but in their mounts alone, where
// they could write as well.
func (f Furniture) Furnish(w *netns.World) error {
	err := w.InMounts(func() error {
		if err := os.MkdirAll(shell.Bin, 0o755); err != nil {
			return err
		}
		for _, name := range f.Programs {
			if err := os.Symlink(sandbox.ProgramPath, filepath.Join(shell.Bin, name)); err != nil {
				return err
			}
		}
		if err := os.WriteFile(shell.History, f.History, 0o600); err != nil {
			return err
		}
		for _, name := range shell.Names {
			setup := shell.For(name, f.Lab, f.Secret)
			for path, text := range setup.Files {
				if path == setup.RC {
					text += f.More[name]
				}
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
	return greetNestedShells(w)
}

// greetNestedShells lets a bash that is started in another one have the same prompt and hooks.
func greetNestedShells(w *netns.World) error {
	err := w.InMounts(func() error {
		path := filepath.Join(home(), ".bashrc")
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

// home is the user's home, which is empty in the sandbox; / if there is none.
func home() string {
	home := os.Getenv("HOME")
	if !filepath.IsAbs(home) {
		return "/"
	}
	if st, err := os.Stat(home); err != nil || !st.IsDir() {
		return "/"
	}
	return home
}
