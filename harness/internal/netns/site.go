package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// ground is where a lab's namespaces are made and its programs are started: a *site in this process for a shared lab,
// otherwise a *remote, which stands for a site in the sandbox's helper.
type ground interface {
	// look returns descriptors of the host namespace and the places; the caller closes them.
	look() (host Handle, p places, err error)
	// add makes namespaces with these names, up to the first that is refused, as `ip netns add` does. remove removes a
	// name, as `ip netns del` does. open opens what has a name in /run/netns, resolving links as programs would.
	add(real []string) (added int, err error)
	remove(real string) error
	open(real string) (Handle, error)
	// foresee announces that n namespaces are about to be added.
	foresee(n int) error
	// start starts a program in the host ("") or in the namespace with that name.
	start(real string, p Program) (*Running, error)
	// send sends a message to the kernel through a netlink socket, with the credentials of programs.
	send(socket int, message []byte) error
	// lacks returns what was refused to the programs of the lab.
	lacks() ([]error, error)
	// thread is the id of the thread that lives there, as programs see it.
	thread() int
	// close kills the programs and drops the namespaces; the error names what was left behind.
	close() error
}

// spawner starts a program. The channel receives its wait status when it has ended.
type spawner func(path string, argv []string, attr *syscall.ProcAttr) (
	pid int, ended <-chan syscall.WaitStatus, err error)

// spawn is the spawner of a process that waits for each of its children separately.
func spawn(path string, argv []string, attr *syscall.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	ended := make(chan syscall.WaitStatus, 1)
	go func() {
		var status syscall.WaitStatus
		for {
			if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
				ended <- status
				return
			}
		}
	}()
	return pid, ended, nil
}

// site is a lab's ground in this process: a locked OS thread in the lab's host network namespace and mounts, from which
// its programs are started.
type site struct {
	id     string
	shared bool
	here   bool // see NewHere
	// ancestor is Options.Ancestor.
	ancestor int
	record   *record // of the owner; nil unless shared
	spawn    spawner
	// mortal is true if the kernel kills all programs when this process ends, because it is process 1 of their PID
	// namespace.
	mortal bool

	null   *os.File // /dev/null, opened before programs can tamper with the lab's
	life   *thread
	places places
	host   Handle

	programs atomic.Bool // a program was started

	// Only the thread uses these.
	prepared bool
	refused  []error

	mu     sync.Mutex
	spares []chan spare // namespaces made ahead
	beside int          // threads that started programs and have not ended
	closed bool
}

// newSite makes the thread, the mount namespace and the host network namespace, with lo up.
func newSite(s *site, ahead int) (*site, error) {
	if s.shared {
		r, err := newRecord(s.id, s.ancestor)
		if err != nil {
			return nil, err
		}
		s.record = r
	}
	var err error
	if s.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		return nil, errors.Join(err, s.record.drop())
	}
	s.foresee(ahead)
	if s.life, err = newThread(s.settle); err != nil {
		s.dropSpares()
		if s.shared && s.places.open {
			err = errors.Join(err, s.removeNames())
		}
		s.host.Close()
		s.places.close()
		s.null.Close()
		return nil, errors.Join(err, s.record.drop())
	}
	openLab(s.id)
	return s, nil
}

// settle makes the namespaces of the site's thread, on that thread.
func (s *site) settle() error {
	flags := unix.CLONE_FS | unix.CLONE_NEWNET
	if !s.shared {
		flags |= unix.CLONE_NEWNS
	}
	if s.shared {
		if err := s.record.intend(s.real(Host)); err != nil {
			return err
		}
	}
	// unshare(2) gives this thread alone new namespaces (create_new_namespaces, kernel/nsproxy.c) and a working
	// directory of its own (CLONE_FS).
	if err := unix.Unshare(flags); err != nil {
		return fmt.Errorf("unshare its namespaces: %w", err)
	}
	var err error
	if s.host, err = current(); err != nil {
		return err
	}
	if !s.shared {
		if err := ownRun(); err != nil {
			return err
		}
	}
	if s.places, err = openPlaces(); err != nil {
		return err
	}
	if err := plain(); err != nil {
		return err
	}
	if s.shared {
		if err := s.mountName(s.real(Host)); err != nil {
			return err
		}
	}
	return loopbackUp()
}

