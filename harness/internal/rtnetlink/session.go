package rtnetlink

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// session is an rtnetlink socket in one namespace. It is closed after its operations: an open socket would keep a
// deleted namespace alive.
type session struct {
	w       *netns.World
	ns      string
	sockets map[int]*nl.SocketHandle
	opened  []netns.Handle // namespaces that the request refers to
}

// socket is an rtnetlink socket. Sessions in the lab's host share one, which lives as long as the lab: the host
// outlives it anyway, and closing a socket just before a link is moved makes the move wait for another RCU grace
// period. Sequence numbers go on from session to session, so that no session takes an unread answer to an earlier
// request for its own.
type socket struct{ *nl.SocketHandle }

func (s socket) Close() error {
	s.SocketHandle.Close()
	return nil
}

// dial opens a session in the namespace; "" is the host.
func dial(w *netns.World, ns string) (*session, error) {
	s := &session{w: w, ns: ns}
	var err error
	var c io.Closer
	if ns == "" {
		c, err = w.Attach("rtnetlink", func() (io.Closer, error) { return open(w, ns) })
	} else {
		c, err = open(w, ns)
	}
	if err != nil {
		return nil, err
	}
	s.sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: c.(socket).SocketHandle}
	return s, nil
}

// open opens an rtnetlink socket in the namespace.
func open(w *netns.World, ns string) (s socket, err error) {
	err = within(w, ns, func() error {
		opened, err := nl.Subscribe(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open a netlink socket: %w", err)
		}
		s = socket{&nl.SocketHandle{Socket: opened}}
		err = errors.Join(opened.SetExtAck(true),
			unix.SetsockoptInt(opened.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1))
		if err != nil {
			s.Close()
			return fmt.Errorf("prepare a netlink socket: %w", err)
		}
		return nil
	})
	return s, err
}

func (s *session) close() {
	for _, h := range s.sockets {
		if s.ns != "" {
			h.Socket.Close()
		}
	}
	for _, h := range s.opened {
		h.Close()
	}
}

// enter runs f in the session's namespace. A namespace that does not exist is a refusal.
func (s *session) enter(f func() error) error { return within(s.w, s.ns, f) }

func within(w *netns.World, ns string, f func() error) error {
	h, err := openNetns(w, ns)
	if err != nil {
		return err
	}
	defer h.Close()
	return w.DoIn(h, f)
}

// openNetns opens the namespace that a command names; "" is the host.
func openNetns(w *netns.World, ns string) (netns.Handle, error) {
	h, err := openNamed(w, ns)
	if err != nil {
		return h, refuse(255, err, "Cannot open network namespace %q", ns)
	}
	return h, nil
}

// openNamed opens a namespace as `ip` finds it in /run/netns. The lab's name for its host is not valid there.
func openNamed(w *netns.World, ns string) (netns.Handle, error) {
	switch ns {
	case "":
		return w.Open(netns.Host)
	case netns.Host:
		return netns.Handle{}, unix.ENOENT
	}
	return w.Open(ns)
}

// message is a netlink request under construction.
type message struct {
	*nl.NetlinkRequest
	by *session // sends it as a program of the lab (sendAsProgram); nil: this process sends it
}

// request begins a request with the fixed header of its type.
func (s *session) request(kind, flags int, header nl.NetlinkRequestData) message {
	r := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	r.Sockets = s.sockets
	r.AddData(header)
	return message{NetlinkRequest: r}
}

func (m message) put(attribute int, value []byte) { m.AddData(nl.NewRtAttr(attribute, value)) }

// send sends the request. If the kernel refuses it, the error is a *Refused.
func (m message) send() error {
	if m.by != nil {
		return m.by.sendAsProgram(m)
	}
	_, err := m.Execute(unix.NETLINK_ROUTE, 0)
	return answered(err)
}

// ask sends the request and returns the messages of the answer.
func (m message) ask(answer uint16) ([][]byte, error) {
	msgs, err := m.Execute(unix.NETLINK_ROUTE, answer)
	return msgs, answered(err)
}

// maxDumps is how many times a dump is tried while the kernel's table keeps changing.
const maxDumps = 20

// dump reads a whole table, again if a change interrupted the dump. A refusal comes without its extended
// acknowledgement: the library (1.3.1) looks for it in the wrong place of a dump's last message, and panics.
func (s *session) dump(kind int, answer uint16, header func() nl.NetlinkRequestData, fill func(message)) ([][]byte,
	error) {
	socket := s.sockets[unix.NETLINK_ROUTE].Socket
	if err := socket.SetExtAck(false); err != nil {
		return nil, fmt.Errorf("prepare a dump: %w", err)
	}
	defer socket.SetExtAck(true)
	for range maxDumps {
		r := nl.NewNetlinkRequest(kind, unix.NLM_F_DUMP)
		r.Sockets = s.sockets
		r.AddData(header())
		if fill != nil {
			fill(message{NetlinkRequest: r})
		}
		msgs, err := r.Execute(unix.NETLINK_ROUTE, answer)
		if !errors.Is(err, nl.ErrDumpInterrupted) {
			return msgs, answered(err)
		}
	}
	return nil, fmt.Errorf("dump a table of the kernel: it changed during each of %d tries", maxDumps)
}

// index finds the device with this name or alternative name.
func (s *session) index(name string) (int, error) {
	attribute := unix.IFLA_IFNAME
	if len(name) >= unix.IFNAMSIZ {
		attribute = unix.IFLA_ALT_IFNAME
	}
	m := s.request(unix.RTM_GETLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC))
	m.Flags &^= unix.NLM_F_ACK // the answer is the link
	m.put(attribute, nl.ZeroTerminated(name))
	msgs, err := m.ask(unix.RTM_NEWLINK)
	var refused *Refused
	switch {
	case errors.As(err, &refused) && slices.Contains([]error{unix.ENODEV, unix.EINVAL, unix.ERANGE},
		error(refused.Errno)):
		return 0, noDevice(name)
	case err != nil:
		return 0, fmt.Errorf("look up device %s: %w", name, err)
	case len(msgs) != 1:
		return 0, fmt.Errorf("look up device %s: the kernel reported %d links", name, len(msgs))
	}
	return int(nl.DeserializeIfInfomsg(msgs[0]).Index), nil
}

// optionalIndex is the index of the device, 0 for the name "".
func (s *session) optionalIndex(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	return s.index(name)
}

// putNetns adds the namespace that a link moves to, given by name or else by process id (ip-link(8)). The namespace
// stays open as long as the session.
func (s *session) putNetns(put func(int, []byte), name string) error {
	h, err := openNamed(s.w, name)
	if err == nil {
		s.opened = append(s.opened, h)
		put(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(h.FD())))
		return nil
	}
	if pid, notNumber := strconv.ParseUint(name, 10, 31); notNumber == nil {
		h, err := s.w.Process(int(pid)) // the pid as the lab's programs see it
		if errors.Is(err, unix.ENOENT) {
			err = unix.ESRCH
		}
		if err != nil {
			return refuse(2, err, "move it to the namespace of process %d", pid)
		}
		s.opened = append(s.opened, h)
		put(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(h.FD())))
		return nil
	}
	return refuse(255, err, "Cannot open network namespace %q", name)
}
