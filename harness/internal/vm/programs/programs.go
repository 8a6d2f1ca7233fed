// Package programs gathers the programs that a guest has: those that lessons run, with the libraries that they need. It
// is for the packages below internal/vm and the command vm. It installs nothing and runs none of them.
//
// They come from packages of one suite of Debian, so that guests are alike whatever machine they run on; iproute2,
// whose words lessons quote, may come from another. apt decides which packages a suite needs; of two suites the newer
// libraries serve both, and the older ones are there where the newer suite has none. Without apt they are this
// machine's own.
package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"netnscheck/harness/internal/vm/archive"
	"netnscheck/harness/internal/vm/store"
)

// DefaultSuite is the suite of the programs of a guest.
const DefaultSuite = "bookworm"

// Wanted are the programs of a guest.
type Wanted struct {
	Suite string // of Debian; "" for DefaultSuite
	// IPRoute2 is a series of iproute2 (5.10, 6.1, 6.15), newest, or a version of Debian's package; "" for that of the
	// suite.
	IPRoute2 string
	Host     bool // the programs of this machine, whatever they are
}

// Userland is a folder with programs.
type Userland struct {
	Root     string            // what the guest has below /: usr and etc
	Name     string            // where they come from, in words
	Packages map[string]string // the packages and their versions; nil for this machine's own
	Missing  []string          // programs of the list that this machine does not have
}

// IPRoute2 is the version of iproute2 without Debian's revision, "" if it is not known.
func (u Userland) IPRoute2() string {
	upstream, _, _ := strings.Cut(u.Packages["iproute2"], "-")
	return upstream
}

// Finder gathers programs.
type Finder struct {
	Store   *store.Store
	Offline bool // only what the store has
}

// kind is that of a userland's entry in the store: the folder root, and about.json.
const kind = "programs"

const aboutFile = "about.json"

// edition is raised when other files are taken from the same packages, or the store notes more of them.
const edition = 4

// about is what an entry keeps of how it was asked for and what it is.
type about struct {
	Edition  int
	Wanted   Wanted
	Userland Userland // without its path
}

// NameError is the error of a name in Wanted: the archive has nothing that is called so. Other errors are those of this
// machine.
type NameError struct{ Cause error }

func (e *NameError) Error() string { return e.Cause.Error() }

func (e *NameError) Unwrap() error { return e.Cause }

// Find gathers programs, or finds them in the store. The error is a *NameError if it is a name's.
func (f *Finder) Find(ctx context.Context, w Wanted) (Userland, error) {
	if w.Suite == "" {
		w.Suite = DefaultSuite
	}
	if w.Host {
		return f.host(ctx)
	}
	if f.Offline {
		return f.stored(ctx, w)
	}
	a, err := archive.Open(ctx, f.Store)
	if errors.Is(err, archive.ErrNoApt) && w == (Wanted{Suite: DefaultSuite}) {
		return f.host(ctx)
	}
	if err != nil {
		return Userland{}, fmt.Errorf("gather the programs of a guest: %w", err)
	}
	packages, err := resolve(ctx, a, w)
	if err != nil {
		return Userland{}, err
	}
	u := Userland{Packages: map[string]string{}}
	for _, p := range packages {
		u.Packages[p.Name] = p.Version
	}
	u.Name = fmt.Sprintf("Debian %s, iproute2 %s", w.Suite, u.IPRoute2())
	dir, err := f.Store.Get(ctx, kind, entryName(w.Suite, u), func(dir string) error {
		f.tell("downloading the programs of a guest: " + u.Name)
		return gather(ctx, a, dir, packages, about{edition, w, u})
	})
	if err != nil {
		return Userland{}, err
	}
	u.Root = filepath.Join(dir, "root")
	return u, nil
}

func (f *Finder) tell(message string) {
	if f.Store.Tell != nil {
		f.Store.Tell(message)
	}
}

// entryName names the exact packages.
func entryName(suite string, u Userland) string {
	text, _ := json.Marshal([]any{edition, u.Packages}) // maps are written in the order of their keys
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%s_iproute2-%s_%s", suite, u.IPRoute2(), hex.EncodeToString(sum[:4]))
}