// real returns the name by which programs know a namespace of the lesson.
func (s *site) real(name string) string {
	if !s.shared {
		return name
	}
	return name + suffixOf(s.id)
}

func (s *site) look() (Handle, places, error) {
	host, err := s.open(s.real(Host))
	if err != nil {
		return Handle{}, places{}, err
	}
	p, err := s.places.again()
	if err != nil {
		host.Close()
	}
	return host, p, err
}

func (s *site) open(real string) (Handle, error) {
	if real == s.real(Host) {
		fd, err := unix.FcntlInt(uintptr(s.host.FD()), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return Handle{}, err
		}
		return newHandle(fd)
	}
	if s.shared {
		return s.places.namespace(real, 0)
	}
	// A symbolic link has to be resolved in the lab's mounts, as programs would.
	var h Handle
	err := s.life.do(func() (err error) {
		h, err = openFile(filepath.Join(namesDir, real))
		return err
	})
	return h, err
}

func (s *site) add(real []string) (added int, err error) {
	err = s.life.do(func() error {
		for _, name := range real {
			if err := s.unshared(func() error { return s.mountName(name) }); err != nil {
				return err
			}
			added++
		}
		return nil
	})
	return added, err
}

func (s *site) remove(real string) error {
	return s.life.do(func() error { return unmountName(filepath.Join(namesDir, real)) })
}

// unshared runs f inside a new network namespace. It runs on the site's thread and brings it back.
func (s *site) unshared(f func() error) (err error) {
	if h, ok := s.foreseen(); ok {
		defer h.Close()
		if err := h.enter(); err != nil {
			return fmt.Errorf("enter a network namespace made ahead: %w", err)
		}
	} else if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare a network namespace: %w", err)
	}
	return s.host.afterwards(func() error {
		if err := plain(); err != nil {
			return err
		}
		return f()
	})
}

// mountName gives the calling thread's network namespace a name, as `ip netns add` does: an empty file in /run/netns,
// with /proc/thread-self/ns/net bound on it. If that fails, it leaves nothing behind.
func (s *site) mountName(real string) error {
	path := filepath.Join(namesDir, real)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	unix.Close(fd)
	if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", path, err), os.Remove(path))
	}
	if !s.shared {
		return nil
	}
	if err := s.record.adopt(real); err != nil {
		return errors.Join(err, unmountName(path))
	}
	return nil
}

// unmountName removes a name; see folder.take.
func unmountName(path string) error {
	dir, err := openFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.close()
	return dir.take(filepath.Base(path))
}

func (s *site) send(socket int, message []byte) error {
	if err := unix.Sendto(socket, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send a netlink message: %w", err)
	}
	return nil
}

func (s *site) thread() int { return s.life.tid }

func (s *site) lacks() ([]error, error) {
	var lacks []error
	err := s.life.do(func() error {
		s.prepare()
		lacks = append(lacks, s.refused...)
		return nil
	})
	return lacks, err
}

// close kills the programs that still run, drops the namespaces and the thread, and waits until the kernel has released
// them.
func (s *site) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	var errs []error
	if s.programs.Load() {
		errs = append(errs, endProcesses(s.started(), patience))
	}
	closeLab(s.id)
	errs = append(errs, await(patience, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.beside > 0 {
			return fmt.Errorf("%d threads of programs have not ended", s.beside)
		}
		return nil
	}))
	if s.shared {
		errs = append(errs, s.removeNames())
	}
	s.dropSpares()
	s.host.Close()
	s.places.close()
	s.null.Close()
	errs = append(errs, s.life.end(patience), s.record.drop())
	return errors.Join(errs...)
}

// inodes returns the inodes of the lab's namespaces: the host and those that have names.
func (s *site) inodes() (map[uint64]bool, error) {
	inodes := map[uint64]bool{s.host.Inode(): true}
	entries, err := s.places.list()
	if err != nil {
		return inodes, fmt.Errorf("list namespaces: %w", err)
	}
	for _, entry := range entries {
		if s.shared && !ofLab(entry, s.id) {
			continue
		}
		if inode, ok := s.places.inode(entry); ok {
			inodes[inode] = true
		}
	}
	return inodes, nil
}
