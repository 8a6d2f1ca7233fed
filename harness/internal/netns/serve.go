package netns

import (
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

func init() { sandbox.OnHelper(serve) }

// server is the helper's side of the connection. It runs among the programs of scenarios, as root of their user
// namespace, and makes everything that belongs to the labs. It is not trusted: any root there can do what it does.
type server struct {
	conn     *net.UnixConn
	children sandbox.Children
	mortal   bool

	writing sync.Mutex
	mu      sync.Mutex
	sites   map[string]*site
}

// serve obeys the worker's orders, each in a goroutine of its own, until the worker is gone.
func serve(conn *net.UnixConn) {
	facts, _ := sandbox.Current()
	s := &server{conn: conn, mortal: facts.PIDNamespace, sites: map[string]*site{}}
	in := newInbox(conn)
	for {
		var o order
		fds, err := in.next(&o)
		if err != nil {
			return
		}
		go s.carryOut(o, fds)
	}
}

func (s *server) tell(a answer) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := post(s.conn, a, a.fds); err != nil {
		os.Exit(1) // the worker is gone
	}
}

func (s *server) carryOut(o order, fds []int) {
	a := answer{ID: o.ID}
	var running *Running
	func() {
		defer func() {
			if p := recover(); p != nil {
				a.Failed = &refusal{Text: fmt.Sprintf("panic in the helper: %v\n%s", p, debug.Stack())}
			}
		}()
		var err error
		if running, err = s.obey(o, fds, &a); err != nil {
			a.Failed = refusalOf(err)
		}
	}()
	closeFDs(fds)
	s.tell(a)
	closeFDs(a.fds)
	if running != nil {
		status, _ := running.Wait()
		s.tell(answer{ID: o.ID, Ended: true, Status: uint32(status)})
	}
}

// obey executes one order. The descriptors in the answer are closed when it has been sent.
func (s *server) obey(o order, fds []int, a *answer) (running *Running, err error) {
	if o.Do == doMake {
		return nil, s.make(o, a)
	}
	s.mu.Lock()
	lab := s.sites[o.Lab]
	s.mu.Unlock()
	if lab == nil {
		return nil, errThreadEnded
	}
	switch o.Do {
	case doForesee:
		return nil, lab.foresee(o.Number)
	case doAdd:
		a.Number, err = lab.add(o.Names)
		return nil, err
	case doRemove:
		return nil, lab.remove(o.Name)
	case doOpen:
		h, err := lab.open(o.Name)
		if err != nil {
			return nil, err
		}
		a.fds = []int{h.FD()}
		return nil, nil
	case doStart:
		return start(lab, o, fds, a)
	case doSend:
		if len(fds) != 1 {
			return nil, fmt.Errorf("send a netlink message: %w", unix.EBADF)
		}
		return nil, lab.send(fds[0], o.Message)
	case doLacks:
		lacks, err := lab.lacks()
		for _, l := range lacks {
			a.Lacks = append(a.Lacks, refusalOf(l))
		}
		return nil, err
	case doClose:
		s.mu.Lock()
		delete(s.sites, o.Lab)
		s.mu.Unlock()
		return nil, lab.close()
	}
	return nil, fmt.Errorf("obey %q: the helper knows no such order", o.Do)
}

func (s *server) make(o order, a *answer) error {
	lab, err := newSite(&site{
		id: o.Lab, spawn: s.children.Start, mortal: s.mortal, ancestor: sandbox.Ancestor(),
	}, o.Number)
	if err != nil {
		return err
	}
	host, p, err := lab.look()
	if err != nil {
		lab.close()
		return err
	}
	a.fds, a.Number = append([]int{host.FD()}, p.fds()...), lab.thread()
	s.mu.Lock()
	s.sites[o.Lab] = lab
	s.mu.Unlock()
	return nil
}

func start(lab *site, o order, fds []int, a *answer) (*Running, error) {
	p := *o.Program
	for _, f := range []struct {
		comes bool
		to    **os.File
	}{{o.Input, &p.Input}, {o.Output, &p.Output}, {o.Errors, &p.Errors}} {
		if !f.comes {
			continue
		}
		if len(fds) == 0 {
			return nil, fmt.Errorf("start %s: its descriptors did not come along: %w", p.Path, unix.EBADF)
		}
		own, err := unix.FcntlInt(uintptr(fds[0]), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		file := os.NewFile(uintptr(own), "standard descriptor")
		defer file.Close()
		*f.to, fds = file, fds[1:]
	}
	r, err := lab.start(o.Name, p)
	if err != nil {
		return nil, err
	}
	a.Number, a.fds = r.PID, []int{r.pidfd}
	return r, nil
}
