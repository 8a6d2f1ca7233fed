package image

import (
	"bufio"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cavaliergopher/cpio"

	"netnscheck/harness/internal/vm/modules"
	"netnscheck/harness/internal/vm/wire"
)

// folders are mounted on or written to by the guest, or are on every machine, so that lessons name them. The console
// that PID 1 begins with, /dev/console, is in the image that every kernel has built in (usr/default_cpio_list).
var folders = strings.Fields(
	"dev dev/pts etc home mnt proc root run sys tmp usr usr/bin usr/sbin usr/lib usr/lib64 usr/share var")

// links lead to where a merged /usr has everything, as in Debian since 12.
var links = map[string]string{
	"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "var/run": "/run",
}

// write writes the image to a file: folders, links and files, each kind in the order of their names.
func (c *Contents) write(file string, chosen choice) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("make the image: %w", err)
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := &writer{to: cpio.NewWriter(buffered), made: map[string]bool{}}
	if err := c.fill(w, chosen); err != nil {
		return err
	}
	for _, end := range []func() error{w.to.Close, buffered.Flush, f.Close} {
		if err := end(); err != nil {
			return fmt.Errorf("make the image: %w", err)
		}
	}
	return nil
}

func (c *Contents) fill(w *writer, chosen choice) error {
	for _, dir := range folders {
		if err := w.folder(dir); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(links)) {
		if err := w.link(name, links[name]); err != nil {
			return err
		}
	}
	harness, err := os.ReadFile(c.Harness)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	if err := w.file("init", 0o755, harness); err != nil {
		return err
	}
	if err := c.modules(w, chosen); err != nil {
		return err
	}
	if c.Programs != "" {
		if err := w.tree(os.DirFS(c.Programs)); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if err := w.file(strings.TrimPrefix(path.Clean(name), "/"), 0o644, c.Files[name]); err != nil {
			return err
		}
	}
	return nil
}

// modules writes the modules, uncompressed, and the lists of them.
func (c *Contents) modules(w *writer, chosen choice) error {
	for _, m := range chosen.all() {
		data, err := chosen.tree.Data(m.File)
		if err != nil {
			return err
		}
		if err := w.file(strings.TrimPrefix(c.path(m), "/"), 0o644, data); err != nil {
			return err
		}
	}
	var boot, demand strings.Builder
	for _, m := range chosen.boot {
		fmt.Fprintln(&boot, strings.TrimSpace(c.marked(m)+" "+modules.Parameters(m.Name)))
	}
	for _, a := range chosen.answers {
		demand.WriteString(a.Alias)
		for _, m := range a.Load {
			demand.WriteString(" " + c.marked(m))
		}
		demand.WriteByte('\n')
	}
	if err := w.file(strings.TrimPrefix(wire.ModulesFile, "/"), 0o644, []byte(boot.String())); err != nil {
		return err
	}
	if len(chosen.answers) == 0 {
		return nil
	}
	if err := w.link("usr/sbin/modprobe", "/init"); err != nil {
		return err
	}
	return w.file(strings.TrimPrefix(wire.DemandFile, "/"), 0o644, []byte(demand.String()))
}

// path is that of a module in the guest.
func (c *Contents) path(m modules.Module) string {
	return path.Join("/usr/lib/modules", c.Kernel.Release, m.Name+".ko")
}

// marked is the path of a module, after "?" if it may fail.
func (c *Contents) marked(m modules.Module) string {
	if m.Soft {
		return "?" + c.path(m)
	}
	return c.path(m)
}

// writer writes the entries of a cpio archive. All belong to root and have no time, so equal contents are equal bytes.
type writer struct {
	to   *cpio.Writer
	made map[string]bool // the folders so far
}

// folder makes a folder and those that it lies in.
func (w *writer) folder(name string) error {
	if name == "." || w.made[name] {
		return nil
	}
	if err := w.folder(path.Dir(name)); err != nil {
		return err
	}
	w.made[name] = true
	mode := cpio.FileMode(0o755)
	if name == "tmp" {
		mode = 0o1777
	}
	if err := w.to.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeDir | mode}); err != nil {
		return fmt.Errorf("write /%s to the image: %w", name, err)
	}
	return nil
}

func (w *writer) file(name string, mode cpio.FileMode, data []byte) error {
	return w.entry(name, cpio.TypeReg|mode, data)
}

func (w *writer) link(name, to string) error {
	return w.entry(name, cpio.TypeSymlink|0o777, []byte(to))
}

func (w *writer) entry(name string, mode cpio.FileMode, data []byte) error {
	if err := w.folder(path.Dir(name)); err != nil {
		return err
	}
	err := w.to.WriteHeader(&cpio.Header{Name: name, Mode: mode, Size: int64(len(data))})
	if err == nil {
		_, err = w.to.Write(data)
	}
	if err != nil {
		return fmt.Errorf("write /%s to the image: %w", name, err)
	}
	return nil
}

// tree writes what lies in a folder, at the same place below /.
func (w *writer) tree(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read the programs: %w", err)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("read the programs: %w", err)
		}
		switch {
		case d.IsDir():
			return w.folder(filepath.ToSlash(name))
		case d.Type()&fs.ModeSymlink != 0:
			to, err := fs.ReadLink(fsys, name)
			if err != nil {
				return fmt.Errorf("read the programs: %w", err)
			}
			return w.link(name, to)
		case d.Type().IsRegular():
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return fmt.Errorf("read the programs: %w", err)
			}
			return w.file(name, cpio.FileMode(info.Mode().Perm()), data)
		}
		return nil
	})
}
