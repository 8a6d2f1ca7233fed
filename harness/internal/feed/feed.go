// Package feed hears from the kernel what changes in a lab: in all its namespaces by one socket, which lives in a
// namespace of its own that the lab's programs never see, and the names of the namespaces by inotify and by the lab's
// mounts. It may be imported by lab; it imports state, state/changes and internal/netns. It reads no state, asks
// nothing again and again, keeps no namespace of the lab alive, and changes none: the ids by which it tells them apart
// are given in its own namespace (netlink(7), NETLINK_LISTEN_ALL_NSID, Linux 4.2). But it has namespaces that programs
// make prepared as soon as it hears of them (netns.World.PlainNew).
//
// A namespace without a name is in no state of a lab, and is not heard. The kernel tells of no change of most sysctls,
// of iptables-legacy, of listening sockets and of counters.
package feed

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state/changes"
)

// Changes that follow each other within quiet are told as one, but none later than longest.
const (
	quiet   = 5 * time.Millisecond
	longest = 50 * time.Millisecond
)

// ErrDeaf is wrapped if the kernel, or a container around this process, does not tell of changes in other namespaces.
var ErrDeaf = errors.New("the kernel does not tell of changes in the namespaces of a lab here")

// Feed tells what changes in a lab. Close it before the World.
type Feed struct {
	world   *netns.World
	tellers netns.Tellers
	// routes and filters hear the changes; filters is -1 without nfnetlink. bell is an eventfd that wakes the listener.
	routes, filters, bell int
	ask                   *asker
	lacks                 []string
	changes               chan changes.Change
	dirty                 chan struct{} // has a value if pending has changed
	done                  chan struct{} // closed by Close
	silent                chan struct{} // closed when the listener has ended
	ended                 sync.WaitGroup
	closing               sync.Once

	// Only the listener uses these.
	names  map[string]known // by the lesson's name
	by     map[int][]string // the names of the namespace with an id
	parted map[string]bool  // the names whose namespaces have ended since the last look
	buffer [64 << 10]byte

	// wakeups and reads count how often the listener woke up, and how many datagrams it has received.
	wakeups, reads atomic.Int64

	mu      sync.Mutex // guards the fields below
	pending changes.Change
	notes   int        // how often something was added to pending
	heard   [16]uint64 // how often that was of which kind, by its bit
	waiting []chan struct{}
	hearers map[string][]*Hearer
	failed  error
}

// known is what a name stands for: the inode of its namespace, 0 for a symbolic link, and the observer's id for it.
type known struct {
	inode uint64
	id    int
}

// Open begins to hear what changes in a lab. The error wraps ErrDeaf if that cannot be had here.
func Open(w *netns.World) (*Feed, error) {
	f, err := prepare(w)
	if err != nil {
		return nil, fmt.Errorf("hear what changes in lab %s: %w", w.ID(), err)
	}
	f.ended.Go(f.listen)
	f.ended.Go(f.deliver)
	return f, nil
}

// prepare is Open without the goroutines.
func prepare(w *netns.World) (*Feed, error) {
	f := &Feed{world: w, tellers: netns.Tellers{Names: -1, Mounts: -1}, routes: -1, filters: -1, bell: -1,
		changes: make(chan changes.Change), dirty: make(chan struct{}, 1),
		done: make(chan struct{}), silent: make(chan struct{}), names: map[string]known{}, by: map[int][]string{},
		parted: map[string]bool{}, hearers: map[string][]*Hearer{}}
	if err := f.open(); err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

func (f *Feed) open() (err error) {
	var untold []error
	f.tellers, untold = f.world.Tellers()
	for _, err := range untold {
		f.lacks = append(f.lacks, fmt.Sprintf("new and deleted namespaces are noticed after a command, "+
			"perhaps not while it runs: %v", err))
	}
	if f.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("make an eventfd: %w", err)
	}
	err = f.world.Apart(func() (err error) {
		if f.ask, err = newAsker(); err != nil {
			return err
		}
		if f.routes, err = subscribe(unix.NETLINK_ROUTE, groups); err != nil {
			return fmt.Errorf("%w: %w", ErrDeaf, err)
		}
		if f.filters, err = subscribe(unix.NETLINK_NETFILTER, filterGroups); err != nil {
			f.filters = -1
			f.lacks = append(f.lacks, fmt.Sprintf("changes of nftables are not told: %v", err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.look(map[string]bool{})
	return f.failed
}

// Lacks are the kinds of changes that are not told here, and why, each as a sentence.
func (f *Feed) Lacks() []string { return f.lacks }

// Changes gives one Change for each burst of changes. While nobody receives, changes are joined. It is closed by Close,
// and if the kernel fails to tell any more: see Err.
func (f *Feed) Changes() <-chan changes.Change { return f.changes }

// Err is why Changes was closed; nil after Close.
func (f *Feed) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Take returns at once what has changed since the last Change, which Changes then does not give: everything that the
// kernel told before the call. Once the feed has failed everything may have changed.
func (f *Feed) Take() changes.Change {
	f.sync()
	f.mu.Lock()
	c := f.pending
	f.pending = changes.Change{Everything: f.failed != nil}
	f.notes++
	f.mu.Unlock()
	f.stir()
	return c
}

// Heard is how often the kernel has told of any of these kinds of things, wherever: what it told before the call. While
// the number stays the same, nothing has changed of which it tells.
func (f *Feed) Heard(k changes.Kinds) (times uint64) {
	f.sync()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, n := range f.heard {
		if k.Has(1 << i) {
			times += n
		}
	}
	return times
}

// added notes that something of these kinds was added to pending. The caller holds mu.
func (f *Feed) added(k changes.Kinds) {
	f.notes++
	for i := range f.heard {
		if k.Has(1 << i) {
			f.heard[i]++
		}
	}
}

// sync waits until the listener has received what the kernel told before the call.
func (f *Feed) sync() {
	heard := make(chan struct{})
	f.mu.Lock()
	f.waiting = append(f.waiting, heard)
	f.mu.Unlock()
	f.ring()
	select {
	case <-heard:
	case <-f.silent:
	}
}

// ring wakes the listener.
func (f *Feed) ring() {
	var one [8]byte
	native.PutUint64(one[:], 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bell >= 0 {
		unix.Write(f.bell, one[:])
	}
}

// stir lets deliver look at pending.
func (f *Feed) stir() {
	select {
	case f.dirty <- struct{}{}:
	default:
	}
}

// Close ends the feed. Calling it again does nothing.
func (f *Feed) Close() {
	f.closing.Do(func() {
		close(f.done)
		f.ring()
		f.ended.Wait()
		f.release()
	})
}

func (f *Feed) release() {
	f.mu.Lock()
	bell := f.bell
	f.bell = -1
	f.mu.Unlock()
	for _, fd := range []int{f.routes, f.filters, bell} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if f.ask != nil {
		f.ask.close()
	}
	f.tellers.Close()
}
