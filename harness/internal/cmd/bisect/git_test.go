package bisect

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/internal/cmd/guests"
	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/cmd/status"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/vm/kernels"
	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/store"
)

// cached is a kernel that was fetched before.
func cached(t *testing.T, name string) kernels.Kernel {
	t.Helper()
	dir, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	k, err := (&kernels.Finder{Store: s, Offline: true}).Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// makefile builds a tree by copying a kernel: the state of the tree says which.
const makefile = `
all:
	grep -qv broken state
	mkdir -p arch/x86/boot
	cp "$$(cat state | cut -d' ' -f1)/vmlinuz" arch/x86/boot/bzImage
	rm -rf modules
	cp -r "$$(cat state | cut -d' ' -f1)/modules" modules
olddefconfig:
`

// TestGitBisectRun: of ten commits in a tree, git finds the first with the kernel in which a rule is not deleted any
// more, with real kernels, although one commit does not build.
func TestGitBisectRun(t *testing.T) {
	labtest.NeedsKernels(t)
	labtest.Needs(t, qemu.Program, "git", "make")
	good, bad := cached(t, "5.10"), cached(t, "newest")
	harness, err := labtest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := filepath.Abs("testdata/own-rule.md")
	if err != nil {
		t.Fatal(err)
	}
	tree := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", args...)
		c.Dir = tree
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		output, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, output)
		}
		return string(output)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write(".gitignore", "arch\nmodules\nresults\n.config\n")
	write(".config", "")
	write("Kconfig", "")
	write("Makefile", makefile)
	const first, broken, commits = 8, 6, 10 // from the second to the last, the sixth is in the middle
	var revisions []string
	for n := 1; n <= commits; n++ {
		state := filepath.Dir(good.Image)
		if n >= first {
			state = filepath.Dir(bad.Image)
		}
		if n == broken {
			state = "broken"
		}
		write("state", fmt.Sprintf("%s %d\n", state, n))
		git("add", "-A")
		git("commit", "-q", "-m", fmt.Sprintf("commit %d", n))
		revisions = append(revisions, strings.TrimSpace(git("rev-parse", "HEAD")))
	}
	git("bisect", "start", revisions[commits-1], revisions[1])
	output := git("bisect", "run", harness, "bisect", "--kernel", ".", "--scenario", scenario, "--driver", "netlink",
		"--offline")
	t.Log(output)
	if !strings.Contains(output, revisions[first-1]+" is the first bad commit") {
		t.Errorf("git does not find %s (commit %d)", revisions[first-1], first)
	}
	if !strings.Contains(output, "cannot be told: build .") {
		t.Error("the commit that does not build is not skipped, or it is not said why")
	}
}

// TestGitStops: what is not the commit's fault makes git stop, whatever flag is wrong.
func TestGitStops(t *testing.T) {
	labtest.Needs(t, qemu.Program)
	harness, err := labtest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"--kernel . --scenario ruels", "--kernel . --scenaro rules", "--kernel .", "--scenaro rules --kernel=.",
		"--kernel . --scenario rules --good 6.1", "--kernel . --case rules.netlink.999",
		"--kernel . --scenario rules --cpus -1", "--kernel . --scenario rules --with nosuch",
		"--kernel . --scenario rules --with links-in-place",
		"--kernel ./nowhere --scenario rules --offline",
	} {
		c := exec.Command(harness, append([]string{"bisect"}, strings.Fields(args)...)...)
		c.Dir = t.TempDir()
		output, _ := c.CombinedOutput()
		if got := c.ProcessState.ExitCode(); got != stop {
			t.Errorf("%s: exit status %d, want %d\n%s", args, got, stop, output)
		}
	}
}

// TestWhoseFault: what no commit can cause makes git stop, and what a commit may have caused skips it.
func TestWhoseFault(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	rig, err := guests.Open(guests.Settings{Offline: true}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer rig.Close()
	folder := func(files ...string) string {
		dir := t.TempDir()
		for _, name := range files {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for name, c := range map[string]struct {
		kernel string
		want   int
	}{
		"no such file":          {"./nowhere", stop},
		"no such package":       {"6.12", stop},
		"no tree":               {folder(), stop},
		"a tree without kernel": {folder("Makefile", "Kconfig"), cannotTell},
		"a file that is none":   {filepath.Join(folder("bzImage"), "bzImage"), cannotTell},
	} {
		if got, _ := status.Of((&options{kernel: c.kernel}).find(t.Context(), rig)); got != c.want {
			t.Errorf("%s: exit status %d, want %d", name, got, c.want)
		}
	}
	full := filepath.Join(folder(), "build.log")
	if err := os.WriteFile(full, []byte("ld: final link failed: No space left on device\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !diskWasFull(full) || diskWasFull(filepath.Join(folder("build.log"), "build.log")) {
		t.Error("a full disk is not told from another fault of the build")
	}
	t.Setenv("PATH", t.TempDir())
	o := &options{kernel: folder("Makefile", "Kconfig", ".config"), output: t.TempDir(),
		screen: screen.Plain(io.Discard, io.Discard, false)}
	if got, _ := status.Of(o.build(t.Context())); got != stop {
		t.Errorf("without make: exit status %d", got)
	}
}
