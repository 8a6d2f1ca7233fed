package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/store"
	"netnscheck/harness/internal/vm/wire"
)

// program is an ELF file of an architecture without segments, or with one that names a loader.
func program(machine elf.Machine, loader bool) string {
	head := elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC),
		Machine: uint16(machine), Version: 1, Ehsize: 64, Phentsize: 56, Phoff: 64}
	if loader {
		head.Phnum = 1
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, head)
	if loader {
		binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_INTERP)})
	}
	return b.String()
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// entries are what an image holds: names to what is in a file, "→" and where a link leads, "/" for a folder.
func entries(t *testing.T, file string) (order []string, found map[string]string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found = map[string]string{}
	r := cpio.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return order, found
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.IsZero() && h.ModTime.Unix() != 0 || h.Uid != 0 || h.Guid != 0 {
			t.Errorf("%s has a time or an owner: %+v", h.Name, h)
		}
		order = append(order, h.Name)
		switch h.Mode & 0o170000 {
		case cpio.TypeDir:
			found[h.Name] = "/"
		case cpio.TypeSymlink:
			found[h.Name] = "→" + h.Linkname
		default:
			found[h.Name] = string(data)
		}
	}
}

func TestMake(t *testing.T) {
	dir := t.TempDir()
	init := program(elf.EM_X86_64, false)
	write(t, dir, map[string]string{"harness": init, "programs/usr/bin/tool": "a tool",
		"programs/etc/protocols": "tcp 6\n"})
	if err := os.Symlink("tool", filepath.Join(dir, "programs/usr/bin/other")); err != nil {
		t.Fatal(err)
	}
	c := Contents{Harness: filepath.Join(dir, "harness"), Programs: filepath.Join(dir, "programs"),
		Files: map[string][]byte{"/etc/x/y": []byte("x"), "/a": []byte("a")}}
	s := open(t)
	image, err := Make(t.Context(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	order, found := entries(t, image.Path)
	for name, want := range map[string]string{
		"init": init, "usr/bin/tool": "a tool", "usr/bin/other": "→tool", "etc/protocols": "tcp 6\n", "etc/x/y": "x",
		"a": "a", "bin": "→usr/bin", "lib64": "→usr/lib64", "proc": "/", "tmp": "/", "usr/share": "/", "etc/x": "/",
	} {
		if found[name] != want {
			t.Errorf("/%s is %q, want %q", name, found[name], want)
		}
	}
	if _, there := found["usr/sbin/modprobe"]; there {
		t.Error("a kernel without modules has a modprobe")
	}
	seen := map[string]bool{".": true}
	for _, name := range order {
		if seen[name] || !seen[filepath.Dir(name)] {
			t.Errorf("/%s comes twice, or before its folder", name)
		}
		seen[name] = true
	}

	// The same contents are the same bytes, wherever they are made; others are another image.
	again, err := Make(t.Context(), open(t), c)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := os.ReadFile(image.Path)
	two, _ := os.ReadFile(again.Path)
	if len(one) == 0 || !bytes.Equal(one, two) {
		t.Errorf("%d and %d bytes differ", len(one), len(two))
	}
	c.Files["/a"] = []byte("b")
	other, err := Make(t.Context(), s, c)
	if err != nil || other.Path == image.Path {
		t.Errorf("%s, %v", other.Path, err)
	}
}

func TestMakeRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"dynamic": program(elf.EM_X86_64, true), "arm": program(elf.EM_AARCH64, false),
		"text": "#!/bin/sh\n", "static": program(elf.EM_X86_64, false), "empty/README": ""})
	for _, c := range []struct {
		contents Contents
		err      string
	}{
		{Contents{Harness: "dynamic"},
			"take DIR/dynamic as the program of the guest: it needs shared libraries; `make build`"},
		{Contents{Harness: "arm"}, "take DIR/arm as the program of the guest: it is for EM_AARCH64, and a guest is x86-64"},
		{Contents{Harness: "text"}, "read the program of the guest, DIR/text: "},
		{Contents{Harness: "nosuch"}, "read the program of the guest, DIR/nosuch: "},
		{Contents{Harness: "static", Kernel: kernels.Kernel{Modules: filepath.Join(dir, "empty")}},
			"read DIR/empty: there are no kernel modules in it"},
	} {
		c.contents.Harness = filepath.Join(dir, c.contents.Harness)
		_, err := Make(t.Context(), open(t), c.contents)
		if want := strings.ReplaceAll(c.err, "DIR", dir); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestMakeKnowsWhatItMade: the second time no module is read; a module that was built anew is another image.
func TestMakeKnowsWhatItMade(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"harness": program(elf.EM_X86_64, false),
		"modules/modules.builtin": "kernel/net/ipv6.ko\n", "modules/kernel/veth.ko": "no module",
		"modules/kernel/unused.ko": "no module either"})
	c := Contents{Harness: filepath.Join(dir, "harness"), Kernel: kernels.Kernel{Modules: filepath.Join(dir, "modules")}}
	s := open(t)
	if _, err := Make(t.Context(), s, c); err == nil || !strings.Contains(err.Error(), "veth.ko: it is no kernel module") {
		t.Fatalf("a broken module: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "modules/kernel/veth.ko")); err != nil {
		t.Fatal(err)
	}
	first, err := Make(t.Context(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(first.Missing, "veth") || slices.Contains(first.Missing, "nft_counter") {
		t.Errorf("missing are %q", first.Missing)
	}
	again, err := Make(t.Context(), s, c)
	if err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, %v; want %+v", again, err, first)
	}
	write(t, dir, map[string]string{"modules/kernel/unused.ko": "built anew"})
	if other, err := Make(t.Context(), s, c); err != nil || other.Path == first.Path {
		t.Errorf("%+v, %v", other, err)
	}
}

// TestMakeWithAKernel takes the newest kernel of the user's cache: its real modules, in an order in which each comes
// after those that it names.
func TestMakeWithAKernel(t *testing.T) {
	labtest.NeedsKernels(t)
	folder, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := store.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	k, err := (&kernels.Finder{Store: cache, Offline: true}).Find(t.Context(), "newest")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"harness": program(elf.EM_X86_64, false)})
	image, err := Make(t.Context(), open(t), Contents{Kernel: k, Harness: filepath.Join(dir, "harness"),
		Modules: []string{"wireguard", "nosuch"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(image.Missing) != 1 || image.Missing[0] != "nosuch" {
		t.Errorf("missing are %q", image.Missing)
	}
	tree, err := k.Tree()
	if err != nil {
		t.Fatal(err)
	}
	_, found := entries(t, image.Path)
	loaded := map[string]bool{}
	for line := range strings.Lines(found[strings.TrimPrefix(wire.ModulesFile, "/")]) {
		path, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "?"), " ")
		if !strings.HasPrefix(found[strings.TrimPrefix(path, "/")], "\x7fELF") {
			t.Errorf("%s is no uncompressed module", path)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".ko")
		order, _, err := tree.Load(k.Release, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, needed := range order {
			if needed.Name != name && !needed.Soft && !loaded[needed.Name] {
				t.Errorf("%s is loaded before %s, which it needs", name, needed.Name)
			}
		}
		loaded[name] = true
	}
	if !loaded["veth"] || !loaded["wireguard"] || !loaded["nf_tables"] {
		t.Errorf("of %s these are loaded: %v", k.Release, image.Modules)
	}
	if demand := "\n" + found[strings.TrimPrefix(wire.DemandFile, "/")]; !strings.Contains(demand, "\nrtnl_link_geneve ") {
		t.Errorf("nothing is loaded for rtnl-link-geneve")
	}
}
