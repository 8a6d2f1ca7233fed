// Package modules reads a folder of kernel modules: which modules one needs, and the order in which they are loaded. It
// is for the packages below internal/vm. It loads nothing and runs no program: it reads what the modules say of
// themselves (modinfo(8)), so it needs neither depmod's files nor the kernel whose modules they are.
//
// The folder is /lib/modules/RELEASE of an installed kernel or of a package, or a tree in which a kernel was built.
package modules

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Tree is a folder of modules.
type Tree struct {
	fsys    fs.FS
	files   map[string]string   // a module's name, with _ for -, to its file
	builtin map[string]bool     // the modules and aliases that the kernel itself contains
	aliases map[string][]string // an alias to the names of modules; nil until an alias is asked for
	read    map[string]module   // the files that were read
}

// module is a file that was read: what it says of itself, and the whole, uncompressed.
type module struct {
	info Info
	data []byte
}

// Module is a module to load.
type Module struct {
	Name string
	File string // its path in the tree
	// Soft modules are wanted by others only if they can be had (softdep in modprobe.d(5)): loading one may fail.
	Soft bool
}

// endings are those of a module's file, with those of its compression.
var endings = []string{".ko", ".ko.xz", ".ko.zst", ".ko.gz"}

// ErrNone is the error of a folder without modules.
var ErrNone = errors.New("there are no kernel modules in it")

// Open reads the names of the modules in a folder. A kernel that has all modules built in has none: the error is
// ErrNone unless the folder has a list of those, modules.builtin.
func Open(fsys fs.FS) (*Tree, error) {
	t := &Tree{fsys: fsys, files: map[string]string{}, builtin: map[string]bool{}, read: map[string]module{}}
	err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || file == "build" || file == "source"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		name, isModule := moduleName(d.Name())
		if !isModule {
			return nil
		}
		// depmod.d(5): what an administrator put into updates goes before the kernel's own.
		if t.files[name] == "" || strings.HasPrefix(file, "updates/") {
			t.files[name] = file
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for kernel modules: %w", err)
	}
	listed, err := t.readBuiltin()
	if err != nil {
		return nil, err
	}
	if len(t.files) == 0 && !listed {
		return nil, ErrNone
	}
	return t, nil
}

// moduleName is the name of the module in a file, as the kernel has it: with _ where the file may have -.
func moduleName(file string) (name string, ok bool) {
	for _, e := range endings {
		if name, ok = strings.CutSuffix(file, e); ok {
			return normal(name), name != ""
		}
	}
	return "", false
}

func normal(name string) string { return strings.ReplaceAll(name, "-", "_") }

// The lists of what the kernel contains, as kbuild makes them: the files that would be modules, and what these would
// say of themselves (name.key=value, each ended by a NUL).
const (
	builtinFile     = "modules.builtin"
	builtinInfoFile = "modules.builtin.modinfo"
)

// readBuiltin reads the lists of what the kernel contains.
func (t *Tree) readBuiltin() (listed bool, err error) {
	text, err := fs.ReadFile(t.fsys, builtinFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read the list of built-in modules: %w", err)
	}
	for _, line := range strings.Fields(string(text)) {
		if name, ok := moduleName(path.Base(line)); ok {
			t.builtin[name], listed = true, true
		}
	}
	text, err = fs.ReadFile(t.fsys, builtinInfoFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read the aliases of built-in modules: %w", err)
	}
	for entry := range strings.SplitSeq(string(text), "\x00") {
		_, entry, _ = strings.Cut(entry, ".")
		if alias, ok := strings.CutPrefix(entry, "alias="); ok {
			t.builtin[normal(alias)] = true
		}
	}
	return listed, nil
}

// Files are the files of the modules, sorted, and the lists of those that are built in.
func (t *Tree) Files() []string {
	files := slices.Collect(maps.Values(t.files))
	for _, list := range []string{builtinFile, builtinInfoFile} {
		if _, err := fs.Stat(t.fsys, list); err == nil {
			files = append(files, list)
		}
	}
	slices.Sort(files)
	return files
}

// Has tells whether a module is in the kernel or in the tree.
func (t *Tree) Has(name string) bool {
	return t.builtin[normal(name)] || t.files[normal(name)] != ""
}

// Load returns the modules to load for the wanted ones, each after those that it needs, and which of the wanted ones
// there are none of. Each file has to be of the release, as uname -r prints it, unless that is "".
func (t *Tree) Load(release string, wanted ...string) (order []Module, missing []string, err error) {
	c := closure{tree: t, release: release, done: map[string]bool{}}
	for _, name := range wanted {
		found, err := c.add(name, false)
		if err != nil {
			return nil, nil, err
		}
		if !found && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return c.order, missing, nil
}

// closure is the order of loading as it grows.
type closure struct {
	tree    *Tree
	release string
	done    map[string]bool // the names that are in the order, or on the way into it
	order   []Module
}

// add puts a module, or what an alias stands for, into the order, after what it needs.
func (c *closure) add(name string, soft bool) (found bool, err error) {
	name = normal(name)
	if c.tree.builtin[name] || c.done[name] {
		return true, nil
	}
	file := c.tree.files[name]
	if file == "" && !soft {
		return false, nil
	}
	if file == "" {
		named, err := c.tree.aliased(name)
		if err != nil || named == "" {
			return false, err
		}
		return c.add(named, soft)
	}
	c.done[name] = true
	info, err := c.tree.Info(file)
	if err != nil {
		return false, err
	}
	if got := info.Release(); c.release != "" && got != c.release {
		return false, fmt.Errorf("load %s: it is a module of %s, and the kernel is %s", file, got, c.release)
	}
	for _, before := range info.Before {
		if _, err := c.add(before, true); err != nil {
			return false, err
		}
	}
	for _, needed := range info.Depends {
		found, err := c.add(needed, soft)
		if err != nil {
			return false, err
		}
		if !found {
			return false, fmt.Errorf("load %s: it needs the module %s, which is not there", file, needed)
		}
	}
	c.order = append(c.order, Module{Name: name, File: file, Soft: soft})
	for _, after := range info.After {
		if _, err := c.add(after, true); err != nil {
			return false, err
		}
	}
	return true, nil
}
