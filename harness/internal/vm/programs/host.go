package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// host gathers the programs of this machine.
func (f *Finder) host(ctx context.Context) (Userland, error) {
	u := Userland{Name: "the programs of this machine"}
	c := newClosure("/", libraryFolders("/etc/ld.so.conf")...)
	var stamps []string
	for _, name := range programNames() {
		file := lookPath(name)
		if file == "" {
			u.Missing = append(u.Missing, name)
			continue
		}
		if err := c.add(file); err != nil {
			return u, fmt.Errorf("gather the programs of a guest: %w", err)
		}
	}
	if !c.has("/usr/sbin/ip") && !c.has("/usr/bin/ip") && slices.Contains(u.Missing, "ip") {
		return u, errors.New("gather the programs of a guest: this machine has no iproute2, and no apt to get Debian's")
	}
	for _, w := range wanted {
		for _, name := range strings.Fields(w.files) {
			if err := c.addTree(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return u, fmt.Errorf("gather the programs of a guest: %w", err)
			}
		}
	}
	for name := range c.files {
		info, err := os.Stat(name)
		if err != nil {
			return u, fmt.Errorf("gather the programs of a guest: %w", err)
		}
		stamps = append(stamps, fmt.Sprint(name, info.Size(), info.ModTime().UnixNano()))
	}
	slices.Sort(stamps)
	text, err := json.Marshal([]any{edition, stamps, c.links})
	if err != nil {
		return u, err
	}
	sum := sha256.Sum256(text)
	dir, err := f.Store.Get(ctx, kind, "host_"+hex.EncodeToString(sum[:8]), func(dir string) error {
		return c.write(filepath.Join(dir, "root"))
	})
	u.Root = filepath.Join(dir, "root")
	return u, err
}

// lookPath finds a program in the folders of programs, which an ordinary user's PATH has not all of.
func lookPath(name string) string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/bin", "/sbin", "/bin") {
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		if err == nil && filepath.IsAbs(file) && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}

// libraryFolders are those of the loader's configuration (ldconfig(8)), in its order.
func libraryFolders(file string) (dirs []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil // musl has none
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "include":
			pattern := words[1]
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(file), pattern)
			}
			more, _ := filepath.Glob(pattern)
			for _, m := range more {
				if m != file {
					dirs = append(dirs, libraryFolders(m)...)
				}
			}
		case len(words) == 1 && filepath.IsAbs(words[0]):
			dirs = append(dirs, words[0])
		}
	}
	return dirs
}
