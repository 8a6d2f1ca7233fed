// Package image makes the initramfs of a guest: this program as /init, the modules that it loads, and the programs that
// lessons run. It is for the packages below internal/vm and the command vm. It is the only writer of images; the same
// contents give the same bytes, and an image is made once.
//
// What PID 1 finds in it: its own program at /init, the modules to load at ModuleList, the programs of lessons in /usr
// with the links bin, sbin, lib and lib64 of a merged /usr, the files of /etc, and empty folders to mount on.
package image

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/modules"
	"netnscheck/harness/internal/vm/store"
)

// Contents is what goes into an image.
type Contents struct {
	Kernel kernels.Kernel
	// Harness is the path of this program, built static; "" is the running one.
	Harness string
	// Modules are wanted beside modules.Wanted.
	Modules []string
	// Programs is a folder that holds what the guest has below /: usr and etc; "" without programs.
	Programs string
	// Files are more files, by their absolute paths in the guest.
	Files map[string][]byte
}

// Image is an initramfs on this disk.
type Image struct {
	Path    string
	Modules []string // those that it loads, in their order
	Missing []string // those wanted of which the kernel has none
}

// ModuleList is the path in the guest of the list of modules to load: a line for each, in their order: the path of its
// file, uncompressed, for finit_module(2) without flags, and after a space its parameters, if it has any. A line that
// begins with "?" is of a module that may fail.
const ModuleList = "/etc/netnscheck/modules"

// Make returns the image with these contents, from the store if it is there.
func Make(ctx context.Context, s *store.Store, c Contents) (Image, error) {
	if err := c.complete(); err != nil {
		return Image{}, err
	}
	load, missing, err := c.load()
	if err != nil {
		return Image{}, err
	}
	image := Image{Missing: missing}
	for _, m := range load {
		image.Modules = append(image.Modules, m.Name)
	}
	key, err := c.key(load)
	if err != nil {
		return Image{}, err
	}
	dir, err := s.Get(ctx, "images", key, func(dir string) error {
		return c.write(filepath.Join(dir, "initramfs.cpio"), load)
	})
	if err != nil {
		return Image{}, err
	}
	image.Path = filepath.Join(dir, "initramfs.cpio")
	return image, nil
}

// complete finds the program and checks that it runs without a library: a guest has none before its programs are there.
func (c *Contents) complete() (err error) {
	if c.Harness == "" {
		if c.Harness, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
	}
	f, err := elf.Open(c.Harness)
	if err != nil {
		return fmt.Errorf("read the program of the guest, %s: %w", c.Harness, err)
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		return fmt.Errorf("take %s as the program of the guest: it is for %v, and a guest is x86-64", c.Harness, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("take %s as the program of the guest: it needs shared libraries; `make build` makes one that "+
				"does not", c.Harness)
		}
	}
	return nil
}

// load is what the guest loads: the order of the modules, and which there are none of.
func (c *Contents) load() (load []modules.Module, missing []string, err error) {
	tree, err := c.Kernel.Tree()
	if tree == nil || err != nil {
		return nil, nil, err
	}
	return tree.Load(c.Kernel.Release, append(modules.Wanted[:len(modules.Wanted):len(modules.Wanted)], c.Modules...)...)
}

// edition is raised when the writer changes what it makes of the same contents.
const edition = 1

// key is the name of the image: it depends on all that the image is made of. Files on this disk are taken by their
// path, size and time of modification, as make does, since reading them all would take as long as making the image.
func (c *Contents) key(load []modules.Module) (string, error) {
	var inputs []string
	stamp := func(file string) error {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		inputs = append(inputs, fmt.Sprint(file, info.Size(), info.ModTime().UnixNano()))
		return nil
	}
	if err := stamp(c.Harness); err != nil {
		return "", err
	}
	for _, m := range load {
		if err := stamp(filepath.Join(c.Kernel.Modules, m.File)); err != nil {
			return "", err
		}
	}
	if c.Programs != "" {
		if err := stamp(c.Programs); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal([]any{edition, inputs, load, c.Files})
	if err != nil {
		return "", fmt.Errorf("name the image: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
