package kernels

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/internal/vm/archive"
)

// Packaged is a kernel in Debian's archive or in the store.
type Packaged struct {
	Release string   // as uname -r prints it
	Series  string   // the first two numbers of its version
	Flavour string   // "" for the usual one, else cloud or rt
	Package string   // the package with the image
	Version string   // of the package
	Suites  []string // the suites of Debian that have it
	// Lacks is the package with its modules, if the archive has no such version of that any more; else "". Signed kernels
	// stay in the archive longer than their modules. Such a one boots with what is built in.
	Lacks string `json:",omitempty"`
}

// imagePrefix is that of the packages that are named after the kernels that they hold or lead to.
const imagePrefix = "linux-image-"

// modulesPrefix is that of the packages with the modules of a kernel whose image is in a linux-binary package.
const modulesPrefix = "linux-modules-"

// Available returns the kernels that there are, from the oldest version to the newest: those in the archive, also where
// a part of them is gone from it, or offline those in the store.
func (f *Finder) Available(ctx context.Context) ([]Packaged, error) {
	if f.Offline {
		return f.stored()
	}
	a, err := archive.Open(ctx, f.Store)
	if err != nil {
		return nil, fmt.Errorf("find Debian's kernels: %w", err)
	}
	return available(ctx, a)
}

func available(ctx context.Context, a *archive.Archive) ([]Packaged, error) {
	packages, err := a.Versions(ctx, "linux-", isKernelPackage)
	if err != nil {
		return nil, err
	}
	return kernelsOf(packages), nil
}

// kernelsOf are the kernels among packages. A package linux-image-6.1-amd64 is no kernel: it leads to the newest of the
// series. Only where there is a linux-binary of the same name it is one, the first candidates of a series.
func kernelsOf(packages []archive.Package) (found []Packaged) {
	binaries := map[string]bool{}
	modules := map[[2]string]bool{} // releases and versions whose modules are there
	for _, p := range packages {
		if release, ok := strings.CutPrefix(p.Name, "linux-binary-"); ok {
			binaries[release] = true
		}
		if release, ok := strings.CutPrefix(p.Name, modulesPrefix); ok {
			modules[[2]string{release, p.Version}] = true
		}
	}
	for _, p := range packages {
		release, ok := strings.CutPrefix(p.Name, imagePrefix)
		if !ok || !isRelease(release) {
			continue
		}
		k := Packaged{Release: release, Package: p.Name, Version: p.Version, Suites: p.Suites}
		abi, flavour := cutFlavour(strings.TrimSuffix(release, "-amd64"))
		if seriesForm.MatchString(abi) && !binaries[release] {
			continue
		}
		k.Series, k.Flavour = seriesOf(abi), flavour
		if binaries[release] && !modules[[2]string{release, p.Version}] {
			k.Lacks = modulesPrefix + release
		}
		found = append(found, k)
	}
	slices.SortFunc(found, comparePackaged)
	return found
}

// isKernelPackage tells whether a package holds a kernel or a part of one.
func isKernelPackage(name string) bool {
	for _, prefix := range parts {
		if release, ok := strings.CutPrefix(name, prefix); ok && isRelease(release) {
			return true
		}
	}
	return false
}

// parts are the packages that a kernel may be made of: up to 6.18 the first holds all, from 7.2 on it is empty.
var parts = []string{imagePrefix, "linux-binary-", modulesPrefix, "linux-base-"}

func isRelease(text string) bool {
	return text != "" && text[0] >= '0' && text[0] <= '9' && strings.HasSuffix(text, "-amd64")
}

// seriesOf is the series of a release or of a version: its first two numbers.
func seriesOf(text string) string {
	numbers := strings.SplitN(text, ".", 3)
	if len(numbers) < 2 {
		return text
	}
	minor := numbers[1]
	if i := strings.IndexFunc(minor, func(c rune) bool { return c < '0' || c > '9' }); i >= 0 {
		minor = minor[:i]
	}
	return numbers[0] + "." + minor
}

func comparePackaged(a, b Packaged) int {
	return cmp.Or(archive.Compare(a.Version, b.Version), strings.Compare(a.Release, b.Release))
}

// choose returns the newest kernel that a spec names: of those with their modules, if there are any.
func choose(s Spec, from []Packaged) (Packaged, error) {
	best, lacking := -1, -1 // they are in the order of their versions
	for i, p := range from {
		switch {
		case !s.names(p):
		case p.Lacks != "":
			lacking = i
		default:
			best = i
		}
	}
	switch {
	case best >= 0:
		return from[best], nil
	case lacking >= 0:
		return from[lacking], nil
	}
	return Packaged{}, notThere(s, from)
}

func (s Spec) names(p Packaged) bool {
	switch {
	case s.Release != "":
		return p.Release == s.Release
	case s.Flavour != p.Flavour:
		return false
	case s.Suite != "":
		return slices.Contains(p.Suites, s.Suite) || slices.Contains(p.Suites, s.Suite+"-security")
	case s.Newest:
		return !slices.Equal(p.Suites, []string{"experimental"}) // candidates of the next release: debian:experimental
	case s.Number != "":
		upstream, _, _ := strings.Cut(p.Version, "-")
		return upstream == s.Number
	}
	return p.Series == s.Series
}

// notThere says that there is no such kernel, and which of its kind are nearest to it.
func notThere(s Spec, from []Packaged) error {
	have := func(what string, of func(Packaged) []string) error {
		var names []string
		for _, p := range from {
			for _, name := range of(p) {
				if p.Flavour == s.Flavour && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		if len(names) == 0 {
			return fmt.Errorf("find the kernel %s: there are none of this kind", s.Text)
		}
		return fmt.Errorf("find the kernel %s: there is none; %s: %s", s.Text, what, strings.Join(names, ", "))
	}
	switch {
	case s.Suite != "":
		return have("suites with kernels are", func(p Packaged) []string { return p.Suites })
	case s.Release != "":
		s.Flavour = flavourOf(s.Release)
		fallthrough
	case s.Number != "":
		wanted := seriesOf(cmp.Or(s.Number, s.Release))
		if slices.ContainsFunc(from, func(p Packaged) bool { return p.Series == wanted && p.Flavour == s.Flavour }) {
			return have("of its series there are", func(p Packaged) []string {
				if p.Series != wanted {
					return nil
				}
				return []string{p.Release}
			})
		}
	}
	return have("there are the series", func(p Packaged) []string { return []string{p.Series} })
}

func flavourOf(release string) string {
	_, flavour := cutFlavour(strings.TrimSuffix(release, "-amd64"))
	return flavour
}

// CompareRelease orders releases by the numbers in them, as 6.2.0 < 6.10.0.
func CompareRelease(a, b string) int {
	na, nb := numbers(a), numbers(b)
	return cmp.Or(slices.Compare(na, nb), strings.Compare(a, b))
}

func numbers(text string) (list []int) {
	for _, digits := range strings.FieldsFunc(text, func(c rune) bool { return c < '0' || c > '9' }) {
		if n, err := strconv.Atoi(digits); err == nil {
			list = append(list, n)
		}
	}
	return list
}
