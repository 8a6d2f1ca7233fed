package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// maxSocket is the longest path of a Unix socket, in bytes (sun_path of unix(7), without the zero at its end).
const maxSocket = 107

// Listen listens at the socket on which an open lab is reached from other terminals: in the first folder that is for
// this user alone and can have one, which file systems of virtual machines often cannot. With sudo the calling user may
// connect, too. Where the lab is not locked, another process may have it open: then there is an error.
func (l *Lab) Listen() (net.Listener, error) {
	listener, err := l.listen()
	if err != nil {
		return nil, fmt.Errorf("listen at the socket of %s: %w", l.id, err)
	}
	return listener, nil
}

func (l *Lab) listen() (net.Listener, error) {
	var why error
	for _, dir := range l.socketFolders() {
		path := socketIn(dir, l.id)
		if path == "" {
			continue
		}
		if l.lock == nil && Answers(path) {
			return nil, errors.New("another process has it open")
		}
		listener, err := listenIn(dir, path)
		if err == nil {
			return listener, nil
		}
		if why != nil {
			err = fmt.Errorf("%w; %w", why, err)
		}
		why = err
	}
	if why == nil {
		why = fmt.Errorf("the paths of all folders are longer than %d bytes", maxSocket)
	}
	return nil, why
}

// listenIn listens at a socket in a folder that is made for it, and closed to others: the mode of the socket is of no
// account.
func listenIn(dir, path string) (net.Listener, error) {
	var listener net.Listener
	err := fs.ErrNotExist
	for try := 0; try < 3 && errors.Is(err, fs.ErrNotExist); try++ { // another lab may remove the folder meanwhile
		if err = makePrivate(dir); err == nil {
			_ = os.Remove(path) // it is one of a process that was killed
			listener, err = net.Listen("unix", path)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := give(path); err != nil {
		listener.Close()
		return nil, err
	}
	return &door{listener, dir}, nil
}

// door is a socket in a folder of its own or of several labs.
type door struct {
	net.Listener
	dir string
}

// Close closes the socket, and removes its folder if it was the last one there.
func (d *door) Close() error {
	err := d.Listener.Close()
	_ = os.Remove(d.dir)
	return err
}

// socketIn is the path of a lab's socket in a folder; "" if it would be too long.
func socketIn(dir, id string) string {
	for _, name := range []string{id, shortHash(id)} {
		if path := filepath.Join(dir, name+".sock"); len(path) <= maxSocket {
			return path
		}
	}
	return ""
}

// give lets the calling user of sudo, whose folder it is in, connect to a socket. Whatever else he may have put in its
// place meanwhile is not given to him.
func give(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	above, err := dir.Stat(".")
	if err != nil {
		return err
	}
	name := filepath.Base(path)
	if info, err := dir.Lstat(name); err != nil || info.Mode()&fs.ModeSocket == 0 {
		return errors.Join(err, fmt.Errorf("%s was replaced", path))
	}
	return dir.Lchown(name, int(ownerOf(above)), int(above.Sys().(*syscall.Stat_t).Gid))
}

// Answers reports whether a process listens at a socket: one that was killed leaves its file.
func Answers(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// socketFolders are the folders that a socket may be in, the best one first. One outside the state folder has its hash
// in its name: a lab of another state folder may have the same id.
func (l *Lab) socketFolders() []string {
	var all []string
	name := "netnscheck-" + shortHash(l.store.root)
	if info, err := os.Stat(l.store.runtime); l.store.runtime != "" && err == nil && info.IsDir() {
		all = append(all, filepath.Join(l.store.runtime, name))
	}
	return append(all, filepath.Join(l.store.root, "run"),
		filepath.Join(os.TempDir(), name+"-"+strconv.Itoa(os.Geteuid())))
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
