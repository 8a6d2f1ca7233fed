package netns

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// etcNames is where `ip netns exec NAME` finds what it puts over the files of /etc: in the folder NAME (ip-netns(8)).
const etcNames = "/etc/netns"

// mostEtcFiles is how many files below /etc/netns are looked at, and mostEtcText how much of their text, in bytes: the
// author of the scenario decides what is there.
const (
	mostEtcFiles = 1000
	mostEtcText  = 1 << 20
)

// EtcFiles describes what the lab's programs find below /etc/netns: of each path a word that differs if the file does.
// On a shared machine those are the folders of the lab's own namespaces, by their names in the lesson. There are none
// before the first program has run, or if the lab has no /etc of its own.
func (w *World) EtcFiles() (files map[string]string, err error) {
	files = map[string]string{}
	if w.shared {
		return files, w.describe(files)
	}
	if !w.started.Load() {
		return files, nil
	}
	lacks, err := w.Lacks()
	if err != nil || errors.Is(errors.Join(lacks...), ErrNoEtc) {
		return files, err
	}
	err = w.InMounts(func() error { return w.describe(files) })
	return files, err
}

// describe describes the files that the calling thread sees below /etc/netns.
func (w *World) describe(files map[string]string) error {
	room := mostEtcText
	err := filepath.WalkDir(etcNames, func(path string, e fs.DirEntry, err error) error {
		if path == etcNames && err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		entry, below, _ := strings.Cut(path[len(etcNames)+1:], "/")
		name, ours := w.nameOf(entry)
		if !ours {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		files[filepath.Join(etcNames, name, below)] = describeFile(path, e, &room)
		if len(files) == mostEtcFiles {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at %s: %w", etcNames, err)
	}
	return nil
}

// describeFile is a word for what a file is: of a regular one for its text, as long as there is room for that.
func describeFile(path string, e fs.DirEntry, room *int) string {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return ""
	}
	kind := fmt.Sprintf("%o", st.Mode)
	switch {
	case e.Type() == fs.ModeSymlink:
		target, _ := os.Readlink(path) // without it the link is still one
		return kind + " " + target
	case !e.Type().IsRegular() || st.Size > int64(*room):
		return fmt.Sprint(kind, " ", st.Rdev)
	}
	text, err := ReadFile(path)
	if err != nil {
		return kind
	}
	*room -= len(text)
	sum := sha256.Sum256(text)
	return kind + " " + hex.EncodeToString(sum[:])
}
