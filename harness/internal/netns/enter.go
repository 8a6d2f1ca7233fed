package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Open opens a namespace by its name, or the host namespace. The error wraps ENOENT when there is no such name, EINVAL
// when what has the name is no namespace.
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
	return w.places.namespace(w.Real(name))
}

// Do runs f on the lab's thread inside the namespace `name`, and comes back. Do not block in f: commands and other calls
// wait meanwhile. f must not call the World. A panic of f goes on in the caller.
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

// DoIn is Do for an open namespace.
func (w *World) DoIn(h Handle, f func() error) error {
	return w.thread.do(func() error { return w.visit(h, f) })
}

// visit takes the lab's thread, which calls it, into the namespace and back.
func (w *World) visit(h Handle, f func() error) (err error) {
	if err := h.enter(); err != nil {
		return fmt.Errorf("enter namespace %d: %w", h.Inode(), err)
	}
	defer func() {
		if back := w.host.enter(); back != nil {
			err = &lostError{fmt.Errorf("come back to the lab's host namespace: %w", back)}
		}
	}()
	return f()
}

// Go runs f on a thread of its own inside the namespace `name` and in the lab's mounts, and waits for it. Other calls go on
// beside it: it is for what blocks. Close waits for f.
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
		if err := w.join(h); err != nil {
			return fmt.Errorf("enter namespace %s: %w", name, err)
		}
		return f()
	})
}

// begin counts one more thread for which Close waits.
func (w *World) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errThreadEnded
	}
	w.beside++
	return nil
}

// done takes back what begin has counted.
func (w *World) done() {
	w.mu.Lock()
	w.beside--
	w.mu.Unlock()
}

// join takes the calling thread, which nobody uses afterwards, into the lab's mounts, its working directory and the namespace.
func (w *World) join(h Handle) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare the working directory: %w", err)
	}
	if err := w.places.join(); err != nil {
		return err
	}
	return h.enter()
}

// Netlink opens an rtnetlink handle (NETLINK_ROUTE alone) in the namespace. The caller closes it soon: an open socket keeps a
// namespace alive after its name is deleted.
func (w *World) Netlink(name string) (*netlink.Handle, error) {
	return openNetlink(name, func(f func() error) error { return w.Do(name, f) })
}

// NetlinkIn is Netlink for an open namespace.
func (w *World) NetlinkIn(h Handle) (*netlink.Handle, error) {
	return openNetlink(fmt.Sprintf("namespace %d", h.Inode()), func(f func() error) error { return w.DoIn(h, f) })
}

// openNetlink opens an rtnetlink handle where do runs a function.
func openNetlink(where string, do func(f func() error) error) (nl *netlink.Handle, err error) {
	err = do(func() (err error) {
		nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		if nl != nil {
			nl.Close() // it was opened on a thread that could not come back
		}
		return nil, fmt.Errorf("open netlink in %s: %w", where, err)
	}
	return nl, nil
}
