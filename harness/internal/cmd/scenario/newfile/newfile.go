// Package newfile writes the file of a new scenario and never over another one. The subcommands of the group scenario
// import it.
package newfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"netnscheck/harness/internal/cmd/status"
)

// Write writes a file that must not exist.
func Write(path, text string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return refused(path, err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Free refuses a path at which there is something, before any work is done for it.
func Free(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return refused(path, err)
	}
	return nil
}

func refused(path string, err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrExist):
		return status.Usagef("write %s: it exists; choose another name or remove it", path)
	case errors.As(err, &p):
		err = p.Err
	}
	return status.Usagef("write %s: %w", path, err)
}
