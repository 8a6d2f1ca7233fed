package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// madeFile says what of /run/netns was made for shared labs, so that the last of them takes it away again.
const madeFile = recordsDir + "/made"

type made struct {
	Dir   bool `json:"dir"`
	Mount bool `json:"mount"`
}

// makeNamesDir sees to it that the machine has a /run/netns that is a shared mount, as `ip netns add` does. The caller
// holds the lock of the records.
func makeNamesDir() error {
	var m made
	switch err := os.Mkdir(namesDir, 0o755); {
	case err == nil:
		m.Dir = true
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	unlock, err := lockNamesDir()
	if err != nil {
		return err
	}
	defer unlock()
	err = unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, "")
	if err == unix.EINVAL { // it is no mount yet
		if err = unix.Mount(namesDir, namesDir, "", unix.MS_BIND|unix.MS_REC, ""); err == nil {
			m.Mount = true
			err = unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, "")
		}
	}
	if err == nil && m != (made{}) {
		var text []byte
		if text, err = json.Marshal(m); err == nil {
			err = os.WriteFile(madeFile, text, 0o600)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("share %s: %w", namesDir, err), m.undo())
	}
	return nil
}

// lockNamesDir takes the lock that iproute2 takes while it makes /run/netns shared.
func lockNamesDir() (unlock func(), err error) {
	dir, err := os.Open(namesDir)
	if err != nil {
		return nil, err
	}
	if err := flock(dir); err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", namesDir, err)
	}
	return func() { dir.Close() }, nil
}

// dropNamesDir undoes makeNamesDir when no shared lab is left, and nobody else has put a name there meanwhile: then the
// folder is theirs. The caller holds the lock of the records.
func dropNamesDir() error {
	records, err := filepath.Glob(filepath.Join(recordsDir, "*.json"))
	if err != nil || len(records) > 0 {
		return err
	}
	text, err := os.ReadFile(madeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m made
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read %s: %w", madeFile, err)
	}
	if entries, err := os.ReadDir(namesDir); err == nil && len(entries) == 0 {
		if err := m.undo(); err != nil {
			return err
		}
	}
	return os.Remove(madeFile)
}

// undo takes the mount and the folder away, unless somebody uses them.
func (m made) undo() error {
	if m.Mount {
		if err := unix.Unmount(namesDir, 0); err != nil && err != unix.EBUSY && err != unix.EINVAL {
			return fmt.Errorf("unmount %s: %w", namesDir, err)
		}
	}
	if m.Dir {
		if err := unix.Rmdir(namesDir); err != nil && err != unix.EBUSY && err != unix.ENOTEMPTY && err != unix.ENOENT {
			return fmt.Errorf("remove %s: %w", namesDir, err)
		}
	}
	return nil
}
