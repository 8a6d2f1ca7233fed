package archive

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"pault.ag/go/debian/version"
)

// Package is a version of a package.
type Package struct {
	Name    string
	Version string
	Suite   string // the newest suite that has it; "" if it was not asked for
}

// Compare orders versions as Debian does (deb-version(7)): negative if a is older than b.
func Compare(a, b string) int {
	va, errA := version.Parse(a)
	vb, errB := version.Parse(b)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return version.Compare(va, vb)
}

// Versions returns all versions in the archive of the packages whose names begin with a prefix, for which keep says yes.
func (a *Archive) Versions(ctx context.Context, prefix string, keep func(name string) bool) ([]Package, error) {
	if err := a.Update(ctx); err != nil {
		return nil, err
	}
	out, err := a.run(ctx, "apt-cache", "pkgnames", prefix)
	if err != nil {
		return nil, fmt.Errorf("list Debian's packages %s…: %w", prefix, err)
	}
	names := slices.DeleteFunc(strings.Fields(out), func(name string) bool { return !keep(name) })
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	out, err = a.run(ctx, "apt-cache", append([]string{"madison"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("list the versions of Debian's packages: %w", err)
	}
	return parseMadison(out), nil
}

// parseMadison reads the lines of apt-cache madison, "name | version | URI suite/component architecture Packages", and
// keeps one for each version.
func parseMadison(text string) (found []Package) {
	at := map[Package]int{}
	for line := range strings.Lines(text) {
		columns := strings.Split(line, "|")
		if len(columns) != 3 {
			continue
		}
		p := Package{Name: strings.TrimSpace(columns[0]), Version: strings.TrimSpace(columns[1])}
		from := strings.Fields(columns[2])
		if p.Name == "" || p.Version == "" || len(from) < 4 || from[3] != "Packages" {
			continue
		}
		suite, _, _ := strings.Cut(from[1], "/")
		i, known := at[p]
		if !known {
			i, at[p] = len(found), len(found)
			found = append(found, p)
		}
		if !known || slices.Index(Suites, suite) > slices.Index(Suites, found[i].Suite) {
			found[i].Suite = suite
		}
	}
	return found
}

// Resolve returns the packages to install so that the wanted ones work, with what they depend on. They come from a suite
// with its security updates, those written name/suite from that one; what depends on them decides the rest, as apt does
// on a machine that has nothing installed.
func (a *Archive) Resolve(ctx context.Context, suite string, wanted []string) ([]Package, error) {
	if err := a.Update(ctx); err != nil {
		return nil, err
	}
	args := []string{"-o", "APT::Default-Release=/^" + suite + "(-security)?$/", "-o", "APT::Install-Recommends=false",
		"-o", "APT::Install-Suggests=false", "-y", "--print-uris", "install"}
	out, err := a.run(ctx, "apt-get", append(args, wanted...)...)
	if err != nil {
		return nil, fmt.Errorf("resolve the packages of a guest: %w", err)
	}
	found := parseURIs(out)
	if len(found) == 0 {
		return nil, fmt.Errorf("resolve the packages of a guest: apt-get names none for %s", strings.Join(wanted, " "))
	}
	return found, nil
}

// parseURIs reads the lines of apt-get --print-uris, "'URI' name_version_architecture.deb size hash"; a colon in the
// version is %3a.
func parseURIs(text string) (found []Package) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || !strings.HasPrefix(words[0], "'") || path.Ext(words[1]) != ".deb" {
			continue
		}
		parts := strings.Split(words[1], "_")
		if len(parts) != 3 {
			continue
		}
		v, err := url.PathUnescape(parts[1])
		if err != nil || parts[0] == "" || v == "" {
			continue
		}
		found = append(found, Package{Name: parts[0], Version: v})
	}
	slices.SortFunc(found, func(a, b Package) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// Download puts the files of packages into a folder. Each is what its signed list says of it: apt verifies the sums.
func (a *Archive) Download(ctx context.Context, dir string, packages ...Package) error {
	args := []string{"download"}
	for _, p := range packages {
		args = append(args, p.Name+"="+p.Version)
	}
	if _, err := a.runIn(ctx, dir, "apt-get", args...); err != nil {
		return fmt.Errorf("download %s: %w", strings.Join(args[1:], " "), err)
	}
	return nil
}
