package seat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// Furnish puts it into the lab, or puts it right there: what is as it should be stays. It writes into folders that
// programs may have changed, but in their mounts alone, where they could write as well, and follows no link and waits
// for no pipe that they have put there.
func (f Furniture) Furnish(w *netns.World) error {
	err := w.InMounts(func() error {
		if err := folders(); err != nil {
			return err
		}
		for _, name := range f.Programs {
			if err := link(sandbox.ProgramPath, filepath.Join(shell.Bin, name)); err != nil {
				return err
			}
		}
		if info, err := os.Lstat(shell.History); err != nil || !info.Mode().IsRegular() { // one that is there goes on
			if err := put(shell.History, f.History, 0o600); err != nil {
				return err
			}
		}
		for _, name := range shell.Names {
			setup := shell.For(name, f.Lab, f.Secret)
			for file, text := range setup.Files {
				if file == setup.RC {
					text += f.More[name]
				}
				if err := put(file, []byte(text), 0o644); err != nil {
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

// folders makes the folders, in the place of whatever is none.
func folders() error {
	for _, path := range []string{shell.Home, shell.Bin} {
		if info, err := os.Lstat(path); err == nil && !info.IsDir() {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// link makes a symbolic link.
func link(to, path string) error {
	if is, err := os.Readlink(path); err == nil && is == to {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.Symlink(to, path)
}

// Write writes a file in the folder of the shell's files, in the place of whatever is there.
func Write(w *netns.World, path string, text []byte) error {
	return w.InMounts(func() error { return put(path, text, 0o644) })
}

// put writes a file, in the place of whatever is there and is not this text: a full disk takes nothing away.
func put(path string, text []byte, mode fs.FileMode) error {
	if info, err := os.Lstat(path); err == nil && info.Mode() == mode && info.Size() == int64(len(text)) &&
		has(path, text) {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// has reports whether a file has this text.
func has(path string, text []byte) bool {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	got, err := io.ReadAll(io.LimitReader(file, int64(len(text))+1))
	return err == nil && bytes.Equal(got, text)
}

// nested are files of the home folder by which a shell that is started in another one has the same prompt, hooks and
// programs: also a login shell, as tmux(1) starts them, whose /etc/profile sets PATH anew.
var nested = map[string]string{
	".bashrc":       ". " + shell.Home + "/bashrc\n",
	".bash_profile": path + ". " + shell.Home + "/bashrc\n",
	".profile":      path,
}

const path = `case ":$PATH:" in *:` + shell.Bin + `:*) ;; *) PATH=` + shell.Bin + ":$PATH ;; esac\n"

// greetNestedShells writes them where there are none.
func greetNestedShells(w *netns.World) error {
	err := w.InMounts(func() error {
		var errs []error
		for name, text := range nested {
			file, err := os.OpenFile(filepath.Join(home(), name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
			if err == nil {
				_, err = file.WriteString(text)
				err = errors.Join(err, file.Close())
			}
			if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) ||
				errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) {
				continue // a home that is not the learner's own, such as /, or that a command of before has filled
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return fmt.Errorf("prepare nested shells: %w", err)
	}
	return nil
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
