package kernels

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/vm/archive"
	"netnscheck/harness/internal/vm/store"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Spec{
		"6.12":                       {Series: "6.12"},
		"6.12-cloud":                 {Series: "6.12", Flavour: "cloud"},
		"7.3-rt":                     {Series: "7.3", Flavour: "rt"},
		"newest":                     {Newest: true},
		"newest-cloud":               {Newest: true, Flavour: "cloud"},
		"7.2.9":                      {Number: "7.2.9"},
		"debian:sid":                 {Newest: true, Suite: "sid"},
		"debian:bookworm-backports":  {Newest: true, Suite: "bookworm-backports"},
		"debian:trixie-cloud":        {Newest: true, Suite: "trixie", Flavour: "cloud"},
		"6.1.0-57-amd64":             {Release: "6.1.0-57-amd64"},
		"6.1.0-57":                   {Release: "6.1.0-57-amd64"},
		"6.12.118+deb13-cloud-amd64": {Release: "6.12.118+deb13-cloud-amd64"},
		"./6.12":                     {Path: "./6.12"},
		"~/linux":                    {Path: "~/linux"},
		".":                          {Path: "."},
		"linux-image-x.deb":          {Path: "linux-image-x.deb"},
		"bzImage":                    {Path: "bzImage"},
		"6":                          {Path: "6"},
	} {
		want.Text = text
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "debian:", "debian:Sid", "debian:6.1"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// packages is a part of what Debian's archive had in November 2026.
var packages = []archive.Package{
	{Name: "linux-image-5.10.0-46-amd64", Version: "5.10.262-1", Suites: []string{"bullseye-security"}},
	{Name: "linux-image-6.1-amd64", Version: "6.1.180-1~deb11u1", Suites: []string{"bullseye-security"}},
	{Name: "linux-image-6.1.0-0.deb11.52-amd64", Version: "6.1.180-1~deb11u1", Suites: []string{"bullseye-security"}},
	{Name: "linux-image-6.1.0-50-amd64", Version: "6.1.176-1", Suites: []string{"bookworm", "bookworm-security"}},
	{Name: "linux-image-6.1.0-57-amd64", Version: "6.1.192-3", Suites: []string{"bookworm-security"}},
	{Name: "linux-image-6.1.0-57-amd64-dbg", Version: "6.1.192-3", Suites: []string{"bookworm-security"}},
	{Name: "linux-image-6.1.0-57-cloud-amd64", Version: "6.1.192-3", Suites: []string{"bookworm-security"}},
	{Name: "linux-image-6.1.0-57-rt-amd64", Version: "6.1.192-3", Suites: []string{"bookworm-security"}},
	{Name: "linux-image-amd64", Version: "6.1.192-3", Suites: []string{"bookworm-security"}},
	{Name: "linux-image-7.2.9+deb13-amd64", Version: "7.2.9-1~bpo13+1", Suites: []string{"trixie-backports"}},
	{Name: "linux-binary-7.2.9+deb13-amd64", Version: "7.2.9-1~bpo13+1", Suites: []string{"trixie-backports"}},
	{Name: "linux-image-7.2.12+deb14-amd64", Version: "7.2.12-1", Suites: []string{"forky", "sid"}},
	{Name: "linux-image-7.2.12+deb13-amd64", Version: "7.2.12-1~bpo13+1", Suites: []string{"trixie-backports"}},
	{Name: "linux-image-7.4-amd64", Version: "7.4~rc1-1~exp1", Suites: []string{"experimental"}},
	{Name: "linux-binary-7.4-amd64", Version: "7.4~rc1-1~exp1", Suites: []string{"experimental"}},
	{Name: "linux-modules-7.4-amd64", Version: "7.4~rc1-1~exp1", Suites: []string{"experimental"}},
}

func TestKernelsOf(t *testing.T) {
	var got []string
	for _, k := range kernelsOf(packages) {
		got = append(got, strings.TrimSpace(k.Series+" "+k.Release+" "+k.Flavour))
	}
	want := []string{"5.10 5.10.0-46-amd64", "6.1 6.1.0-50-amd64", "6.1 6.1.0-0.deb11.52-amd64", "6.1 6.1.0-57-amd64",
		"6.1 6.1.0-57-cloud-amd64 cloud", "6.1 6.1.0-57-rt-amd64 rt", "7.2 7.2.9+deb13-amd64", "7.2 7.2.12+deb13-amd64",
		"7.2 7.2.12+deb14-amd64", "7.4 7.4-amd64"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestChoose(t *testing.T) {
	all := kernelsOf(packages)
	for spec, want := range map[string]string{
		"5.10":                "5.10.0-46-amd64",
		"6.1":                 "6.1.0-57-amd64",
		"6.1-cloud":           "6.1.0-57-cloud-amd64",
		"7.2":                 "7.2.12+deb14-amd64",
		"7.4":                 "7.4-amd64",
		"newest":              "7.2.12+deb14-amd64", // no candidate of a release
		"newest-rt":           "6.1.0-57-rt-amd64",
		"7.2.9":               "7.2.9+deb13-amd64",
		"6.1.0-50":            "6.1.0-50-amd64",
		"debian:bookworm":     "6.1.0-57-amd64",
		"debian:forky":        "7.2.12+deb14-amd64",
		"debian:experimental": "7.4-amd64",
		"debian:bullseye":     "6.1.0-0.deb11.52-amd64",
		"6.13":                "find the kernel 6.13: there is none; there are the series: 5.10, 6.1, 7.2, 7.4",
		"5.10-rt":             "find the kernel 5.10-rt: there is none; there are the series: 6.1",
		"7.2.10": "find the kernel 7.2.10: there is none; " +
			"of its series there are: 7.2.9+deb13-amd64, 7.2.12+deb13-amd64, 7.2.12+deb14-amd64",
		"6.1.0-5": "find the kernel 6.1.0-5: there is none; " +
			"of its series there are: 6.1.0-50-amd64, 6.1.0-0.deb11.52-amd64, 6.1.0-57-amd64",
		"6.1.0-5-cloud-amd64": "find the kernel 6.1.0-5-cloud-amd64: there is none; " +
			"of its series there are: 6.1.0-57-cloud-amd64",
		"debian:bookwurm": "find the kernel debian:bookwurm: there is none; " +
			"suites with kernels are: bullseye-security, bookworm, bookworm-security, trixie-backports, " +
			"forky, sid, experimental",
		"8.0.1": "find the kernel 8.0.1: there is none; there are the series: 5.10, 6.1, 7.2, 7.4",
	} {
		s, err := Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		p, err := choose(s, all)
		if err != nil {
			p.Release = err.Error()
		}
		if p.Release != want {
			t.Errorf("%s: %s\nwant %s", spec, p.Release, want)
		}
	}
	if _, err := choose(Spec{Text: "6.1", Series: "6.1"}, nil); err == nil {
		t.Error("a kernel was found among none")
	}
}

// header is the beginning of a bzImage with a version.
func header(version string) []byte {
	b := make([]byte, 0x400)
	copy(b, "MZ")
	copy(b[headerMagic:], "HdrS")
	binary.LittleEndian.PutUint16(b[headerVersion:], 0x100)
	b[headerFlags] = 1
	return append(b[:0x300], append([]byte(version), make([]byte, 0x100)...)...)
}

func TestReadRelease(t *testing.T) {
	without := header("x")
	binary.LittleEndian.PutUint16(without[headerVersion:], 0)
	narrow := header("x")
	narrow[headerFlags] = 0
	arm := make([]byte, 0x400)
	copy(arm[0x38:], "ARM\x64")
	for name, c := range map[string]struct {
		data      []byte
		want, err string
	}{
		"bzImage":       {data: header("6.1.0-57-amd64 (kernel@example) #1 SMP"), want: "6.1.0-57-amd64"},
		"no version":    {data: without},
		"garbage in it": {data: header("6.1\x01\x02"), err: "the version in its header is no text"},
		"32 bits":       {data: narrow, err: "it is a kernel for 32 bits"},
		"text":          {data: []byte("hello"), err: "it is no kernel image: "},
		"empty":         {err: "it is an empty file"},
		"short":         {data: header("")[:0x210], err: "it is no kernel image: "},
		"vmlinux": {data: []byte("\x7fELF\x02\x01"),
			err: "it is an ELF file (vmlinux, or a program), not an x86 kernel image"},
		"arm64":   {data: arm, err: "it is a kernel for arm64, "},
		"gzip":    {data: []byte("\x1f\x8b\x08"), err: "it is a file compressed by gzip"},
		"initrd":  {data: []byte("070701"), err: "it is a cpio archive (an initrd)"},
		"package": {data: []byte("!<arch>\ndebian"), err: "it is a package or an archive"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "vmlinuz")
			if err := os.WriteFile(file, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := ReadRelease(file)
			if c.err == "" && (err != nil || got != c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
			if c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), "read the kernel "+file+": "+c.err)) {
				t.Errorf("%q, %v; want the error %q", got, err, c.err)
			}
		})
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFindOnThisDisk(t *testing.T) {
	dir := t.TempDir()
	image := string(header("6.9.0-test (x@y) #1"))
	write(t, dir, map[string]string{
		"tree/arch/x86/boot/bzImage":                   image,
		"tree/net/bridge/bridge.ko":                    "",
		"tree/modules.order":                           "net/bridge/bridge.o\n",
		"vmlinuz":                                      image,
		"out/lib/modules/6.9.0-test/modules.order":     "",
		"pkg/usr/lib/modules/6.9.0-test/modules.order": "",
		"flat/veth.ko":                                 "",
		"bare/Makefile":                                "",
		"text":                                         "text",
		"text.deb":                                     "text",
	})
	s, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct{ spec, modules, wantImage, wantModules, err string }{
		{spec: "tree", wantImage: "tree/arch/x86/boot/bzImage", wantModules: "tree"},
		{spec: "vmlinuz", wantImage: "vmlinuz"},
		{spec: "vmlinuz", modules: "out", wantImage: "vmlinuz", wantModules: "out/lib/modules/6.9.0-test"},
		{spec: "vmlinuz", modules: "out/lib/modules", wantImage: "vmlinuz", wantModules: "out/lib/modules/6.9.0-test"},
		{spec: "vmlinuz", modules: "pkg", wantImage: "vmlinuz", wantModules: "pkg/usr/lib/modules/6.9.0-test"},
		{spec: "vmlinuz", modules: "flat", wantImage: "vmlinuz", wantModules: "flat"},
		{spec: "vmlinuz", modules: "nowhere", err: "find the modules: "},
		{spec: "bare", err: "find the kernel in DIR/bare: "},
		{spec: "nowhere", err: "find the kernel DIR/nowhere: "},
		{spec: "text", err: "read the kernel DIR/text: it is no kernel image: "},
		{spec: "text.deb", err: "read the package DIR/text.deb: "},
	} {
		f := Finder{Store: s}
		if c.modules != "" {
			f.Modules = filepath.Join(dir, c.modules)
		}
		k, err := f.Find(t.Context(), filepath.Join(dir, c.spec))
		if c.err != "" {
			if want := strings.ReplaceAll(c.err, "DIR", dir); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", c.spec, err, want)
			}
			continue
		}
		want := Kernel{Name: filepath.Join(dir, c.spec), Release: "6.9.0-test", Image: filepath.Join(dir, c.wantImage)}
		if c.wantModules != "" {
			want.Modules = filepath.Join(dir, c.wantModules)
		}
		if err != nil || k != want {
			t.Errorf("%s with %q: %+v, %v; want %+v", c.spec, c.modules, k, err, want)
		}
	}
	for spec, want := range map[string]bool{"vmlinuz": true, "nowhere": true, "tree": false, "text.deb": false} {
		if TakesModules(filepath.Join(dir, spec)) != want {
			t.Errorf("%s takes the modules of a folder: %v", spec, !want)
		}
	}
	if TakesModules("6.12") {
		t.Error("a series takes the modules of a folder")
	}
	var named *NameError
	if _, err := (&Finder{Store: s}).Find(t.Context(), "6x12"); !errors.As(err, &named) ||
		!strings.HasPrefix(err.Error(), "find the kernel 6x12: there is no such file, and it is no series (6.12, newest)") {
		t.Errorf("a slip: %v", err)
	}
}

func TestOffline(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := Finder{Store: s, Offline: true}
	var named *NameError
	if _, err := f.Find(t.Context(), "6.1"); err == nil || errors.As(err, &named) ||
		err.Error() != "find the kernel 6.1 offline: there are no kernels in the cache" {
		t.Errorf("an empty cache: %v", err)
	}
	for _, p := range []Packaged{
		{Release: "6.1.0-57-amd64", Series: "6.1", Version: "6.1.192-3", Package: "linux-image-6.1.0-57-amd64"},
		{Release: "6.1.0-50-amd64", Series: "6.1", Version: "6.1.176-1"},
	} {
		_, err := s.Get(t.Context(), kind, p.Release+"_"+p.Version, func(dir string) error {
			write(t, dir, map[string]string{"vmlinuz": string(header(p.Release))})
			return about(dir, p)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	k, err := f.Find(t.Context(), "6.1")
	if err != nil || k.Release != "6.1.0-57-amd64" || k.Version != "6.1.192-3" || k.Name != "6.1" {
		t.Errorf("%+v, %v", k, err)
	}
	if _, err := f.Find(t.Context(), "6.12"); !errors.As(err, &named) || err.Error() !=
		"offline, in the cache alone: find the kernel 6.12: there is none; there are the series: 6.1" {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestPlace(t *testing.T) {
	const release = "7.2.9+deb13-amd64"
	for name, want := range map[string]string{
		"boot/vmlinuz-" + release:                                                      "vmlinuz",
		"usr/lib/modules/" + release + "/vmlinuz":                                      "vmlinuz",
		"usr/lib/modules/" + release + "/config":                                       "config",
		"boot/config-" + release:                                                       "config",
		"lib/modules/" + release + "/modules.builtin":                                  "modules/modules.builtin",
		"usr/lib/modules/" + release + "/kernel/net/bridge/bridge.ko.xz":               "modules/kernel/net/bridge/bridge.ko.xz",
		"lib/modules/" + release + "/kernel/drivers/net/veth.ko":                       "modules/kernel/drivers/net/veth.ko",
		"lib/modules/" + release + "/kernel/drivers/net/vxlan/vxlan.ko":                "modules/kernel/drivers/net/vxlan/vxlan.ko",
		"lib/modules/" + release + "/kernel/drivers/net/ethernet/intel/e1000/e1000.ko": "",
		"lib/modules/" + release + "/kernel/drivers/gpu/drm/drm.ko":                    "",
		"lib/modules/" + release + "/kernel/sound/core/snd.ko":                         "",
		"lib/modules/" + release + "/build":                                            "",
		"lib/modules/6.1.0-57-amd64/kernel/net/x.ko":                                   "",
		"boot/System.map-" + release:                                                   "",
		"usr/share/doc/linux-image-" + release + "/copyright":                          "",
	} {
		if got := place(name, release); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCompareRelease(t *testing.T) {
	sorted := []string{"5.10.0-46-amd64", "6.1.0-9-amd64", "6.1.0-57-amd64", "6.12.118+deb13-amd64", "7.2.9", "7.2.12"}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortFunc(got, CompareRelease)
	if !reflect.DeepEqual(got, sorted) {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"6.12-cloud", "debian:sid-rt", "newest", "6.1.0-57-amd64", "x/y", "7.2.9"} {
		f.Add(s)
	}
	all := kernelsOf(packages)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		rest := s
		rest.Text, rest.Path = "", ""
		if s.Text != text || (s.Path != "") != (rest == Spec{}) {
			t.Errorf("%q: %+v", text, s)
		}
		if p, err := choose(s, all); err == nil && s.Path == "" && !s.names(p) {
			t.Errorf("%q: %+v", text, p)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(header("6.1.0-57-amd64 (x) #1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		release, err := parseHeader(data)
		if err == nil && strings.ContainsFunc(release, func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Errorf("the release %q", release)
		}
	})
}
