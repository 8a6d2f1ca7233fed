// Package netns makes, opens, enters and removes network namespaces; it is the only place of the project that calls
// setns(2) or unshare(2) for a lab. It may be imported by the command line, by lab and by the other packages under
// internal; of this project it imports sandbox and state alone, and it never enters a namespace on a thread that
// somebody else uses afterwards.
//
// In the sandbox it works on both sides of the wall. In the helper, among the programs of scenarios, a site makes the
// namespaces of a lab and starts its programs; in the worker, which judges, a World enters the namespaces by their
// descriptors, and believes nothing else that comes from there.
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
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// Host is the name of a lab's own host namespace in all calls of this package.
const Host = state.Host

// patience is how long Close waits for what the kernel does in its own time.
const patience = 5 * time.Second

// Options say where a World puts its namespaces.
type Options struct {
	// Shared puts them where `ip netns` of the machine shows them, each name with the lab's id as suffix, the owner
	// recorded (--sandbox=off, root). Otherwise the programs of the lab have a mount namespace, a /run/netns and a /sys
	// of their own. (In a shared one they have a /sys of their own, too.)
	Shared bool
	// Ahead is how many namespaces are about to be added: they are made while the World is (see Foresee).
	Ahead int
	// Ancestor is the number of a process below which there is nothing but this run, this process among it: what runs
	// there was started by a lab, though it may have lost the lab's mark, its parents and its session. It has to be the
	// reaper of its orphans. 0: there is none; then orphans are found by their mark alone.
	Ancestor int
}

// World is the set of network namespaces of one lab and an OS thread that lives in the lab's host network namespace.
// Where its programs live is its ground. A World may be used by several goroutines; what needs the thread happens one
// after the other.
type World struct {
	id     string
	shared bool
	ground ground
	thread *thread
	places places
	host   Handle

	attached attachments

	mu       sync.Mutex
	known    map[string]bool // names of namespaces that the lab heard of
	nameless []Handle
	closed   bool
	beside   int // functions of Go, on threads of their own
}

// New makes the mount namespace and the host network namespace, with lo up in it, and a thread there.
func New(o Options) (*World, error) {
	return newWorld(o, func(id string) (ground, error) {
		if o.Shared {
			return newSite(&site{id: id, shared: true, ancestor: o.Ancestor, spawn: spawn}, o.Ahead)
		}
		return newRemote(id, o.Ahead)
	})
}

// NewHere is a World whose programs live on this side of the wall, and whose functions run in its mounts: a small
// machine, for tests of what looks at one, and for trials where there is no wall.
func NewHere(o Options) (*World, error) {
	return newWorld(o, func(id string) (ground, error) {
		return newSite(&site{id: id, here: true, ancestor: o.Ancestor, spawn: spawn}, o.Ahead)
	})
}

func newWorld(o Options, make func(id string) (ground, error)) (*World, error) {
	w := &World{id: newID(), shared: o.Shared, known: map[string]bool{Host: true}}
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

// settle takes the calling thread, which nobody uses for anything else, into a namespace of the lab.
func (w *World) settle(h Handle) error {
	if s, ok := w.ground.(*site); ok && s.here {
		return s.join(h)
	}
	return h.enter()
}

// record is that of a shared World.
func (w *World) record() *record { return w.ground.(*site).record }

// alive is an error after Close, and after the thread was lost.
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

// newID is six characters of a-z2-7. Thirty random bits tell the labs of a machine apart.
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

// ID is the lab's id, unique on the machine: six characters of a-z2-7.
func (w *World) ID() string { return w.id }

// Shared says that the lab's namespaces are where `ip netns` of the machine shows them.
func (w *World) Shared() bool { return w.shared }

// Real is the name under which the namespace `name` of the lesson is known to programs: the same in the sandbox, with
// `-ID` behind it when Shared.
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

// suffixOf is what stands behind each name of a shared lab.
func suffixOf(id string) string { return "-" + id }

// ofLab tells whether an entry of /run/netns has a name of that lab.
func ofLab(entry, id string) bool { return strings.HasSuffix(entry, suffixOf(id)) }

// suffixSize is how much longer a name is on the machine.
const suffixSize = len("-") + 6

// Renamable says whether the namespace `name` of a lesson can have a name on the machine: one that the kernel takes may
// be too long with a suffix.
func Renamable(name string) bool {
	return len(name) > unix.NAME_MAX || len(name)+suffixSize <= unix.NAME_MAX
}

// Lesson takes the suffixes out of what a program printed.
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

// LessonList is Lesson for what `ip netns list` prints: the machine's other namespaces are left out, and the lab's
// host, which has a name on the machine alone.
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

// Close ends the programs that still run in the lab, drops its namespaces and its thread, and waits until the kernel
// has let go of them. It returns an error that names what was left behind. A second Close does nothing.
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
	w.thread.leave() // beside what the ground does
	left := w.ground.close()
	errs = append(errs, w.thread.end(patience), left)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close lab %s: %w", w.id, err)
	}
	return nil
}

// awaitThreads waits for the threads beside the lab's own to end.
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
