package kernels

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/store"
)

// deb builds a package in a folder and returns its file.
func deb(t *testing.T, folder, name, arch string, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, root, files)
	write(t, root, map[string]string{"DEBIAN/control": fmt.Sprintf("Package: %s\nVersion: 9.9.1-1\nArchitecture: %s\n"+
		"Maintainer: nobody <nobody@example.org>\nDescription: a test\n", name, arch)})
	file := filepath.Join(folder, name+"_9.9.1-1_"+arch+".deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

func TestFromDeb(t *testing.T) {
	labtest.Needs(t, "dpkg-deb")
	const release = "9.9.1+test-amd64"
	image := string(header(release + " (x@y) #1"))
	veth := "kernel/drivers/net/veth.ko"
	debs := t.TempDir()
	whole := deb(t, debs, "linux-image-"+release, "amd64", map[string]string{
		"boot/vmlinuz-" + release: image, "lib/modules/" + release + "/" + veth: "veth",
		"lib/modules/" + release + "/kernel/sound/core/snd.ko": "a sound"})
	split := t.TempDir()
	binary := deb(t, split, "linux-binary-"+release, "amd64",
		map[string]string{"usr/lib/modules/" + release + "/vmlinuz": image})
	deb(t, split, "linux-modules-"+release, "amd64",
		map[string]string{"usr/lib/modules/" + release + "/" + veth: "veth"})
	alone := t.TempDir()
	lonely := deb(t, alone, "linux-binary-"+release, "amd64",
		map[string]string{"usr/lib/modules/" + release + "/vmlinuz": image})
	empty := deb(t, alone, "linux-image-"+release, "amd64", map[string]string{"usr/share/doc/x/README": "x"})

	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := Finder{Store: s}
	for _, file := range []string{whole, binary} {
		k, err := f.Find(t.Context(), file)
		if err != nil {
			t.Error(err)
			continue
		}
		if k.Release != release || k.Version != "9.9.1-1" || k.Package != strings.TrimSuffix(filepath.Base(file),
			"_9.9.1-1_amd64.deb") {
			t.Errorf("%s: %+v", file, k)
		}
		if text, err := os.ReadFile(filepath.Join(k.Modules, veth)); err != nil || string(text) != "veth" {
			t.Errorf("%s: %q, %v", file, text, err)
		}
		if got, err := ReadRelease(k.Image); err != nil || got != release {
			t.Errorf("%s: %q, %v", file, got, err)
		}
		if _, err := os.Stat(filepath.Join(k.Modules, "kernel/sound")); err == nil {
			t.Errorf("%s: a guest has no sound", file)
		}
	}

	arm := deb(t, alone, "linux-image-9.9.1-arm64", "arm64", map[string]string{"boot/vmlinuz-9.9.1-arm64": "MZ"})
	headers := deb(t, alone, "linux-headers-"+release, "amd64", map[string]string{"usr/src/x": "x"})
	text := deb(t, alone, "linux-image-9.9.2", "amd64", map[string]string{"boot/vmlinuz-9.9.2": "text",
		"lib/modules/9.9.2/" + veth: "veth"})
	for file, want := range map[string]string{
		arm:     "it is for arm64, and a guest is amd64",
		headers: "the package linux-headers-" + release + " holds no kernel",
		text:    "it is no kernel image",
		lonely:  "linux-modules-" + release + " with its modules is missing",
	} {
		if _, err := f.Find(t.Context(), file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	// The empty package of a kernel from 7.2 on finds the image beside it, but no modules; by itself it has nothing.
	if err := os.Remove(lonely); err != nil {
		t.Fatal(err)
	}
	_, err = f.Find(t.Context(), empty)
	if err == nil || !strings.Contains(err.Error(), "has no kernel in it (from 7.2 on") {
		t.Errorf("an empty package: %v", err)
	}
	if entries, err := s.List(); err != nil || len(entries) != 2 {
		t.Errorf("the store has %+v, %v", entries, err)
	}
}
