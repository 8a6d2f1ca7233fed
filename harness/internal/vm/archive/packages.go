package archive

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"pault.ag/go/debian/version"
)

// Package is a version of a package.
type Package struct {
	Name    string
	Version string
	Suites  []string // those that have it, in the order of Suites; nil if they were not asked for
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

// Versions returns all versions in the archive of the packages whose names begin with a prefix, for which keep says
// yes.
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
	at := map[[2]string]int{}
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
		key := [2]string{p.Name, p.Version}
		i, known := at[key]
		if !known {
			i, at[key] = len(found), len(found)
			found = append(found, p)
		}
		found[i].Suites = append(found[i].Suites, suite)
	}
	for _, p := range found {
		slices.SortFunc(p.Suites, func(a, b string) int { return slices.Index(Suites, a) - slices.Index(Suites, b) })
	}
	return found
}

// Resolve returns the packages of a suite, with its security updates, that a machine needs to have the wanted ones, as
// apt finds them on a machine that has nothing installed.
func (a *Archive) Resolve(ctx context.Context, suite string, wanted []string) ([]Package, error) {
	if err := a.Update(ctx); err != nil {
		return nil, err
	}
	args := []string{"-o", "APT::Default-Release=/^" + release(suite) + "$/", "-o", "APT::Install-Recommends=false",
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
	if err := a.fetch(ctx, dir, args...); err != nil {
		return fmt.Errorf("download %s: %w", strings.Join(args[1:], " "), err)
	}
	return nil
}

// release is a pattern of the suites that packages come from: a suite with its security updates, backports with what
// they are built for.
func release(suite string) string {
	if base, ok := strings.CutSuffix(suite, "-backports"); ok {
		return base + "(-security|-backports)?"
	}
	return strings.TrimSuffix(suite, "-security") + "(-security)?"
}

// FileIn is the file of a downloaded package in a folder.
func (p Package) FileIn(dir string) (string, error) {
	name := p.Name + "_" + strings.ReplaceAll(p.Version, ":", "%3a") + "_"
	for _, arch := range []string{architecture, "all"} {
		file := filepath.Join(dir, name+arch+".deb")
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("find the package %s %s: apt-get downloaded no such file", p.Name, p.Version)
}
