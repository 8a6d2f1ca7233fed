package guest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"netnscheck/harness/internal/vm/wire"
)

// sendEvidence sends the regular files of the results folder as a tar archive, up to EvidenceSize bytes. What does not
// fit is told by the error.
func sendEvidence() error {
	if files, err := os.ReadDir(wire.Results); err != nil || len(files) == 0 {
		return err
	}
	port, err := openPort(evidencePort)
	if err != nil {
		return err
	}
	defer port.Close()
	defer drain(port)
	archive := tar.NewWriter(port)
	err = fill(archive, os.DirFS(wire.Results))
	return errors.Join(err, archive.Close())
}

// fill puts the regular files of a folder into an archive.
func fill(archive *tar.Writer, dir fs.FS) error {
	left, tooMuch := int64(wire.EvidenceSize), []error{}
	err := fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Size() > left {
			tooMuch = append(tooMuch, fmt.Errorf("send %s: %d bytes are too much", path, info.Size()))
			return nil
		}
		left -= info.Size()
		text, err := fs.ReadFile(dir, path) // nobody writes any more
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(path), Mode: 0o644,
			Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = archive.Write(text)
		return err
	})
	return errors.Join(append(tooMuch, err)...)
}
