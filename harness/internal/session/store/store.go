// Package store keeps what learners leave in labs on the disk: the progress and the history of each lab, and the lock
// of who has it open. It alone knows where that is. The command line and session/client import it, outside the
// sandbox; what a file says is harness/sitting/progress's.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// Store is the state folder of a user (https://specifications.freedesktop.org/basedir-spec).
type Store struct {
	root    string // …/netnscheck
	runtime string // XDG_RUNTIME_DIR, "" if there is none
}

// Open finds the state folder in an environment, and makes nothing: XDG_STATE_HOME, or .local/state in the home folder.
// With sudo it is that of the calling user, who then finds his progress with and without it.
func Open(getenv func(string) string) (*Store, error) {
	s := &Store{runtime: absolute(getenv("XDG_RUNTIME_DIR"))}
	base := absolute(getenv("XDG_STATE_HOME"))
	if base == "" {
		home := homeOf(getenv)
		if home == "" {
			return nil,
				errors.New("find the state folder: the user has no home folder: set XDG_STATE_HOME to one that " +
					"can be written")
		}
		base = filepath.Join(home, ".local", "state")
	}
	s.root = filepath.Join(base, "netnscheck")
	return s, nil
}

// absolute is a path if it is absolute: others are to be ignored.
func absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return ""
}

// homeOf is the home folder, "" if there is none.
func homeOf(getenv func(string) string) string {
	if os.Geteuid() == 0 {
		if caller, err := user.LookupId(getenv("SUDO_UID")); err == nil {
			return absolute(caller.HomeDir)
		}
	}
	if home := absolute(getenv("HOME")); home != "" {
		return home
	}
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return ""
	}
	return absolute(u.HomeDir)
}

// ID is the name of a lab: the id of its scenario, what is done with it ("challenge", or "" for the scenario as it is),
// and for a file that is not of the catalogue a hash of its path, since two may have one id. The path is "" for the
// catalogue, and absolute otherwise.
func ID(scenario, variant, path string) string {
	id := scenario
	if variant != "" {
		id += "+" + variant
	}
	if path != "" {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		id += "-" + shortHash(path)
	}
	return id
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// Keeps is the state folder, and why nothing can be kept there; nil if something can. It tries that, and leaves
// nothing.
func (s *Store) Keeps() (folder string, err error) {
	dir := s.root
	for {
		_, err := os.Lstat(dir)
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	trial, err := os.MkdirTemp(dir, ".netnscheck-")
	if err != nil {
		return s.root, err
	}
	return s.root, os.Remove(trial)
}

// Lab is one lab of a user. Making it makes no file.
type Lab struct {
	id    string
	store *Store
	lock  *os.File // while it is locked
}

// Lab is the lab with an ID.
func (s *Store) Lab(id string) *Lab { return &Lab{id: id, store: s} }

func (l *Lab) dir() string { return filepath.Join(l.store.root, labsName, l.id) }

func (l *Lab) file(name string) string { return filepath.Join(l.dir(), name) }

// The folder of the labs, and the files of a lab.
const (
	labsName     = "labs"
	progressName = "progress.json"
	historyName  = "history"
	lockName     = "lock"
)

// Progress is the path of the progress file, for messages and for handing it in.
func (l *Lab) Progress() string { return l.file(progressName) }
