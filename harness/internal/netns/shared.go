package netns

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Intend records that a program is about to make the namespace `name`, so that a killed harness leaves no namespace
// without an owner. Call it before the program starts; it does nothing in the sandbox. The error wraps EEXIST if the
// name exists and is not the lab's.
func (w *World) Intend(name string) error {
	if !w.shared {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	return w.record().intend(w.Real(name))
}

// Adopt records the namespaces that programs have made and removed. Call it after each program; it does nothing in the
// sandbox. All names with the lab's suffix are the lab's: New has checked that there were none before.
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

// found returns the lab's entries in /run/netns, with the inodes of their namespaces.
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

// has reports whether the record has exactly these names.
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

// removeNames removes the lab's names from the host's /run/netns.
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
