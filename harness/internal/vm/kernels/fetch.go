package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/vm/archive"
)

// kind is that of a kernel's entry in the store: vmlinuz, config, the folder modules, and about.json.
const kind = "kernels"

const aboutFile = "about.json"

// packaged finds a kernel of Debian: in the store, or in the archive.
func (f *Finder) packaged(ctx context.Context, s Spec) (Kernel, error) {
	from, err := f.Available(ctx)
	if err != nil {
		return Kernel{}, err
	}
	if f.Offline && len(from) == 0 {
		return Kernel{}, fmt.Errorf("find the kernel %s offline: there are no kernels in the cache", s.Text)
	}
	p, err := choose(s, from)
	if err != nil {
		if f.Offline {
			err = fmt.Errorf("offline, in the cache alone: %w", err)
		}
		return Kernel{}, &NameError{err}
	}
	if p.Lacks != "" {
		f.tell(fmt.Sprintf("%s boots without modules: the archive has no %s any more", p.Release, p.Lacks))
	}
	var fill func(dir string) error
	if !f.Offline {
		fill = func(dir string) error { return f.fetch(ctx, dir, p) }
	}
	dir, err := f.Store.Get(ctx, kind, p.Release+"_"+p.Version, fill)
	if err != nil {
		return Kernel{}, err
	}
	return entry(s.Text, dir, p), nil
}

func entry(name, dir string, p Packaged) Kernel {
	k := Kernel{Name: name, Release: p.Release, Package: p.Package, Version: p.Version,
		Image: filepath.Join(dir, "vmlinuz")}
	if p.Lacks == "" {
		k.Modules = filepath.Join(dir, "modules")
	}
	return k
}

// fetch downloads the packages of a kernel and unpacks them.
func (f *Finder) fetch(ctx context.Context, dir string, p Packaged) error {
	a, err := archive.Open(ctx, f.Store)
	if err != nil {
		return err
	}
	all, err := a.Versions(ctx, "linux-", func(name string) bool {
		return isKernelPackage(name) && strings.HasSuffix(name, "-"+p.Release)
	})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(part archive.Package) bool {
		return part.Version != p.Version || !slices.ContainsFunc(parts, func(prefix string) bool {
			return part.Name == prefix+p.Release
		})
	})
	f.tell(fmt.Sprintf("downloading Linux %s (%s)", p.Release, p.Version))
	debs, err := os.MkdirTemp(dir, ".debs")
	if err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	defer os.RemoveAll(debs)
	if err := a.Download(ctx, debs, all...); err != nil {
		return errors.Join(err, a.Stale())
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	if err := unpackKernel(dir, p, files); err != nil {
		return err
	}
	return os.RemoveAll(debs)
}

func (f *Finder) tell(message string) {
	if f.Store.Tell != nil {
		f.Store.Tell(message)
	}
}

// unpackKernel makes an entry from the packages of a kernel.
func unpackKernel(dir string, p Packaged, files []string) error {
	for _, file := range files {
		if err := archive.Unpack(file, dir, func(name string) string { return place(name, p.Release) }); err != nil {
			return err
		}
	}
	image := filepath.Join(dir, "vmlinuz")
	if _, err := os.Stat(image); err != nil {
		return fmt.Errorf("unpack the kernel %s: the package %s has no kernel in it (from 7.2 on it is in "+
			"linux-binary-%s, and the modules are in linux-modules-%s)", p.Release, p.Package, p.Release, p.Release)
	}
	if _, err := ReadRelease(image); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "modules")); err != nil && p.Lacks == "" {
		return fmt.Errorf("unpack the kernel %s: the package %s%s with its modules is missing", p.Release, modulesPrefix,
			p.Release)
	}
	return about(dir, p)
}

// about writes what a kernel is into its entry.
func about(dir string, p Packaged) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, aboutFile), text, 0o644); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return nil
}

