package netns

import (
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Open opens a namespace by its name, or the host namespace. The error wraps ENOENT if there is no such name, EINVAL if
// what has the name is not a network namespace.
func (w *World) Open(name string) (Handle, error) {
	if err := checkName(name); err != nil {
		return Handle{}, fmt.Errorf("open namespace %q: %w", name, err)
	}
	h, err := w.open(name)
	if err != nil {
		return Handle{}, fmt.Errorf("open namespace %s: %w", name, err)
	}
	return h, nil
}

func (w *World) open(name string) (Handle, error) {
	if name == Host {
		fd, err := unix.FcntlInt(uintptr(w.host.file.fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return Handle{}, err
		}
		return newHandle(fd)
	}
	return w.openEntry(w.Real(name))
}

// openEntry opens the namespace of an entry in the lab's /run/netns.
func (w *World) openEntry(entry string) (Handle, error) {
	if _, here := w.ground.(*site); here {
		return w.places.namespace(entry, 0)
	}
	h, err := w.places.namespace(entry, unix.O_NOFOLLOW)
	if err == unix.ELOOP { // a symbolic link: it is resolved where the programs are
		return w.ground.open(entry)
	}
	if err != nil {
		return h, err
	}
	return h.belonging()
}

// Do runs f on the lab's thread inside the namespace `name`, and waits for it. f should not block, since commands and
// other calls wait for the same thread, and must not call the World. A panic of f continues in the caller.
func (w *World) Do(name string, f func() error) error {
	if name == Host {
		return w.thread.do(f)
	}
	h, err := w.Open(name)
	if err != nil {
		return err
	}
	defer h.Close()
	return w.DoIn(h, f)
}

// DoIn is Do for an open namespace. setns(2) moves the calling thread alone (netns_install, net/core/net_namespace.c):
// goroutines that f starts run elsewhere.
func (w *World) DoIn(h Handle, f func() error) error {
	return w.thread.do(func() error { return w.visit(h, f) })
}

// Each runs f as Do does, inside the host and then inside each namespace that has a name. The lab's thread goes from
// one to the next and returns at the end. A namespace that is gone before its turn is left out.
func (w *World) Each(f func(name string) error) error {
	entries, err := w.places.list()
	if err != nil {
		return fmt.Errorf("list namespaces: %w", err)
	}
	slices.Sort(entries)
	return w.thread.do(func() error {
		if err := f(Host); err != nil {
			return err
		}
		return w.host.afterwards(func() error {
			for _, entry := range entries {
				if name, ours := w.nameOf(entry); ours {
					if err := w.inEntry(entry, func() error { return f(name) }); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

// inEntry runs f in the namespace of an entry in /run/netns; it does nothing if the entry is not a namespace. It runs
// on the lab's thread and leaves it there.
func (w *World) inEntry(entry string, f func() error) error {
	h, err := w.openEntry(entry)
	if lost := undecided(err); lost != nil {
		return fmt.Errorf("open namespace %s: %w", entry, lost)
	}
	if err != nil {
		return nil
	}
	defer h.Close()
	if err := h.enter(); err != nil {
		return fmt.Errorf("enter namespace %d: %w", h.Inode(), err)
	}
	return f()
}

// visit runs f in the namespace. It runs on the lab's thread and brings it back to the host namespace.
func (w *World) visit(h Handle, f func() error) error {
	if err := h.enter(); err != nil {
		return fmt.Errorf("enter namespace %d: %w", h.Inode(), err)
	}
	return w.host.afterwards(f)
}

// afterwards runs f and then moves the calling thread into the namespace, even if f panics. If that fails, the error is
// a *lostError and the thread must not be used again.
func (h Handle) afterwards(f func() error) (err error) {
	defer func() {
		if back := h.enter(); back != nil {
			err = &lostError{fmt.Errorf("return to the lab's host namespace: %w", back)}
		}
	}()
	return f()
}

// Go runs f on a thread of its own inside the namespace `name` and waits for it. Other calls are not held up, so f may
// block. Close waits for f.
func (w *World) Go(name string, f func() error) error {
	h, err := w.Open(name)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := w.begin(); err != nil {
		return err
	}
	defer w.done()
	return onThrowawayThread(func() error {
		if err := w.settle(h); err != nil {
			return fmt.Errorf("enter namespace %s: %w", name, err)
		}
		return f()
	})
}

// begin counts one more thread that Close has to wait for.
func (w *World) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errThreadEnded
	}
	w.beside++
	return nil
}

// done undoes begin.
func (w *World) done() {
	w.mu.Lock()
	w.beside--
	w.mu.Unlock()
}

// Netlink opens an rtnetlink handle (NETLINK_ROUTE alone) in the namespace. Close it soon: an open socket keeps a
// namespace alive after its name is deleted.
func (w *World) Netlink(name string) (*netlink.Handle, error) {
	return openNetlink(name, func(f func() error) error { return w.Do(name, f) })
}

// NetlinkIn is Netlink for an open namespace.
func (w *World) NetlinkIn(h Handle) (*netlink.Handle, error) {
	return openNetlink(fmt.Sprintf("namespace %d", h.Inode()), func(f func() error) error { return w.DoIn(h, f) })
}

// Send sends a netlink message to the kernel through a socket, from a process in the programs' user namespace: some
// requests the kernel accepts only from there. The reply arrives at the socket.
func (w *World) Send(socket int, message []byte) error { return w.ground.send(socket, message) }

// openNetlink opens an rtnetlink handle in the namespace where do runs a function.
func openNetlink(where string, do func(f func() error) error) (nl *netlink.Handle, err error) {
	err = do(func() (err error) {
		nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		if nl != nil {
			nl.Close() // it was opened, but the thread could not return
		}
		return nil, fmt.Errorf("open netlink in %s: %w", where, err)
	}
	return nl, nil
}
