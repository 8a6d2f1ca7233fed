package archive

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/store"
)

// machine makes apt take its sources from a line, in place of the machine's own.
func machine(t *testing.T, line string) {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf("Dir::Etc::sourcelist %q;\nDir::Etc::sourceparts \"/dev/null\";\n", filepath.Join(dir, "list"))
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "list"), []byte(line+"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", filepath.Join(dir, "conf"))
}

func openArchive(t *testing.T) *Archive {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	a, err := Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestNoArchive: an archive that cannot be reached, or that nobody vouches for, is an error in apt's own words, and
// what was not fetched is not taken for an empty archive the next time.
func TestNoArchive(t *testing.T) {
	labtest.Needs(t, "apt-get", "apt-config")
	unsigned := t.TempDir()
	for _, suite := range []string{"bookworm", "trixie"} {
		dir := filepath.Join(unsigned, "dists", suite)
		packages := filepath.Join(dir, "main", "binary-amd64")
		if err := os.MkdirAll(packages, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(packages, "Packages.gz"))
		if err != nil {
			t.Fatal(err)
		}
		z := gzip.NewWriter(f)
		if err := errors.Join(z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadFile(filepath.Join(packages, "Packages.gz"))
		if err != nil {
			t.Fatal(err)
		}
		release := fmt.Sprintf("Origin: Debian\nCodename: %s\nComponents: main\nArchitectures: amd64\n"+
			"Date: Sat, 01 Nov 2025 00:00:00 UTC\nSHA256:\n %x %d main/binary-amd64/Packages.gz\n", suite,
			sha256.Sum256(list), len(list))
		if err := os.WriteFile(filepath.Join(dir, "Release"), []byte(release), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ line, want string }{
		"nowhere":           {"deb file:/nosuch/debian bookworm main", "fetch the lists of Debian's packages: apt-get: "},
		"without signature": {"deb file:" + unsigned + " bookworm main", "is not signed"},
		"no Debian": {"deb file:/nosuch/ubuntu noble main",
			"the apt of this machine has no source of Debian's packages"},
	} {
		t.Run(name, func(t *testing.T) {
			machine(t, c.line)
			a := openArchive(t)
			for range 2 {
				_, err := a.Versions(t.Context(), "linux-image-", func(string) bool { return true })
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			}
		})
	}
}

func TestEndedByTheContext(t *testing.T) {
	labtest.Needs(t, "apt-get", "apt-config")
	machine(t, "deb file:/nosuch/debian bookworm main")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openArchive(t).Update(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
