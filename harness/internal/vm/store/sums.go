package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// sumsFile is the list of an entry's files and empty folders, by their paths in it; other folders are in the paths. Its
// time of modification is that of the last use.
const sumsFile = ".sums.json"

type sum struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Runs   bool   `json:"runs,omitempty"`  // it may be executed
	Link   string `json:"link,omitempty"`  // where a symbolic link leads; it has no other fields
	Empty  bool   `json:"empty,omitempty"` // it is an empty folder; it has no other fields
}

func writeSums(dir string) error {
	sums, err := sumsOf(dir)
	if err != nil {
		return err
	}
	text, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), text, 0o644)
}

func sumsOf(dir string) (map[string]sum, error) {
	sums := map[string]sum{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == sumsFile {
			return err
		}
		if !d.IsDir() {
			sums[name], err = sumOf(path)
			return err
		}
		content, err := os.ReadDir(path)
		if len(content) == 0 && path != dir {
			sums[name] = sum{Empty: true}
		}
		return err
	})
	return sums, err
}

func sumOf(path string) (s sum, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return s, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		s.Link, err = os.Readlink(path)
		return s, err
	}
	file, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer file.Close()
	s.Runs = info.Mode()&0o111 != 0
	hash := sha256.New()
	if s.Size, err = io.Copy(hash, file); err != nil {
		return s, err
	}
	s.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return s, nil
}

func readSums(dir string) (map[string]sum, error) {
	text, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return nil, err
	}
	sums := map[string]sum{}
	if err := json.Unmarshal(text, &sums); err != nil {
		return nil, fmt.Errorf("its list of sums: %w", err)
	}
	return sums, nil
}

// whole verifies an entry: it has what was written, and nothing else. The error is os.ErrNotExist if there is
// none, else it says what is wrong with it.
func (s *Store) whole(dir string) error {
	want, err := readSums(dir)
	if err != nil {
		return err
	}
	got, err := sumsOf(dir)
	if err != nil {
		return fmt.Errorf("it cannot be read: %v", err) // not wrapped: the entry does exist
	}
	for name := range got {
		if _, written := want[name]; !written {
			return fmt.Errorf("%s was added", name)
		}
	}
	for name := range want {
		if there, ok := got[name]; !ok {
			return fmt.Errorf("%s is missing", name)
		} else if there != want[name] {
			return fmt.Errorf("%s is not what was written", name)
		}
	}
	return nil
}
