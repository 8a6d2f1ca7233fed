package kernels

import (
	"fmt"
	"regexp"
	"strings"
)

// Spec is how the user names a kernel.
type Spec struct {
	Text    string // as it was written
	Path    string // of a file or a folder; then the rest is empty
	Newest  bool   // the newest of all, or of the suite
	Suite   string // only in this one
	Series  string // the first two numbers of a version: 6.12
	Number  string // the number of a release: 7.2.9
	Release string // as uname -r prints it
	Flavour string // "" for Debian's usual one, else cloud or rt
}

var (
	seriesForm  = regexp.MustCompile(`^\d+\.\d+$`)
	numberForm  = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	releaseForm = regexp.MustCompile(`^\d+\.\d+[.+~0-9a-z]*-[-.+~0-9a-z]+$`)
	suiteForm   = regexp.MustCompile(`^[a-z][-a-z]*$`)
)

// flavours are those that Debian builds for amd64 beside the usual one.
var flavours = []string{"cloud", "rt"}

// Parse reads how a kernel is named. A file in the current folder whose name looks like something else is named by
// ./NAME.
func Parse(text string) (Spec, error) {
	s := Spec{Text: text}
	switch {
	case text == "":
		return s, fmt.Errorf("read the name of a kernel: it is empty")
	case strings.ContainsRune(text, '/'), text == ".", text == "..", text == "~", strings.HasSuffix(text, ".deb"):
		s.Path = text
		return s, nil
	}
	if suite, ok := strings.CutPrefix(text, "debian:"); ok {
		s.Newest = true
		s.Suite, s.Flavour = cutFlavour(suite)
		if !suiteForm.MatchString(s.Suite) {
			return s, fmt.Errorf("read the kernel %q: write a suite of Debian after debian:, as in debian:sid", text)
		}
		return s, nil
	}
	name, flavour := cutFlavour(text)
	switch {
	case name == "newest":
		s.Newest, s.Flavour = true, flavour
	case seriesForm.MatchString(name):
		s.Series, s.Flavour = name, flavour
	case numberForm.MatchString(name):
		s.Number, s.Flavour = name, flavour
	case releaseForm.MatchString(text):
		s.Release = text
		if !strings.HasSuffix(text, "-amd64") {
			s.Release += "-amd64"
		}
	default:
		s.Path = text // a file in the current folder, perhaps
	}
	return s, nil
}

func cutFlavour(text string) (name, flavour string) {
	for _, f := range flavours {
		if name, ok := strings.CutSuffix(text, "-"+f); ok {
			return name, f
		}
	}
	return text, ""
}
