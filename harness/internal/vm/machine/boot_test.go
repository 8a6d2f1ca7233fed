package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cavaliergopher/cpio"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/store"
)

var folder string

func TestMain(m *testing.M) { os.Exit(labtest.InFolder(m, &folder)) }

// trouble is the initramfs of a guest in which testdata/trouble is the first process and takes the place of the
// harness.
var trouble = sync.OnceValues(func() (string, error) {
	program := filepath.Join(folder, "trouble")
	build := exec.Command("go", "build", "-o", program, "./testdata/trouble")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build testdata/trouble: %w\n%s", err, output)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	to := cpio.NewWriter(&out)
	head := cpio.Header{Name: "init", Mode: cpio.TypeReg | 0o755, Size: int64(len(text))}
	if err := to.WriteHeader(&head); err != nil {
		return "", err
	}
	if _, err := to.Write(text); err != nil {
		return "", err
	}
	if err := to.Close(); err != nil {
		return "", err
	}
	image := filepath.Join(folder, "trouble.cpio")
	return image, os.WriteFile(image, out.Bytes(), 0o644)
})

// cached is a kernel of Debian that was fetched before.
var cached = sync.OnceValues(func() (kernels.Kernel, error) {
	dir, err := store.Default()
	if err != nil {
		return kernels.Kernel{}, err
	}
	s, err := store.Open(dir)
	if err != nil {
		return kernels.Kernel{}, err
	}
	f := kernels.Finder{Store: s, Offline: true}
	for _, name := range []string{"6.1", "6.12", "newest"} {
		k, err2 := f.Find(context.Background(), name)
		if err = err2; err == nil {
			k.Image, err = k.Direct(context.Background(), s)
			return k, err
		}
	}
	return kernels.Kernel{}, err
})

// troubled is a guest whose harness does what args say. The caller needs kernels (labtest.NeedsKernels).
func troubled(t *testing.T, args ...string) Guest {
	t.Helper()
	labtest.Needs(t, qemu.Program)
	k, err := cached()
	if err != nil {
		t.Fatal(err)
	}
	image, err := trouble()
	if err != nil {
		t.Fatal(err)
	}
	return Guest{Name: k.Name, Kernel: k.Image, Initrd: image, Args: args, Memory: 256, Virtual: true,
		Folder: t.TempDir()}
}
