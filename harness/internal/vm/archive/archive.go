// Package archive gets packages from Debian's archive: which versions of them there are, what they need, and their
// files. It is for the packages below internal/vm. It installs nothing, and the machine's own lists and packages stay
// as they are: apt works with lists, cache and state in a folder of the user's cache, and checks signatures as it
// always does. What the machine's settings run after an update (APT::Update::Post-Invoke) runs after ours, too.
//
// Which mirror is asked, and through which proxy, is what the machine's apt has in its sources and settings. To them
// this package adds the suites from bullseye (Linux 5.10) to experimental.
package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netnscheck/harness/internal/vm/store"
)

// Suites are the suites of the archive in the order of their age. The mirror may lack some: an old one has moved away.
var Suites = strings.Fields(`bullseye bullseye-security bullseye-backports bookworm bookworm-security bookworm-backports
	trixie trixie-security trixie-backports forky forky-security sid experimental`)

// architecture is that of the packages: a guest is x86-64, whatever this machine is.
const architecture = "amd64"

// fresh is how long lists of packages are taken as they are. Debian changes them four times a day.
const fresh = 24 * time.Hour

// ErrNoApt is the error of a machine without apt.
var ErrNoApt = errors.New("there is no apt-get on this machine")

// Archive is Debian's archive, seen by an apt of our own.
type Archive struct {
	store *store.Store
	dir   string // lists, cache and state
}

// Open prepares the archive. It asks no network; the first question for versions does, if the lists are old. Until the
// store is closed nobody removes the lists.
func Open(ctx context.Context, s *store.Store) (*Archive, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, ErrNoApt
	}
	dir, err := s.Dir(ctx, "apt")
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("make the cache: %w", err)
		}
	}
	return &Archive{store: s, dir: dir}, nil
}

// Update fetches the lists of packages if they are older than a day. Without the network old lists are kept, which the
// user is told.
func (a *Archive) Update(ctx context.Context) error {
	unlock, err := a.store.Lock(ctx, "apt/updating")
	if err != nil {
		return err
	}
	defer unlock()
	sources, err := a.writeSources(ctx)
	if err != nil {
		return err
	}
	stamp := filepath.Join(a.dir, "updated")
	written, err := os.ReadFile(stamp)
	had := err == nil && string(written) == sources
	if info, err := os.Stat(stamp); had && err == nil && time.Since(info.ModTime()) < fresh {
		return nil
	}
	a.tell("fetching the lists of Debian's packages")
	failed := a.fetch(ctx, a.dir, "update")
	if err := ctx.Err(); err != nil {
		return err
	}
	// A suite that the mirror lacks makes apt-get fail, and the others are there all the same.
	lists, err := filepath.Glob(filepath.Join(a.dir, "lists", "*_Packages*"))
	switch {
	case err != nil:
		return fmt.Errorf("look for the lists of Debian's packages: %w", err)
	case len(lists) == 0, store.IsFull(failed):
		failed = cmp.Or(failed, errors.New("there are none"))
		return fmt.Errorf("fetch the lists of Debian's packages: %w", failed)
	case failed != nil && !missingSuite(failed):
		a.tell(fmt.Sprintf("the lists of Debian's packages are old: %v", failed))
		return nil
	}
	if err := os.WriteFile(stamp, []byte(sources), 0o644); err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return nil
}

// Stale makes the next Update fetch the lists: a package that they name is no longer there.
func (a *Archive) Stale() error {
	if err := os.Remove(filepath.Join(a.dir, "updated")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove old lists of packages: %w", err)
	}
	return nil
}

// noSuite is in apt's complaint of a suite that the mirror does not have.
const noSuite = "does not have a Release file"

// missingSuite tells whether an update failed for nothing else than suites that the mirror does not have.
func missingSuite(err error) bool {
	var failed *aptError
	if !errors.As(err, &failed) {
		return false
	}
	for _, line := range failed.lines {
		if !strings.Contains(line, noSuite) {
			return false
		}
	}
	return len(failed.lines) > 0
}

func (a *Archive) tell(message string) {
	if a.store.Tell != nil {
		a.store.Tell(message)
	}
}

// options make apt work in our folder alone. They are given as arguments because these have the last word: a file of
// settings named by APT_CONFIG would be overruled by those in /etc/apt/apt.conf.d, which bring the proxy.
func (a *Archive) options() []string {
	var args []string
	for _, o := range [][2]string{
		{"APT::Architecture", architecture},
		{"APT::Sandbox::User", ""}, // the one who runs us: the lists are in his cache
		{"APT::Default-Release", ""},
		{"APT::Update::Error-Mode", "any"}, // else an update without the network ends well, with no lists
		{"Acquire::Languages", "none"},
		{"Acquire::Retries", "2"},
		{"Dir::Etc::sourcelist", filepath.Join(a.dir, "debian.sources")},
		{"Dir::Etc::sourceparts", "/dev/null"},
		{"Dir::Etc::preferences", "/dev/null"},
		{"Dir::Etc::preferencesparts", "/dev/null"},
		{"Dir::State", a.dir},
		{"Dir::State::Lists", filepath.Join(a.dir, "lists")},
		{"Dir::State::status", filepath.Join(a.dir, "status")},
		{"Dir::Cache", a.dir},
		{"Dir::Cache::archives", filepath.Join(a.dir, "archives")},
		{"Dir::Cache::pkgcache", filepath.Join(a.dir, "pkgcache.bin")},
		{"Dir::Cache::srcpkgcache", filepath.Join(a.dir, "srcpkgcache.bin")},
	} {
		args = append(args, "-o", o[0]+"="+o[1])
	}
	return args
}

// run runs a program of apt in our folder and returns what it prints.
func (a *Archive) run(ctx context.Context, program string, args ...string) (string, error) {
	return a.runIn(ctx, a.dir, program, args...)
}

// fetch runs apt-get where it writes to the cache. On a full disk apt-get update would wait for ever, and say nothing.
func (a *Archive) fetch(ctx context.Context, dir string, args ...string) error {
	ctx, stop := a.store.UntilFull(ctx)
	defer stop()
	_, err := a.runIn(ctx, dir, "apt-get", args...)
	return a.store.Full(err)
}

func (a *Archive) runIn(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, append(a.options(), args...)...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "APT_CONFIG=", "DEBIAN_FRONTEND=noninteractive")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// What the machine's apt leaves in the background may hold the outputs; that is no failure.
	if err := cmd.Run(); err != nil && (ctx.Err() != nil || !errors.Is(err, exec.ErrWaitDelay)) {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", newAptError(program, err, stderr.String())
	}
	return stdout.String(), nil
}

// aptError is what apt complained of.
type aptError struct {
	program string
	lines   []string // without "E: "
	err     error
}

func newAptError(program string, err error, stderr string) *aptError {
	e := &aptError{program: program, err: err}
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "E: "); ok {
			e.lines = append(e.lines, text)
		}
	}
	return e
}

// Error is the first complaint that is about more than a missing suite, and how many others there are.
func (e *aptError) Error() string {
	if len(e.lines) == 0 {
		return fmt.Sprintf("%s: %v", e.program, e.err)
	}
	first := 0
	if i := slices.IndexFunc(e.lines, func(line string) bool { return !strings.Contains(line, noSuite) }); i > 0 {
		first = i
	}
	if more := len(e.lines) - 1; more > 0 {
		return fmt.Sprintf("%s: %s (and %d more complaints)", e.program, e.lines[first], more)
	}
	return fmt.Sprintf("%s: %s", e.program, e.lines[first])
}

func (e *aptError) Unwrap() error { return e.err }