// place is where a file of a kernel's packages goes in the entry, "" if it is left out.
func place(name, release string) string {
	name = strings.TrimPrefix(name, "usr/")
	switch name {
	case "boot/vmlinuz-" + release, "lib/modules/" + release + "/vmlinuz":
		return "vmlinuz"
	case "boot/config-" + release, "lib/modules/" + release + "/config":
		return "config"
	}
	module, ok := strings.CutPrefix(name, "lib/modules/"+release+"/")
	if !ok || module == "build" || module == "source" || !forGuest(module) {
		return ""
	}
	return path.Join("modules", module)
}

// forGuest tells whether a guest can use a module: not those for hardware that it does not have, which are nine tenths
// of all. No other module needs them.
func forGuest(module string) bool {
	rest, ok := strings.CutPrefix(module, "kernel/")
	if !ok {
		return true // the lists
	}
	top, rest, _ := strings.Cut(rest, "/")
	if top == "sound" {
		return false
	}
	if top != "drivers" {
		return true
	}
	driver, rest, _ := strings.Cut(rest, "/")
	if driver != "net" {
		return slices.Contains(guestDrivers, driver)
	}
	folder, _, below := strings.Cut(rest, "/")
	return !below || slices.Contains(guestLinks, folder)
}

var (
	guestDrivers = strings.Fields("block char crypto connector dax firmware hv nvdimm pps ptp vdpa vhost virtio xen")
	guestLinks   = strings.Fields("bonding hyperv ipvlan macsec netdevsim ovpn phy ppp slip team vxlan wireguard")
)

// stored are the kernels of Debian that the store has.
func (f *Finder) stored() (found []Packaged, err error) {
	entries, err := f.Store.List()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Kind != kind {
			continue
		}
		text, err := os.ReadFile(filepath.Join(e.Path, aboutFile))
		if err != nil {
			continue // broken: it is made anew when it is wanted
		}
		var p Packaged
		if json.Unmarshal(text, &p) == nil && p.Release != "" && e.Name == p.Release+"_"+p.Version {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, comparePackaged)
	return found, nil
}

// fromDeb takes the kernel in a package on this disk, and in those beside it that belong to it.
func (f *Finder) fromDeb(ctx context.Context, name, file string) (Kernel, error) {
	control, err := archive.ReadControl(file)
	if err != nil {
		return Kernel{}, err
	}
	var release string
	for _, prefix := range parts {
		if r, ok := strings.CutPrefix(strings.Replace(control.Name, "-unsigned", "", 1), prefix); ok {
			release = r
		}
	}
	switch {
	case release == "":
		return Kernel{}, fmt.Errorf("take the kernel from %s: the package %s holds no kernel (linux-image-RELEASE does)",
			file, control.Name)
	case control.Architecture != "amd64":
		return Kernel{}, fmt.Errorf("take the kernel from %s: it is for %s, and a guest is amd64", file,
			control.Architecture)
	}
	p := Packaged{Release: release, Series: seriesOf(release), Flavour: flavourOf(release), Package: control.Name,
		Version: control.Version}
	files, err := beside(file, release, control)
	if err != nil {
		return Kernel{}, err
	}
	sum, err := sumOf(files)
	if err != nil {
		return Kernel{}, err
	}
	dir, err := f.Store.Get(ctx, kind, "deb-"+sum, func(dir string) error { return unpackKernel(dir, p, files) })
	if err != nil {
		return Kernel{}, err
	}
	return entry(name, dir, p), nil
}

// beside are the packages in the folder of a .deb file that make up one kernel with it, itself last.
func beside(file, release string, control archive.Control) (files []string, err error) {
	for _, prefix := range parts {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(file), prefix+release+"_*.deb"))
		if err != nil {
			return nil, fmt.Errorf("look for packages beside %s: %w", file, err)
		}
		for _, other := range found {
			c, err := archive.ReadControl(other)
			if err == nil && c.Version == control.Version && c.Name != control.Name {
				files = append(files, other)
			}
		}
	}
	return append(files, file), nil
}

func sumOf(files []string) (string, error) {
	hash := sha256.New()
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read the package: %w", err)
		}
		_, err = io.Copy(hash, f)
		f.Close()
		if err != nil {
			return "", fmt.Errorf("read the package %s: %w", file, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}
