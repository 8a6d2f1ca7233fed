package programs

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/archive"
	"netnscheck/harness/internal/vm/store"
)

func TestChooseIPRoute2(t *testing.T) {
	found := []archive.Package{
		{Name: "iproute2", Version: "7.3.0-1", Suites: []string{"sid"}},
		{Name: "iproute2", Version: "7.4.0~rc1-1", Suites: []string{"experimental"}},
		{Name: "iproute2", Version: "6.15.0-1~bpo12+1", Suites: []string{"bookworm-backports"}},
		{Name: "iproute2", Version: "6.15.0-1", Suites: []string{"trixie"}},
		{Name: "iproute2", Version: "6.1.0-3", Suites: []string{"bookworm"}},
		{Name: "iproute2", Version: "5.10.0-4", Suites: []string{"bullseye"}},
	}
	for name, want := range map[string]string{
		"6.1": "6.1.0-3", "6.15": "6.15.0-1", "newest": "7.3.0-1", "5.10.0": "5.10.0-4",
		"6.15.0-1~bpo12+1": "6.15.0-1~bpo12+1",
		"6":                "6.15.0-1",
		"6.2":              "find iproute2 6.2: there is none; there are: 5.10.0, 6.1.0, 6.15.0, 7.3.0, 7.4.0~rc1",
	} {
		p, err := chooseIPRoute2(name, found)
		var named *NameError
		if errors.As(err, &named) {
			p.Version = err.Error()
		}
		if p.Version != want {
			t.Errorf("%s: %s, want %s", name, p.Version, want)
		}
	}
}

func TestMerge(t *testing.T) {
	p := func(list string) (packages []archive.Package) {
		for _, word := range strings.Fields(list) {
			name, version, _ := strings.Cut(word, "=")
			packages = append(packages, archive.Package{Name: name, Version: version})
		}
		return packages
	}
	got := merge(p("libc6=2.36-9 libelf1=0.188 zlib1g=1:1.2-5 bash=5.2"),
		p("libc6=2.41-12 libelf1t64=0.192 zlib1g=1:1.2-4"))
	want := p("libelf1=0.188 zlib1g=1:1.2-5 bash=5.2 libc6=2.41-12 libelf1t64=0.192")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestClosure: a program of this machine runs with nothing but its loader and the libraries that were taken with it.
func TestClosure(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("guests are x86-64, and this machine is not")
	}
	labtest.Needs(t, "ip", "bash")
	c := newClosure("/", libraryFolders("/etc/ld.so.conf")...)
	for _, name := range []string{"ip", "bash"} {
		if err := c.add(lookPath(name)); err != nil {
			t.Fatal(err)
		}
	}
	root := t.TempDir()
	if err := c.write(root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ip", "bash"} {
		at, err := c.real(lookPath(name))
		if err != nil {
			t.Fatal(err)
		}
		program := filepath.Join(root, merged(at))
		f, err := elf.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var loader string
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				text := make([]byte, p.Filesz-1)
				if _, err := p.ReadAt(text, 0); err != nil {
					t.Fatal(err)
				}
				if loader, err = c.real(string(text)); err != nil {
					t.Fatal(err)
				}
			}
		}
		var folders []string
		filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				folders = append(folders, file)
			}
			return err
		})
		out, err := exec.Command(filepath.Join(root, merged(loader)), "--inhibit-cache", "--library-path",
			strings.Join(folders, ":"), "--list", program).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			_, path, arrow := strings.Cut(line, "=> ")
			if arrow && !strings.HasPrefix(path, root) {
				t.Errorf("%s is linked with what was left behind: %s", name, line)
			}
		}
	}
}

func TestClosureOfLinksAndScripts(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []struct{ name, text, link string }{
		{name: "usr/bin/tool", text: "#!/bin/shell -e\n"},
		{name: "usr/bin/shell.real", text: "a shell"},
		{name: "usr/bin/shell", link: "/etc/alternatives/shell"},
		{name: "etc/alternatives/shell", link: "../../usr/bin/shell.real"},
		{name: "bin", link: "usr/bin"},
		{name: "usr/bin/round", link: "round"},
		{name: "usr/bin/broken", text: "\x7fELF\x02\x01\x01"},
	} {
		file := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		err := os.WriteFile(file, []byte(f.text), 0o755)
		if f.link != "" {
			err = errors.Join(os.Remove(file), os.Symlink(f.link, file))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c := newClosure(dir)
	if err := c.add("/bin/tool"); err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{"/usr/bin/tool": true, "/usr/bin/shell.real": true}
	ways := map[string]string{"/usr/bin/shell": "/etc/alternatives/shell",
		"/etc/alternatives/shell": "../../usr/bin/shell.real"}
	if !reflect.DeepEqual(c.files, files) || !reflect.DeepEqual(c.links, ways) {
		t.Errorf("files %v, links %v", c.files, c.links)
	}
	if err := c.add("/usr/bin/nosuch"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := c.add("/usr/bin/round"); err == nil || !strings.Contains(err.Error(), "too many symbolic links") {
		t.Errorf("a link to itself: %v", err)
	}
	if err := c.add("/usr/bin"); err == nil {
		t.Error("a folder was taken as a file")
	}
}

func TestOffline(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := Finder{Store: s, Offline: true}
	_, err = f.Find(t.Context(), Wanted{IPRoute2: "6.15"})
	const want = "find the programs of a guest (Debian bookworm with iproute2 6.15) offline: not in the cache"
	if !errors.Is(err, store.ErrMissing) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestHost(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("guests are x86-64, and this machine is not")
	}
	labtest.Needs(t, "ip", "bash")
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := Finder{Store: s}
	u, err := f.Find(t.Context(), Wanted{Host: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ip", "bash", "cat"} {
		_, inSbin := os.Stat(filepath.Join(u.Root, "usr/sbin", name))
		_, inBin := os.Stat(filepath.Join(u.Root, "usr/bin", name))
		if inSbin != nil && inBin != nil {
			t.Errorf("%s was not taken: %v", name, inBin)
		}
	}
	again, err := f.Find(t.Context(), Wanted{Host: true})
	if err != nil || again.Root != u.Root {
		t.Errorf("%s, %v; want %s", again.Root, err, u.Root)
	}
}