// resolve asks apt which packages it takes.
func resolve(ctx context.Context, a *archive.Archive, w Wanted) ([]archive.Package, error) {
	if !slices.Contains(archive.Suites, w.Suite) {
		return nil, &NameError{fmt.Errorf("gather the programs of a guest: there is no suite %s; there are: %s", w.Suite,
			strings.Join(archive.Suites, ", "))}
	}
	packages, err := a.Resolve(ctx, w.Suite, packageNames())
	if err != nil || w.IPRoute2 == "" {
		return packages, err
	}
	found, err := a.Versions(ctx, "iproute2", func(name string) bool { return name == "iproute2" })
	if err != nil {
		return nil, err
	}
	p, err := chooseIPRoute2(w.IPRoute2, found)
	if err != nil {
		return nil, err
	}
	if slices.Contains(p.Suites, w.Suite) {
		return packages, nil
	}
	older := slices.Index(archive.Suites, p.Suites[0]) < slices.Index(archive.Suites, w.Suite)
	names := []string{"iproute2=" + p.Version}
	if !older {
		names = append(names, "iptables") // with a newer libxtables, which tc brings, it warns: a table there has grown
	}
	other, err := a.Resolve(ctx, p.Suites[0], names)
	if err != nil {
		return nil, err
	}
	packages = slices.DeleteFunc(packages, func(p archive.Package) bool { return p.Name == "iproute2" })
	if older {
		return merge(other, packages), nil
	}
	return merge(packages, other), nil
}

// merge joins the packages of two suites so that the programs of both run: a library is compatible with what was linked
// with an older one of its name, so of a package in both the newer version is taken, and what the newer suite has goes
// over files of the same names.
func merge(older, newer []archive.Package) (both []archive.Package) {
	in := map[string]archive.Package{}
	for _, p := range newer {
		in[p.Name] = p
	}
	for _, p := range older {
		other, twice := in[p.Name]
		if !twice || archive.Compare(p.Version, other.Version) > 0 {
			both = append(both, p)
		}
	}
	for _, p := range newer {
		if !slices.ContainsFunc(both, func(o archive.Package) bool { return o.Name == p.Name }) {
			both = append(both, p)
		}
	}
	return both
}

// chooseIPRoute2 returns the newest version that a name stands for.
func chooseIPRoute2(name string, found []archive.Package) (archive.Package, error) {
	slices.SortFunc(found, func(a, b archive.Package) int { return archive.Compare(a.Version, b.Version) })
	best := -1
	var there []string
	for i, p := range found {
		upstream, _, _ := strings.Cut(p.Version, "-")
		if upstream == name || p.Version == name || strings.HasPrefix(upstream, name+".") ||
			name == "newest" && !slices.Equal(p.Suites, []string{"experimental"}) {
			best = i
		}
		if !slices.Contains(there, upstream) {
			there = append(there, upstream)
		}
	}
	if best < 0 {
		return archive.Package{}, &NameError{fmt.Errorf("find iproute2 %s: there is none; there are: %s", name,
			strings.Join(there, ", "))}
	}
	return found[best], nil
}

// gather downloads packages and takes the programs out of them.
func gather(ctx context.Context, a *archive.Archive, dir string, packages []archive.Package, info about) error {
	work, err := os.MkdirTemp(dir, ".packages")
	if err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	defer os.RemoveAll(work)
	if err := a.Download(ctx, work, packages...); err != nil {
		return errors.Join(err, a.Stale())
	}
	all := filepath.Join(work, "root")
	if err := makeMerged(all); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	for _, p := range packages {
		deb, err := p.FileIn(work)
		if err != nil {
			return err
		}
		if err := archive.Unpack(deb, all, place); err != nil {
			return err
		}
	}
	c := newClosure(all)
	for _, p := range packages {
		if err := c.addPackage(p.Name); err != nil {
			return err
		}
	}
	if err := c.write(filepath.Join(dir, "root")); err != nil {
		return err
	}
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, aboutFile), text, 0o644); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return os.RemoveAll(work)
}

// place puts the files of packages where a merged /usr has them, and leaves out what is only for readers.
func place(name string) string {
	name = merged(name)
	for _, dir := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/"} {
		if strings.HasPrefix(name, dir) {
			return ""
		}
	}
	return name
}

// makeMerged makes a root with a merged /usr, where programs name their loaders and libraries by the old paths.
func makeMerged(root string) error {
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	for _, dir := range unmerged {
		if err := os.Symlink("usr/"+dir, filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	return nil
}

// stored finds the programs in the store: of several the ones used last.
func (f *Finder) stored(ctx context.Context, w Wanted) (Userland, error) {
	entries, err := f.Store.List()
	if err != nil {
		return Userland{}, err
	}
	slices.SortStableFunc(entries, func(a, b store.Entry) int { return b.Used.Compare(a.Used) })
	for _, e := range entries {
		if e.Kind != kind {
			continue
		}
		var a about
		text, err := os.ReadFile(filepath.Join(e.Path, aboutFile))
		if err != nil || json.Unmarshal(text, &a) != nil || a.Edition != edition || a.Wanted != w {
			continue
		}
		dir, err := f.Store.Get(ctx, kind, e.Name, nil)
		if err != nil {
			return Userland{}, err
		}
		a.Userland.Root = filepath.Join(dir, "root")
		return a.Userland, nil
	}
	what := "Debian " + w.Suite
	if w.IPRoute2 != "" {
		what += " with iproute2 " + w.IPRoute2
	}
	return Userland{}, fmt.Errorf("find the programs of a guest (%s) offline: %w", what, store.ErrMissing)
}
