package store

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is what the store has under one name.
type Entry struct {
	Kind, Name string    // of a folder that Dir made its name, and ""
	Path       string    // its folder
	Size       int64     // of its files, in bytes
	Used       time.Time // when it was used last
}

// List returns the entries and the folders that Dir made, unless they are empty, ordered by kind and name.
func (s *Store) List() ([]Entry, error) {
	found, err := filepath.Glob(filepath.Join(s.dir, "*", "*", sumsFile))
	if err != nil {
		return nil, fmt.Errorf("list the cache: %w", err)
	}
	var entries []Entry
	for _, path := range found {
		dir := filepath.Dir(path)
		info, err := os.Stat(path)
		if err != nil {
			continue // removed meanwhile
		}
		e := Entry{Kind: filepath.Base(filepath.Dir(dir)), Name: filepath.Base(dir), Path: dir,
			Used: info.ModTime()}
		sums, _ := readSums(dir) // a broken entry is listed too: with no size
		for _, f := range sums {
			e.Size += f.Size
		}
		entries = append(entries, e)
	}
	dirs, err := filepath.Glob(filepath.Join(s.dir, "*", usedFile))
	if err != nil {
		return nil, fmt.Errorf("list the cache: %w", err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		if info, err := os.Stat(path); err == nil {
			e := Entry{Kind: filepath.Base(dir), Path: dir, Size: sizeOf(dir), Used: info.ModTime()}
			if e.Size > 0 {
				entries = append(entries, e)
			}
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return entries, nil
}

// sizeOf is the size of all files in a folder. What is removed meanwhile does not count.
func sizeOf(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// Prune removes the entries of some kinds, or of all, that were not used since a time and are not in use now, and what
// runs left that were killed. It returns what it removed.
func (s *Store) Prune(since time.Time, kinds ...string) (removed []Entry, err error) {
	entries, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Used.After(since) || len(kinds) > 0 && !slices.Contains(kinds, e.Kind) {
			continue
		}
		gone, err := s.remove(e.Kind, e.Name)
		if err != nil {
			return removed, err
		}
		if gone {
			removed = append(removed, e)
		}
	}
	partial, _ := filepath.Glob(filepath.Join(s.dir, "*", "*.partial"))
	for _, dir := range partial {
		kind, name := filepath.Base(filepath.Dir(dir)), strings.TrimSuffix(filepath.Base(dir), ".partial")
		if _, err := os.Stat(filepath.Join(s.dir, kind, name, sumsFile)); err == nil {
			continue // being made anew, or removed with its entry another time
		}
		if _, err := s.remove(kind, name); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// remove removes an entry and what was left of making it, unless someone uses it. The lock's file stays: a process
// that waits for it has it open.
func (s *Store) remove(kind, name string) (gone bool, err error) {
	dir := filepath.Join(s.dir, kind, name)
	l, err := openLock(dir)
	if err != nil {
		return false, err
	}
	defer l.release()
	if !l.try() {
		return false, nil
	}
	// The list of sums goes first: without it the rest is no entry.
	for _, path := range []string{filepath.Join(dir, sumsFile), dir, dir + ".partial"} {
		if err := os.RemoveAll(path); err != nil {
			return false, fmt.Errorf("remove %s from the cache: %w", filepath.Join(kind, name), err)
		}
	}
	return true, nil
}
