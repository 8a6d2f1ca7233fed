package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxSocket is the longest path of a Unix socket, in bytes (sun_path of unix(7), without the zero at its end).
const maxSocket = 107

// Socket is the path of the socket on which an open lab is reached from other terminals. Its folder is made, and is one
// that no other user can enter.
func (l *Lab) Socket() (string, error) {
	path, err := l.socket()
	if err != nil {
		return "", fmt.Errorf("find a place for the socket of %s: %w", l.id, err)
	}
	return path, nil
}

func (l *Lab) socket() (string, error) {
	var errs []error
	for _, dir := range l.socketFolders() {
		for _, name := range []string{l.id, shortHash(l.id)} {
			path := filepath.Join(dir, name+".sock")
			if len(path) > maxSocket {
				continue
			}
			if err := makePrivate(dir); err != nil {
				errs = append(errs, err)
				break
			}
			return path, nil
		}
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return "", fmt.Errorf("the paths of all folders are longer than %d bytes", maxSocket)
}

// socketFolders are the folders that a socket may be in, the best one first. One outside the state folder has its hash
// in its name: a lab of another state folder may have the same id.
func (l *Lab) socketFolders() []string {
	var all []string
	own := "netnscheck-" + shortHash(l.store.root)
	if info, err := os.Stat(l.store.runtime); l.store.runtime != "" && err == nil && info.IsDir() {
		all = append(all, filepath.Join(l.store.runtime, own))
	}
	return append(all, filepath.Join(l.store.root, "run"),
		filepath.Join(os.TempDir(), own+"-"+strconv.Itoa(os.Geteuid())))
}

// makePrivate makes a folder for this user alone, or checks that it is one.
func makePrivate(path string) error {
	if err := makeFolder(path); err != nil {
		return err
	}
	return checkPrivate(path)
}

// checkPrivate checks that a folder is for this user alone: somebody else may have made it in /tmp.
func checkPrivate(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	above, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, me := ownerOf(info), uint32(os.Geteuid())
	mine := owner == me || me == 0 && owner == ownerOf(above) // see adopt
	if !info.IsDir() || !mine || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is no folder of this user alone (mode 0700)", path)
	}
	return nil
}

// Sockets are the sockets of labs that are open, or whose process was killed, by the name of the lab: its id, or a hash
// where that was too long. It makes nothing.
func (s *Store) Sockets() (map[string]string, error) {
	all := map[string]string{}
	for _, dir := range s.Lab("").socketFolders() {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for open labs: %w", err)
		}
		if checkPrivate(dir) != nil {
			continue // somebody else's
		}
		for _, e := range entries {
			name, is := strings.CutSuffix(e.Name(), ".sock")
			if _, known := all[name]; is && !known && e.Type()&os.ModeSocket != 0 {
				all[name] = filepath.Join(dir, e.Name())
			}
		}
	}
	return all, nil
}
