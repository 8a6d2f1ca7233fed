package machine

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/image"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/store"
)

// guest is a guest for a test: the real program, the kernel that NETNSCHECK_KERNEL names, its modules.
func guest(t *testing.T, args ...string) Guest {
	t.Helper()
	labtest.Needs(t, qemu.Program)
	k := kernel(t)
	s, err := store.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	harness, err := labtest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	made, err := image.Make(t.Context(), s, image.Contents{Kernel: k, Harness: harness})
	if err != nil {
		t.Fatal(err)
	}
	return Guest{Name: k.Name, Kernel: k.Image, Initrd: made.Path, Args: args, Virtual: true, Folder: t.TempDir()}
}

func kernel(t *testing.T) kernels.Kernel {
	t.Helper()
	f := kernels.Finder{Modules: os.Getenv("NETNSCHECK_MODULES")}
	k, err := f.Find(t.Context(), os.Getenv("NETNSCHECK_KERNEL"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestBoot(t *testing.T) {
	g := guest(t, "run", "veth-pair", "--driver", "netlink", "--report", "events=/dev/fd/3")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	begun := time.Now()
	end, err := Run(ctx, g, func(e Event) {
		switch {
		case e.Case != nil:
			t.Logf("%v %s %s", time.Since(begun), e.Case.Suite, e.Case.Name)
		case e.Ready != nil:
			t.Logf("%v %+v", time.Since(begun), e.Ready)
		default:
			t.Logf("%v %s", time.Since(begun), e.Output)
		}
	})
	t.Logf("%+v %+v %v", end, end.Exit, err)
	console, _ := os.ReadFile(end.Console)
	t.Logf("%s", console)
}
