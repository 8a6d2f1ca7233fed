package netns

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Intend records that a program is about to make the namespace `name`, so that a killed harness leaves no namespace
// without an owner. Call it before the program starts; it does nothing in the sandbox. EEXIST: the name is there and is
// not ours.
func (w *World) Intend(name string) error {
	if !w.shared {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	return w.record().intend(w.Real(name))
}

// Adopt records what programs have made and removed. Call it after each program; it does nothing in the sandbox. What
// ends in the lab's id is the lab's: New has seen that nothing did before.
func (w *World) Adopt() error {
	if !w.shared {
		return nil
	}
	s := w.ground.(*site)
	found, err := s.found()
	if err != nil {
		return err
	}
	for entry := range found {
		w.Real(strings.TrimSuffix(entry, w.suffix()))
	}
	return s.adopt(found)
}

// found are the entries of /run/netns with names of the lab, with the inodes of the namespaces.
func (s *site) found() (map[string]uint64, error) {
	entries, err := s.places.list()
	if err != nil {
		return nil, fmt.Errorf("adopt namespaces: %w", err)
	}
	found := map[string]uint64{}
	for _, entry := range entries {
		if ofLab(entry, s.id) {
			found[entry], _ = s.places.inode(entry)
		}
	}
	return found, nil
}

func (s *site) adopt(found map[string]uint64) error {
	if s.record.has(found) {
		return nil
	}
	return s.record.change(func(names map[string]uint64) {
		clear(names)
		for real, inode := range found {
			names[real] = inode
		}
	})
}

// has tells whether the record's names are just these.
func (r *record) has(found map[string]uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Names) != len(found) {
		return false
	}
	for real, inode := range found {
		if known, ok := r.Names[real]; !ok || known != inode {
			return false
		}
	}
	return true
}

// removeNames takes the lab's names out of the machine's /run/netns.
func (s *site) removeNames() error {
	found, err := s.found()
	if err == nil {
		err = s.adopt(found)
	}
	errs := []error{err}
	s.record.mu.Lock()
	names := make([]string, 0, len(s.record.Names))
	for real := range s.record.Names {
		names = append(names, real)
	}
	s.record.mu.Unlock()
	for _, real := range names {
		err := unmountName(filepath.Join(namesDir, real))
		if err != nil && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, s.record.forget(real))
	}
	return errors.Join(errs...)
}
