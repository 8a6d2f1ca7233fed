// Package netns makes, opens, enters and removes network namespaces. It is the only package of the project that calls
// setns(2) or unshare(2) for a lab. It may be imported by the command line, by lab and by other packages under
// internal; of this project it imports sandbox and state alone. It never enters a namespace on a thread that other code
// uses afterwards.
//
// In the sandbox it works on both sides of the wall. In the helper, which is as untrusted as the programs that it
// starts, a site makes the namespaces of a lab. In the worker, which judges, a World enters the namespaces by
// descriptors and trusts nothing else that comes from the helper.
package netns

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Host is the name of a lab's own host namespace in all calls of this package.
const Host = state.Host

// patience is how long Close waits for what the kernel does in its own time.
const patience = 5 * time.Second

// Options says where a World puts its namespaces.
type Options struct {
	// Shared puts them where `ip netns` on the host lists them, with the lab's id as the suffix of each name and a
	// record of the owner (--sandbox=off, root). Otherwise the lab's programs have their own mount namespace and
	// /run/netns. They have their own /sys in both cases.
	Shared bool
	// Ahead is how many namespaces are about to be added. They are made together with the World (see Foresee).
	Ahead int
	// Ancestor is the id of a process whose descendants, this process among them, all belong to this run: whatever runs
	// below it was started by a lab, even without the lab's mark, its parents and its session. It has to be a
	// subreaper. If it is 0, orphans are found by their mark alone.
	Ancestor int
}

// World is the set of network namespaces of one lab, with an OS thread that lives in the lab's host network namespace.
// Its programs live on its ground. Several goroutines may use a World; calls that need the thread run one after the
// other.
type World struct {
	id     string
	shared bool
	ground ground
	thread *thread
	places places
	host   Handle

	attached attachments
	started  atomic.Bool // a program was

	mu    sync.Mutex
	known map[string]bool // all names of namespaces so far
	// plain are the names of namespaces with the kernel's default settings, by PlainNew: with their inode, or 0 for one
	// that the World has made since.
	plain    map[string]uint64
	nameless []Handle
	closed   bool
	beside   int // functions of Go, on threads of their own
}

// New makes a lab's mount namespace and host network namespace, with lo up, and a thread in the latter.
func New(o Options) (*World, error) {
	return newWorld(o, func(id string) (ground, error) {
		if o.Shared {
			return newSite(&site{id: id, shared: true, ancestor: o.Ancestor, spawn: spawn}, o.Ahead)
		}
		return newRemote(id, o.Ahead)
	})
}

// NewHere makes a World without a wall: its programs are started by this process, and its functions run in its mounts.
// It is a small host for tests of what looks at a host, and for trials outside a sandbox.
func NewHere(o Options) (*World, error) {
	return newWorld(o, func(id string) (ground, error) {
		return newSite(&site{id: id, here: true, ancestor: o.Ancestor, spawn: spawn}, o.Ahead)
	})
}

func newWorld(o Options, make func(id string) (ground, error)) (*World, error) {
	w := &World{id: newID(), shared: o.Shared, known: map[string]bool{Host: true},
		plain: map[string]uint64{}}
	if err := w.found(make); err != nil {
		return nil, fmt.Errorf("make lab %s: %w", w.id, err)
	}
	return w, nil
}

func (w *World) found(make func(id string) (ground, error)) (err error) {
	if w.ground, err = make(w.id); err != nil {
		return err
	}
	if w.host, w.places, err = w.ground.look(); err == nil {
		w.thread, err = newThread(func() error { return w.settle(w.host) })
	}
	if err != nil {
		w.host.Close()
		w.places.close()
		return errors.Join(err, w.ground.close())
	}
	return nil
}

// settle moves the calling thread, which is not used for anything else, into a namespace of the lab.
func (w *World) settle(h Handle) error {
	if s, ok := w.ground.(*site); ok && s.here {
		return s.join(h)
	}
	return h.enter()
}

