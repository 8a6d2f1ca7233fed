// Package kernels finds the kernels that a guest can boot: from what the user names to files on this disk. It is for
// the packages below internal/vm and the commands vm and bisect. It installs nothing and boots nothing.
//
// A kernel is named by
//
//   - a series of Debian (5.10, 6.12), newest, or one of these with a flavour (6.12-cloud, 6.12-rt): the newest version
//     that the archive has of it
//   - a suite of Debian (debian:sid, debian:trixie-cloud): the newest version there
//   - a release, as uname -r prints it (6.12.118+deb13-amd64), or the number of one (7.2.9)
//   - a package in a file (linux-image-….deb)
//   - an image (bzImage, vmlinuz) with the folder of its modules
//   - a tree in which a kernel was built for x86
package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"netnscheck/harness/internal/vm/modules"
	"netnscheck/harness/internal/vm/store"
)

// Kernel is a kernel on this disk.
type Kernel struct {
	Name    string // as the user named it
	Release string // as uname -r prints it; "" if an image without a version was named
	Package string // the Debian package it came from, "" if from none
	Version string // the version of that package
	Image   string // the path of the bzImage
	Modules string // the folder of its modules; "" without any
}

// Tree returns the modules of a kernel, nil if it has none.
func (k Kernel) Tree() (*modules.Tree, error) {
	if k.Modules == "" {
		return nil, nil
	}
	tree, err := modules.Open(os.DirFS(k.Modules))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.Modules, err)
	}
	return tree, nil
}

// Finder finds kernels. The zero value finds those in files that need no unpacking.
type Finder struct {
	Store   *store.Store // where packages are kept
	Offline bool         // only what the store has
	// Modules is the folder with the modules of an image that is named by its file: /lib/modules/RELEASE, or a folder
	// that has it at one of its usual places.
	Modules string
}

// NameError is the error of a name: there is no such kernel, or what is there is none. Other errors are those of this
// machine.
type NameError struct{ Cause error }

func (e *NameError) Error() string { return e.Cause.Error() }

func (e *NameError) Unwrap() error { return e.Cause }

// Find returns the kernel that spec names. The error is a *NameError if it is the name's.
func (f *Finder) Find(ctx context.Context, spec string) (Kernel, error) {
	s, err := Parse(spec)
	if err != nil {
		return Kernel{}, &NameError{err}
	}
	if s.Path == "" {
		return f.packaged(ctx, s)
	}
	k, err := f.inFile(ctx, spec, s)
	if err != nil && !errors.Is(err, syscall.ENOSPC) && ctx.Err() == nil {
		err = &NameError{err}
	}
	return k, err
}

// inFile returns a kernel that is named by its file or folder.
func (f *Finder) inFile(ctx context.Context, spec string, s Spec) (Kernel, error) {
	file := expandHome(s.Path)
	info, err := os.Stat(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && !strings.ContainsRune(spec, '/') {
			return Kernel{}, fmt.Errorf("find the kernel %s: there is no such file, and it is no series (6.12, newest), "+
				"suite (debian:sid) or release (6.1.0-57-amd64) of Debian", spec)
		}
		return Kernel{}, fmt.Errorf("find the kernel %s: %w", spec, err)
	}
	if strings.HasSuffix(file, ".deb") {
		return f.fromDeb(ctx, spec, file)
	}
	k := Kernel{Name: spec}
	if info.IsDir() {
		err = k.built(file)
	} else {
		err = k.image(file, f.Modules)
	}
	if err != nil {
		return Kernel{}, err
	}
	return k, nil
}

// TakesModules reports whether the kernel of this name has the modules of Finder.Modules: those of a package and of a
// tree are their own.
func TakesModules(spec string) bool {
	s, err := Parse(spec)
	if err != nil || s.Path == "" || strings.HasSuffix(s.Path, ".deb") {
		return false
	}
	info, err := os.Stat(expandHome(s.Path))
	return err != nil || !info.IsDir()
}

// expandHome puts the home folder in the place of ~: a shell does that only at the beginning of a word.
func expandHome(file string) string {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return file
}

// image takes a kernel in a file of its own, with the modules in a folder.
func (k *Kernel) image(file, folder string) (err error) {
	if k.Image, err = filepath.Abs(file); err != nil {
		return err
	}
	if k.Release, err = ReadRelease(file); err != nil {
		return err
	}
	if folder == "" {
		return nil
	}
	k.Modules, err = modulesIn(expandHome(folder), k.Release)
	return err
}

// modulesIn is the folder of a release's modules in a folder that the user named: itself, or where a package or
// `make modules_install` puts them below it.
func modulesIn(folder, release string) (string, error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); err != nil {
		return "", fmt.Errorf("find the modules: %w", err)
	}
	for _, below := range []string{".", release, "lib/modules/" + release, "usr/lib/modules/" + release} {
		dir := filepath.Join(abs, below)
		if entries, err := fs.Glob(os.DirFS(dir), "modules.order"); err == nil && len(entries) > 0 {
			return dir, nil
		}
	}
	return abs, nil
}

// built takes the kernel that was built in a tree: arch/x86/boot/bzImage, include/config/kernel.release, and the
// modules where kbuild leaves them, beside their sources.
func (k *Kernel) built(tree string) (err error) {
	k.Image, err = filepath.Abs(filepath.Join(tree, "arch/x86/boot/bzImage"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(k.Image); err != nil {
		return fmt.Errorf("find the kernel in %s: %w: is it built? (make bzImage modules)", tree, err)
	}
	if k.Release, err = ReadRelease(k.Image); err != nil {
		return err
	}
	k.Modules, err = filepath.Abs(tree)
	return err
}
