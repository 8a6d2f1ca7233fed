// Package image makes the initramfs of a guest: this program as /init, the modules that it loads, and the programs that
// lessons run. It is for the packages below internal/vm and the command vm. It is the only writer of images; the same
// contents give the same bytes, and an image is made once.
//
// What PID 1 finds in it: its own program, at /init and /sbin/modprobe; the modules, uncompressed, and the lists of
// them at wire.ModulesFile and wire.DemandFile; the programs of lessons in /usr, with the links bin, sbin, lib and
// lib64 of a merged /usr; and empty folders to mount on.
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
	"slices"
	"strings"
	"time"

	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/modules"
	"netnscheck/harness/internal/vm/store"
)

// Contents is what goes into an image.
type Contents struct {
	Kernel kernels.Kernel
	// Harness is the path of this program, built static; "" is the running one.
	Harness string
	// Modules are loaded when the guest starts, beside modules.Boot.
	Modules []string
	// Programs is a folder that holds what the guest has below /: usr and etc; "" without programs.
	Programs string
	// Files are more files, by their absolute paths in the guest.
	Files map[string][]byte
}

// Image is an initramfs on this disk.
type Image struct {
	Path    string
	Modules []string // those that it loads when it starts, in their order
	Missing []string // those wanted of which the kernel has none
}

// Make returns the image with these contents, from the store if it is there.
func Make(ctx context.Context, s *store.Store, c Contents) (Image, error) {
	if err := c.complete(); err != nil {
		return Image{}, err
	}
	tree, err := c.Kernel.Tree()
	if err != nil {
		return Image{}, err
	}
	key, err := c.key(tree)
	if err != nil {
		return Image{}, err
	}
	made := false
	dir, err := s.Get(ctx, kind, key, func(dir string) error {
		made = true
		return c.make(dir, tree)
	})
	if err != nil {
		return Image{}, err
	}
	if made {
		// Each build of this program needs images of its own, which are soon made again.
		if _, err := s.Prune(time.Now().Add(-keep), kind); err != nil {
			return Image{}, err
		}
	}
	var image Image
	text, err := os.ReadFile(filepath.Join(dir, aboutFile))
	if err == nil {
		err = json.Unmarshal(text, &image)
	}
	if err != nil {
		return Image{}, fmt.Errorf("read what is in the image: %w", err)
	}
	image.Path = filepath.Join(dir, imageFile)
	return image, nil
}

// kind is that of an image's entry in the store: the image, and the names of its modules.
const kind = "images"

const (
	imageFile = "initramfs.cpio"
	aboutFile = "about.json"
)

// keep is how long an image stays that nobody uses.
const keep = 24 * time.Hour

// make makes an entry.
func (c *Contents) make(dir string, tree *modules.Tree) error {
	chosen, err := c.choose(tree)
	if err != nil {
		return err
	}
	image := Image{Missing: chosen.missing}
	for _, m := range chosen.boot {
		image.Modules = append(image.Modules, m.Name)
	}
	text, err := json.Marshal(image)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, aboutFile), text, 0o644); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return c.write(filepath.Join(dir, imageFile), chosen)
}

// Ready reports whether this program can be that of a guest.
func Ready() error { return new(Contents).complete() }

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
		return fmt.Errorf("take %s as the program of the guest: it is for %v, and a guest is x86-64", c.Harness,
			f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("take %s as the program of the guest: it needs shared libraries; `make build` makes one "+
				"that does not", c.Harness)
		}
	}
	return nil
}

// choice is what of a kernel's modules goes into an image.
type choice struct {
	tree    *modules.Tree // nil if the kernel has none
	boot    []modules.Module
	answers []modules.Answer
	missing []string
}

func (c *Contents) choose(tree *modules.Tree) (chosen choice, err error) {
	if chosen.tree = tree; tree == nil {
		return chosen, nil
	}
	wanted := slices.Concat(modules.Boot, c.Modules)
	chosen.boot, chosen.missing, err = tree.Load(c.Kernel.Release, wanted...)
	if err != nil {
		return chosen, err
	}
	chosen.missing = slices.DeleteFunc(chosen.missing, modules.Optional)
	asked := slices.Concat(modules.Boot, modules.Demand, c.Modules)
	chosen.answers, err = tree.Answers(c.Kernel.Release, asked...)
	return chosen, err
}

// all are the modules of a choice, each once, in the order of their names.
func (c choice) all() (list []modules.Module) {
	list = slices.Clone(c.boot)
	for _, a := range c.answers {
		list = append(list, a.Load...)
	}
	slices.SortFunc(list, func(a, b modules.Module) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b modules.Module) bool { return a.Name == b.Name })
}

// edition is raised when the writer changes what it makes of the same contents.
const edition = 4

// key is the name of the image: it depends on all that the image is made of. Files on this disk are taken by their
// path, size and time of modification, as make(1) does: to read them all would take as long as to make the image.
func (c *Contents) key(tree *modules.Tree) (string, error) {
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
	if tree != nil {
		for _, file := range tree.Files() {
			if err := stamp(filepath.Join(c.Kernel.Modules, file)); err != nil {
				return "", err
			}
		}
	}
	if c.Programs != "" {
		if err := stamp(c.Programs); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal([]any{edition, inputs, c.Kernel.Release, modules.Boot, modules.Demand, c.Modules, c.Files})
	if err != nil {
		return "", fmt.Errorf("name the image: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}
