package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/store"
)

const stanzas = `# a mirror
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
# a comment between fields
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 debian-archive

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://third.example/bookworm
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/third.gpg

Types: deb-src
URIs: http://source.example/debian
Suites: sid
Components: main
`

func TestOurSources(t *testing.T) {
	for _, c := range []struct {
		name, stanzas, lines string
		want                 []string // in the text, in this order
		without              string
		err                  string
	}{
		{name: "deb822", stanzas: stanzas, want: []string{"URIs: http://mirror.example/debian\n",
			"Suites: bullseye bullseye-backports bookworm bookworm-backports trixie", "Signed-By: /usr/share/keyrings/debian-",
			"URIs: http://mirror.example/debian-security\n", "Suites: bullseye-security bookworm-security",
			"Signed-By: \n -----BEGIN", "\n debian-archive\n\n"}, without: "example/bookworm"},
		{name: "one line",
			lines: "deb [arch=amd64 signed-by=/k/debian-archive-keyring.gpg] http://one.example/debian stable main\n" +
				"#deb http://off.example/debian sid main\ndeb-src http://src.example/debian stable main\ndebx y z main\n",
			want:    []string{"URIs: http://one.example/debian\n", "Signed-By: /k/debian-archive-keyring.gpg\n"},
			without: "-security"},
		{name: "old names of security", lines: "deb http://o.example/debian oldstable main\n" +
			"deb http://s.example/debian-security buster/updates main\ndeb http://s.example/debian-security stable/updates main",
			want: []string{"http://o.example/debian\n", "http://s.example/debian-security\n"}},
		{name: "another distribution",
			lines: "deb http://u.example/ubuntu noble main\ndeb http://d.example/x bookworm stable\n",
			err:   "find Debian's archive: the apt of this machine has no source"},
		{name: "none", err: "find Debian's archive: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := ourSources(append(parseStanzas(c.stanzas), parseLines(c.lines)...))
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rest := text
			for _, want := range c.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Errorf("no %q in\n%s", want, rest)
				}
				rest = after
			}
			if c.without != "" && strings.Contains(text, c.without) {
				t.Errorf("%q in\n%s", c.without, text)
			}
			if again := parseStanzas(text); len(again) != strings.Count(text, "Types:") {
				t.Errorf("we read %d sources in our own text:\n%s", len(again), text)
			}
		})
	}
}