// record returns the record of a shared World.
func (w *World) record() *record { return w.ground.(*site).record }

// alive is an error after Close and after the thread was lost.
func (w *World) alive() error {
	if w.isClosed() {
		return errThreadEnded
	}
	select {
	case <-w.thread.ended:
		return w.thread.endedError()
	default:
		return nil
	}
}

// newID returns six characters of a-z2-7. Thirty random bits distinguish the labs on a host.
func newID() string {
	var b [4]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:6]
}

// loopbackUp sets lo up in the namespace of the calling thread.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	return nil
}

// ID is the lab's id, unique on the host: six characters of a-z2-7.
func (w *World) ID() string { return w.id }

// Shared reports whether `ip netns` on the host lists the lab's namespaces.
func (w *World) Shared() bool { return w.shared }

// Real returns the name that programs know the lesson's namespace `name` by: the same in the sandbox, with the suffix
// `-ID` in a shared World.
func (w *World) Real(name string) string {
	w.mu.Lock()
	w.known[name] = true
	w.mu.Unlock()
	if !w.shared {
		return name
	}
	return name + w.suffix()
}

func (w *World) suffix() string { return suffixOf(w.id) }

// suffixOf is the suffix of each name of a shared lab.
func suffixOf(id string) string { return "-" + id }

// ofLab reports whether an entry of /run/netns has the suffix of that lab.
func ofLab(entry, id string) bool { return strings.HasSuffix(entry, suffixOf(id)) }

// suffixSize is how much longer a name of a shared lab is.
const suffixSize = len("-") + 6

// Renamable reports whether the lesson's namespace `name` can get a suffix. A name that is valid without one may be too
// long with it.
func Renamable(name string) bool {
	return len(name) > unix.NAME_MAX || len(name)+suffixSize <= unix.NAME_MAX
}

// Lesson removes the suffixes from a program's output.
func (w *World) Lesson(text string) string {
	if !w.shared || !strings.Contains(text, w.suffix()) {
		return text
	}
	w.mu.Lock()
	names := make([]string, 0, len(w.known))
	for name := range w.known {
		names = append(names, name)
	}
	w.mu.Unlock()
	slices.Sort(names)
	for _, name := range names {
		text = strings.ReplaceAll(text, name+w.suffix(), name)
	}
	return text
}

// nameLine is a line of `ip netns list` about a namespace.
var nameLine = regexp.MustCompile(`^(\S+)( \(id: \d+\))?\n?$`)

// LessonList is Lesson for the output of `ip netns list`. It also removes the host's other namespaces, and the lab's
// host, which has a name in shared Worlds only.
func (w *World) LessonList(text string) string {
	if !w.shared {
		return text
	}
	var ours strings.Builder
	for line := range strings.Lines(text) {
		name := nameLine.FindStringSubmatch(line)
		if name == nil || strings.HasSuffix(name[1], w.suffix()) && name[1] != w.Real(Host) {
			ours.WriteString(line)
		}
	}
	return w.Lesson(ours.String())
}

// Close kills the programs that still run in the lab, drops its namespaces and its thread, and waits until the kernel
// has released them. The error names what was left behind. A second Close does nothing.
func (w *World) Close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.mu.Unlock()
	if again {
		return nil
	}
	errs := []error{w.awaitThreads()}
	w.mu.Lock()
	for _, h := range w.nameless {
		h.Close()
	}
	w.mu.Unlock()
	errs = append(errs, w.detach())
	w.host.Close()
	w.places.close()
	w.thread.leave() // it ends while the ground closes
	left := w.ground.close()
	errs = append(errs, w.thread.end(patience), left)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close lab %s: %w", w.id, err)
	}
	return nil
}

// awaitThreads waits for the threads of Go to end.
func (w *World) awaitThreads() error {
	return await(patience, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.beside > 0 {
			return fmt.Errorf("%d threads beside the lab's own have not ended: a function that runs there has not "+
				"returned", w.beside)
		}
		return nil
	})
}
