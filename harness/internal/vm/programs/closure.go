package programs

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// closure is a set of files of a root folder: with a program the libraries that it is linked with and its loader, with
// a script its interpreter, with a symbolic link what it leads to. Names are absolute, as from within the root.
type closure struct {
	root  string
	dirs  []string          // where libraries are looked for, as the loader does (ld.so(8))
	files map[string]bool   // by their names without symbolic links in the folders
	links map[string]string // the same, and where they lead
}

func newClosure(root string, dirs ...string) *closure {
	dirs = append(dirs, strings.Fields("/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /lib "+
		"/usr/lib")...)
	return &closure{root: root, dirs: dirs, files: map[string]bool{}, links: map[string]string{}}
}

// unmerged are the folders that are links to those of the same names in a merged /usr.
var unmerged = []string{"bin", "sbin", "lib", "lib64"}

// merged puts a path, with or without a slash before it, where a merged /usr has it.
func merged(name string) string {
	slash := ""
	if strings.HasPrefix(name, "/") {
		slash, name = "/", name[1:]
	}
	if top, _, _ := strings.Cut(name, "/"); slices.Contains(unmerged, top) {
		name = "usr/" + name
	}
	return slash + name
}

// maxLinks is how many symbolic links a name may lead through, as in the kernel (MAXSYMLINKS).
const maxLinks = 40

// real is a name without symbolic links in its folders; the last element is taken as it is.
func (c *closure) real(name string) (string, error) {
	resolved, rest, followed := "/", strings.Split(strings.Trim(path.Clean(name), "/"), "/"), 0
	for len(rest) > 1 {
		at := path.Join(resolved, rest[0])
		rest = rest[1:]
		to, err := os.Readlink(filepath.Join(c.root, at))
		if err != nil {
			resolved = at
			continue
		}
		if followed++; followed > maxLinks {
			return "", fmt.Errorf("follow %s: too many symbolic links", name)
		}
		if path.IsAbs(to) {
			resolved = "/"
		}
		rest = append(strings.Split(strings.Trim(path.Clean(to), "/"), "/"), rest...)
	}
	return path.Join(resolved, rest[0]), nil
}

// add adds a file, what it leads to and what it needs. The error is fs.ErrNotExist if there is no such file.
func (c *closure) add(name string) error {
	for range maxLinks {
		at, err := c.real(name)
		if err != nil {
			return err
		}
		if c.files[at] {
			return nil
		}
		info, err := os.Lstat(filepath.Join(c.root, at))
		if err != nil {
			return fmt.Errorf("take %s: %w", name, err)
		}
		if info.Mode().IsRegular() {
			c.files[at] = true
			return c.addNeeded(at)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return fmt.Errorf("take %s: it is no file", name)
		}
		to, err := os.Readlink(filepath.Join(c.root, at))
		if err != nil {
			return fmt.Errorf("take %s: %w", name, err)
		}
		c.links[at] = to
		if name = to; !path.IsAbs(to) {
			name = path.Join(path.Dir(at), to)
		}
	}
	return fmt.Errorf("take %s: too many symbolic links", name)
}

// addTree adds a file, or all files of a folder.
func (c *closure) addTree(name string) error {
	at, err := c.real(name)
	if err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join(c.root, at), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(c.root, file)
		if err != nil {
			return err
		}
		err = c.add("/" + below)
		if errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink != 0 {
			return nil // it leads to what was left out
		}
		return err
	})
}

// addPackage adds what is wanted of a package.
func (c *closure) addPackage(pkg string) error {
	for _, w := range wanted {
		if w.pkg != pkg {
			continue
		}
		if err := c.addListed(strings.Fields(w.programs)); err != nil {
			return err
		}
		for _, f := range strings.Fields(w.files) {
			if err := c.addTree(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err // not every version of a package has all of them
			}
		}
	}
	return nil
}

// addListed adds programs of a package; not every version has all of them.
func (c *closure) addListed(programs []string) error {
	for _, p := range programs {
		for _, dir := range bins {
			err := c.add(path.Join(dir, p))
			if err == nil {
				break
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if _, gone := os.Lstat(filepath.Join(c.root, dir, p)); gone == nil {
				return fmt.Errorf("take the program %s: something that it needs is not there: %w", p, err)
			}
		}
	}
	return nil
}

// addNeeded adds what a file needs to be run.
func (c *closure) addNeeded(at string) error {
	data, err := os.ReadFile(filepath.Join(c.root, at))
	if err != nil {
		return fmt.Errorf("take %s: %w", at, err)
	}
	if line, ok := bytes.CutPrefix(data[:min(len(data), 256)], []byte("#!")); ok {
		line, _, _ = bytes.Cut(line, []byte("\n"))
		if words := strings.Fields(string(line)); len(words) > 0 {
			if err := c.add(words[0]); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil // data
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader := make([]byte, p.Filesz)
		if _, err := p.ReadAt(loader, 0); err != nil {
			return fmt.Errorf("take %s: read its loader: %w", at, err)
		}
		if err := c.add(strings.TrimRight(string(loader), "\x00")); err != nil {
			return fmt.Errorf("take %s: its loader: %w", at, err)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("take %s: read its libraries: %w", at, err)
	}
	for _, name := range libraries {
		if err := c.addLibrary(f, at, name); err != nil {
			return err
		}
	}
	return nil
}

// addLibrary adds a library where the loader would find it.
func (c *closure) addLibrary(f *elf.File, by, name string) error {
	var dirs []string
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, _ := f.DynString(tag)
		for _, p := range paths {
			dirs = append(dirs, strings.Split(strings.ReplaceAll(p, "$ORIGIN", path.Dir(by)), ":")...)
		}
	}
	for _, dir := range append(dirs, c.dirs...) {
		if !path.IsAbs(dir) {
			continue
		}
		err := c.add(path.Join(dir, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("take %s: its library %s is not there: %w", by, name, fs.ErrNotExist)
}

// write copies the files to a folder, and adds the links of installed packages.
func (c *closure) write(folder string) error {
	for name, to := range links {
		dir, file := path.Split(name)
		target := "/" + dir + to
		if _, taken := c.links["/"+name]; !taken && !c.files["/"+name] && c.has(target) {
			c.links["/"+dir+file] = to
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		if err := copyFile(filepath.Join(c.root, name), filepath.Join(folder, merged(name))); err != nil {
			return fmt.Errorf("copy the programs of a guest: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.links)) {
		to := filepath.Join(folder, merged(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("copy the programs of a guest: %w", err)
		}
		if err := os.Symlink(c.links[name], to); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("copy the programs of a guest: %w", err)
		}
	}
	return nil
}

func (c *closure) has(name string) bool { return c.files[name] || c.links[name] != "" }

// copyFile copies a file; of its mode the right to run it is kept.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return os.WriteFile(to, data, mode)
}
