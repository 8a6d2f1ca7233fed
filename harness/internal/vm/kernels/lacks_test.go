package kernels

import (
	"testing"

	"netnscheck/harness/internal/vm/archive"
)

// TestLacks: a kernel whose modules are gone from the archive is known, and is chosen only where no other is meant.
func TestLacks(t *testing.T) {
	all := kernelsOf([]archive.Package{
		{Name: "linux-image-6.12.1-amd64", Version: "6.12.1-1"}, // holds all itself
		{Name: "linux-image-7.1.9-amd64", Version: "7.1.9-1"},
		{Name: "linux-binary-7.1.9-amd64", Version: "7.1.9-1"},
		{Name: "linux-image-7.2.6-amd64", Version: "7.2.6-1"},
		{Name: "linux-binary-7.2.6-amd64", Version: "7.2.6-1"},
		{Name: "linux-modules-7.2.6-amd64", Version: "7.2.6-1"},
		{Name: "linux-image-7.2.9-amd64", Version: "7.2.9-1"},
		{Name: "linux-binary-7.2.9-amd64", Version: "7.2.9-1"},
		{Name: "linux-modules-7.2.9-amd64", Version: "7.2.9-2"}, // of another version
	})
	lacks := map[string]string{}
	for _, p := range all {
		lacks[p.Release] = p.Lacks
	}
	for release, want := range map[string]string{"6.12.1-amd64": "", "7.1.9-amd64": "linux-modules-7.1.9-amd64",
		"7.2.6-amd64": "", "7.2.9-amd64": "linux-modules-7.2.9-amd64"} {
		if got, known := lacks[release]; got != want || !known {
			t.Errorf("%s lacks %q, want %q", release, got, want)
		}
	}
	for spec, want := range map[string]string{"7.1": "7.1.9-amd64", "7.2": "7.2.6-amd64", "7.2.9-amd64": "7.2.9-amd64",
		"newest": "7.2.6-amd64"} {
		s, err := Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := choose(s, all); err != nil || p.Release != want {
			t.Errorf("%s is %s (%v), want %s", spec, p.Release, err, want)
		}
	}
}