func TestParseMadison(t *testing.T) {
	const text = `linux-image-7.2.12+deb14-amd64 |   7.2.12-1 | http://m.example/debian sid/main amd64 Packages
linux-image-7.2.12+deb14-amd64 |   7.2.12-1 | http://m.example/debian forky/main amd64 Packages
  busybox | 1:1.35.0-4+deb12u1+b1 | http://m.example/debian bookworm/main amd64 Packages
  busybox |  1:1.35.0-4 | http://m.example/debian bookworm/main Sources
N: a note
`
	want := []Package{
		{"linux-image-7.2.12+deb14-amd64", "7.2.12-1", []string{"forky", "sid"}},
		{"busybox", "1:1.35.0-4+deb12u1+b1", []string{"bookworm"}},
	}
	if got := parseMadison(text); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestParseURIs(t *testing.T) {
	const text = `Reading package lists...
'http://m.example/pool/z/zlib1g_1.3.dfsg%2breally1.3.1-1%2bb1_amd64.deb' zlib1g_1%3a1.3.dfsg+really1.3.1-1+b1_amd64.deb 88720 SHA256:0
'http://m.example/pool/n/netbase_6.5_all.deb' netbase_6.5_all.deb 12436 MD5Sum:1
'http://m.example/x.dsc' x.dsc 1 MD5Sum:1
`
	want := []Package{{Name: "netbase", Version: "6.5"}, {Name: "zlib1g", Version: "1:1.3.dfsg+really1.3.1-1+b1"}}
	if got := parseURIs(text); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestCompare(t *testing.T) {
	for _, c := range [][2]string{
		{"7.3~rc7-1~exp1", "7.3.4-1~bpo13+1"}, {"7.2.12-1~bpo13+1", "7.2.12-1"}, {"6.9-1", "6.10-1"}, {"9.0", "1:1.0"},
	} {
		if Compare(c[0], c[1]) >= 0 || Compare(c[1], c[0]) <= 0 || Compare(c[0], c[0]) != 0 {
			t.Errorf("%s is not before %s", c[0], c[1])
		}
	}
}

func TestMissingSuite(t *testing.T) {
	const gone = "E: The repository 'http://m.example/debian bullseye-backports Release' does not have a Release file.\n"
	for text, want := range map[string]bool{
		"W: a warning\n" + gone: true,
		gone + "E: Failed to fetch http://m.example/x  Temporary failure resolving 'm.example'\n": false,
		"": false,
	} {
		err := newAptError("apt-get", errors.New("exit status 100"), text)
		if got := missingSuite(fmt.Errorf("update: %w", err)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestUpdateWithoutNetwork: lists that could not be fetched are not taken for fresh.
func TestUpdateWithoutNetwork(t *testing.T) {
	labtest.Needs(t, "apt-get")
	dir := t.TempDir()
	list, config := filepath.Join(dir, "sources.list"), filepath.Join(dir, "apt.conf")
	for file, text := range map[string]string{
		list:   "deb [signed-by=/nosuch/debian-archive-keyring.gpg] http://127.0.0.1:1/debian stable main\n",
		config: fmt.Sprintf("Dir::Etc::sourcelist %q;\nDir::Etc::sourceparts %q;\n", list, filepath.Join(dir, "none")),
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("APT_CONFIG", config)
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, err := Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := a.Update(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "fetch the lists of Debian's packages: ") {
			t.Errorf("error %v", err)
		}
	}
}

// writeDeb writes a package: an ar archive (ar(5)) with two archives of tar.
func writeDeb(t *testing.T, control string, members ...tar.Header) string {
	t.Helper()
	packed := func(members ...tar.Header) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, h := range members {
			data := []byte(h.PAXRecords["NETNSCHECK.data"])
			h.PAXRecords = nil
			h.Size = int64(len(data))
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", packed(regular("./control", control))},
		{"data.tar.gz", packed(members...)}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", m.name, 0, 0, 0, 0o100644, len(m.data))
		b.Write(m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	file := filepath.Join(t.TempDir(), "x.deb")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func regular(name, data string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o4755,
		PAXRecords: map[string]string{"NETNSCHECK.data": data}}
}

const control = "Package: linux-image-9.9-amd64\nVersion: 9.9.1-1\nArchitecture: amd64\n" +
	"Maintainer: nobody\nDescription: x\n"

func TestUnpack(t *testing.T) {
	deb := writeDeb(t, control, tar.Header{Name: "./boot/", Typeflag: tar.TypeDir, Mode: 0o755},
		regular("./boot/vmlinuz", "kernel"), regular("./doc/README", "text"),
		tar.Header{Name: "./boot/link", Typeflag: tar.TypeSymlink, Linkname: "vmlinuz"},
		tar.Header{Name: "./boot/same", Typeflag: tar.TypeLink, Linkname: "./boot/vmlinuz"},
		tar.Header{Name: "./boot/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3})
	if c, err := ReadControl(deb); err != nil || c != (Control{"linux-image-9.9-amd64", "9.9.1-1", "amd64"}) {
		t.Errorf("%+v, %v", c, err)
	}
	dir := t.TempDir()
	err := Unpack(deb, dir, func(name string) string {
		if strings.HasPrefix(name, "doc/") {
			return ""
		}
		return "usr/" + name
	})
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
		} else if !d.IsDir() {
			text, _ := os.ReadFile(file)
			info, _ := os.Stat(file)
			files = append(files, fmt.Sprintf("%s=%s %v", strings.TrimPrefix(file, dir), text, info.Mode()))
		}
		return nil
	})
	const mode = "-rwxr-xr-x"
	want := []string{"/usr/boot/link=kernel " + mode, "/usr/boot/same=kernel " + mode, "/usr/boot/vmlinuz=kernel " + mode}
	if !reflect.DeepEqual(files, want) {
		t.Errorf("got %q", files)
	}
}

// TestUnpackStaysInside: nothing in a package leads out of the folder.
func TestUnpackStaysInside(t *testing.T) {
	outside := t.TempDir()
	for name, members := range map[string][]tar.Header{
		"a name": {regular("../../../../../../.."+outside+"/file", "x")},
		"a link": {{Name: "./way", Typeflag: tar.TypeSymlink, Linkname: outside}, regular("./way/file", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			err := Unpack(writeDeb(t, control, members...), t.TempDir(), func(name string) string { return name })
			if left, _ := os.ReadDir(outside); len(left) != 0 {
				t.Errorf("%v is outside (%v)", left, err)
			}
		})
	}
}

func TestNoPackage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.deb")
	for _, text := range []string{"", "text", "!<arch>\n",
		"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadControl(file); err == nil || !strings.HasPrefix(err.Error(), "read the package "+file+": ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzAnswersOfApt(f *testing.F) {
	f.Add(stanzas)
	f.Add("a | 1 | http://m.example sid/main amd64 Packages\n'x' a_1%3a2_all.deb 1\ndeb [signed-by=x] u s main")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range append(parseMadison(text), parseURIs(text)...) {
			if p.Name == "" || p.Version == "" {
				t.Errorf("%+v", p)
			}
		}
		for _, s := range append(parseStanzas(text), parseLines(text)...) {
			if len(s.uris) == 0 || len(s.suites) == 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
