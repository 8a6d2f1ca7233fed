package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// madeFile says what of /run/netns was made for shared labs, so that the last of them takes it away again.
const madeFile = recordsDir + "/made"

type made struct {
	Dir   bool `json:"dir"`
	Mount bool `json:"mount"`
}

// makeNamesDir sees to it that the machine has a /run/netns that is a shared mount, as `ip netns add` does. What it is going to
// make it writes down before. The caller holds the lock of the records.
func makeNamesDir() error {
	m, err := readMade()
	if err != nil {
		return err
	}
	err = unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, "")
	switch {
	case err == nil:
		return nil // it is a mount, and shared
	case err != unix.ENOENT && err != unix.EINVAL:
		return fmt.Errorf("share %s: %w", namesDir, err)
	}
	m.Mount, m.Dir = true, m.Dir || err == unix.ENOENT
	if err := m.write(); err != nil {
		return err
	}
	if err := os.Mkdir(namesDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	unlock, err := lockNamesDir()
	if err != nil {
		return err
	}
	defer unlock()
	if err := unix.Mount(namesDir, namesDir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", namesDir, err)
	}
	if err := unix.Mount("", namesDir, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("share %s: %w", namesDir, err)
	}
	return nil
}

// readMade is what was made for the labs that there are.
func readMade() (m made, err error) {
	text, err := os.ReadFile(madeFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("read %s: %w", madeFile, err)
	}
	return m, nil
}

func (m made) write() error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", madeFile, err)
	}
	if err := os.WriteFile(madeFile+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(madeFile+".new", madeFile)
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

// tidy undoes makeNamesDir when there is no record but the given one, and nobody has put a name into the folder meanwhile: then it
// is theirs. It takes away what killed writers have left. The caller holds the lock of the records.
func tidy(last string) error {
	records, err := filepath.Glob(filepath.Join(recordsDir, "*.json"))
	if err != nil || slices.ContainsFunc(records, func(path string) bool { return path != last }) {
		return err
	}
	m, err := readMade()
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(namesDir); err == nil && len(entries) == 0 {
		if err := m.undo(); err != nil {
			return err
		}
	}
	strays, err := filepath.Glob(filepath.Join(recordsDir, "*.new"))
	if err != nil {
		return err
	}
	for _, path := range append(strays, madeFile) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// undo takes the mount and the folder away, unless somebody uses them.
func (m made) undo() error {
	if m.Mount {
		// A process that was killed a moment ago may still be on its way out of its copy of the mounts.
		err := await(leavingLasts, func() error {
			err := unix.Unmount(namesDir, 0)
			if err == unix.EINVAL || err == unix.ENOENT {
				return nil
			}
			return err
		})
		if err != nil && err != unix.EBUSY {
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

// leavingLasts is how long a mount that looks busy is taken for one that is being left.
const leavingLasts = 200 * time.Millisecond
