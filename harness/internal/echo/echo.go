// Package echo is a raw socket for ICMP echo requests with options of ping(8), and the error queue of any socket, for
// the `ping` of the netlink driver and for probes. It may be imported by the packages under internal, and imports
// nothing of this project. It opens sockets in the namespace of the calling thread, never enters a namespace, and never
// judges an answer.
package echo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// Options are the options of a socket.
type Options struct {
	Dest   netip.Addr // without a zone
	Zone   uint32     // the index of the link, for a link-local Dest
	From   netip.Addr // the source address; the zero Addr lets the kernel choose
	Device string     // the outgoing link (SO_BINDTODEVICE); "" for any
	// PMTU is a mode of ping -M: do, want, dont, probe; "" for the kernel's default.
	PMTU string
	TTL  int // 0 for the kernel's default
	// Broadcast lets Dest be a broadcast address (SO_BROADCAST), Direct leaves the routing table aside (SO_DONTROUTE),
	// NoLoop keeps multicast requests from the host itself (IP_MULTICAST_LOOP).
	Broadcast, Direct, NoLoop bool
	TOS                       uint8
	Mark                      uint32
	ID                        uint16 // the identifier in the messages; 0 for one by chance
	// ErrorQueue makes the kernel queue errors about requests, as errnos (IP_RECVERR, ip(7)). Without it, errors are
	// the ICMP messages of routers and hosts, and errors of the own kernel are returned by Send only.
	ErrorQueue bool
}

// Error is the error of Open and Try.
type Error struct {
	Doing string // as ping(8) prints it, such as "bind"
	Err   error  // an errno
}

func (e *Error) Error() string { return e.Doing + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Socket is a raw socket, which receives all ICMP messages of its namespace, with the requests that were sent on it and
// not yet answered.
type Socket struct {
	o       Options
	file    *os.File
	conn    syscall.RawConn
	id      int
	waiting map[int]request // by their sequence number
	longest int             // of the sent messages, in bytes
}

type request struct {
	at      time.Time
	payload []byte
}

// Answer is a reply to a request, or an error that a router, the destination or the own kernel reported about it.
type Answer struct {
	From netip.Addr
	Seq  int
	Size int // of the ICMP message, in bytes
	RTT  time.Duration
	// Errno is the error, with Options.ErrorQueue.
	Errno syscall.Errno
	// Type and Code are the error without Options.ErrorQueue; Type is nil for a reply.
	Type icmp.Type
	Code int
}

// Open opens a socket in the namespace of the calling thread. It may then be used from any thread. Errors are of type
// *Error.
func Open(o Options) (*Socket, error) {
	protocol := unix.IPPROTO_ICMP
	if o.Dest.Is6() {
		protocol = unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(familyOf(o.Dest), unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, &Error{"socktype: SOCK_RAW", err}
	}
	if err = bind(fd, o); err == nil {
		err = setOptions(fd, o)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	if o.ID == 0 {
		o.ID = uint16(rand.Uint32())
	}
	s := &Socket{o: o, file: os.NewFile(uintptr(fd), "icmp"), id: int(o.ID), waiting: map[int]request{}}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Try checks, by connecting a datagram socket and without sending anything, that there is a route and a source address,
// as ping(8) does before it sends. Errors are of type *Error.
func Try(o Options) error {
	const anyPort = 1025
	fd, err := unix.Socket(familyOf(o.Dest), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return &Error{"socket", err}
	}
	defer unix.Close(fd)
	if err := bind(fd, o); err != nil {
		return err
	}
	if err := unix.Connect(fd, Sockaddr(o.Dest, anyPort, o.Zone)); err != nil {
		return &Error{"connect", err}
	}
	return nil
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// Sockaddr is an address in the form of system calls.
func Sockaddr(a netip.Addr, port int, zone uint32) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port, ZoneId: zone}
}

// AddressOf is the address in a socket address; not valid for one that is not of the Internet.
func AddressOf(s unix.Sockaddr) netip.Addr {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(s.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(s.Addr)
	}
	return netip.Addr{}
}

func bind(fd int, o Options) error {
	if o.Broadcast {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
			return &Error{"SO_BROADCAST", err}
		}
	}
	if o.Direct {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DONTROUTE, 1); err != nil {
			return &Error{"SO_DONTROUTE", err}
		}
	}
	if o.Mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark)); err != nil {
			return &Error{"SO_MARK", err}
		}
	}
	if o.Device != "" {
		if err := unix.BindToDevice(fd, o.Device); err != nil {
			return &Error{"SO_BINDTODEVICE " + o.Device, err}
		}
	}
	if o.From.IsValid() {
		if err := unix.Bind(fd, Sockaddr(o.From, 0, o.Zone)); err != nil {
			return &Error{"bind", err}
		}
	}
	return nil
}

var pmtuModes = map[string]int{"dont": unix.IP_PMTUDISC_DONT, "want": unix.IP_PMTUDISC_WANT, "do": unix.IP_PMTUDISC_DO,
	"probe": unix.IP_PMTUDISC_PROBE}

func setOptions(fd int, o Options) error {
	level, errorQueue, discover, hops := unix.IPPROTO_IP, unix.IP_RECVERR, unix.IP_MTU_DISCOVER, unix.IP_TTL
	if o.Dest.Is6() {
		level, errorQueue, discover, hops = unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.IPV6_MTU_DISCOVER,
			unix.IPV6_UNICAST_HOPS
	}
	if o.ErrorQueue {
		if err := unix.SetsockoptInt(fd, level, errorQueue, 1); err != nil {
			return &Error{"IP_RECVERR", err}
		}
	}
	if mode, ok := pmtuModes[o.PMTU]; ok {
		if err := unix.SetsockoptInt(fd, level, discover, mode); err != nil {
			return &Error{"IP_MTU_DISCOVER", err}
		}
	}
	class, loop := unix.IP_TOS, unix.IP_MULTICAST_LOOP
	if o.Dest.Is6() {
		class, loop = unix.IPV6_TCLASS, unix.IPV6_MULTICAST_LOOP
	}
	if o.TOS != 0 {
		if err := unix.SetsockoptInt(fd, level, class, int(o.TOS)); err != nil {
			return &Error{"IP_TOS", err}
		}
	}
	if o.NoLoop {
		if err := unix.SetsockoptInt(fd, level, loop, 0); err != nil {
			return &Error{"IP_MULTICAST_LOOP", err}
		}
	}
	if o.TTL > 0 {
		if err := unix.SetsockoptInt(fd, level, hops, o.TTL); err != nil {
			return &Error{"can't set unicast time-to-live", err}
		}
	}
	return nil
}

// Close closes the socket.
func (s *Socket) Close() { s.file.Close() }

// Send sends one request. The error wraps the errno of sendto(2).
func (s *Socket) Send(seq int, payload []byte) error {
	kind := icmp.Type(ipv4.ICMPTypeEcho)
	if s.o.Dest.Is6() {
		kind = ipv6.ICMPTypeEchoRequest // the kernel fills in the checksum
	}
	seq = int(uint16(seq))
	m := icmp.Message{Type: kind, Body: &icmp.Echo{ID: s.id, Seq: seq, Data: payload}}
	b, err := m.Marshal(nil)
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	s.longest = max(s.longest, len(b))
	s.waiting[seq] = request{time.Now(), payload}
	to := Sockaddr(s.o.Dest, 0, s.o.Zone)
	var sendErr error
	err = s.conn.Write(func(fd uintptr) bool {
		sendErr = unix.Sendto(int(fd), b, 0, to)
		return sendErr != unix.EAGAIN
	})
	return errors.Join(err, sendErr)
}

// Receive waits for an answer to one of the requests. The error is os.ErrDeadlineExceeded if there is none by the given
// time, or if ctx is cancelled.
func (s *Socket) Receive(ctx context.Context, until time.Time) (Answer, error) {
	if err := s.file.SetReadDeadline(until); err != nil {
		return Answer{}, err
	}
	stop := context.AfterFunc(ctx, func() { s.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b := make([]byte, s.longest+256) // at most a quoted request with its headers; anything longer is not an answer
	for {
		if a, ours, err := s.receiveOne(b); err != nil || ours {
			return a, err
		}
	}
}

func (s *Socket) receiveOne(b []byte) (a Answer, ours bool, err error) {
	var n int
	var from unix.Sockaddr
	var recvErr error
	err = s.conn.Read(func(fd uintptr) bool {
		n, from, recvErr = unix.Recvfrom(int(fd), b, 0)
		return recvErr != unix.EAGAIN
	})
	switch {
	case err != nil:
		return a, false, err
	case recvErr == unix.EINTR:
		return a, false, nil
	case recvErr != nil: // an error is in the queue
		return s.receiveError(b)
	}
	a, ours = s.read(b[:n], AddressOf(from))
	return a, ours, nil
}

// read parses a packet; it returns false if that does not answer one of the requests.
func (s *Socket) read(packet []byte, from netip.Addr) (Answer, bool) {
	protocol, reply := unix.IPPROTO_ICMPV6, icmp.Type(ipv6.ICMPTypeEchoReply)
	if s.o.Dest.Is4() {
		protocol, reply = unix.IPPROTO_ICMP, ipv4.ICMPTypeEchoReply
		if packet = afterIPv4(packet); packet == nil {
			return Answer{}, false
		}
	}
	m, err := icmp.ParseMessage(protocol, packet)
	if err != nil {
		return Answer{}, false
	}
	switch body := m.Body.(type) {
	case *icmp.Echo:
		r, waited := s.waiting[body.Seq]
		if m.Type != reply || body.ID != s.id || !waited || !bytes.Equal(body.Data, r.payload) ||
			from != s.o.Dest && !s.o.Dest.IsMulticast() && !s.o.Broadcast {
			return Answer{}, false
		}
		delete(s.waiting, body.Seq)
		return Answer{From: from, Seq: body.Seq, Size: len(packet), RTT: time.Since(r.at)}, true
	case *icmp.DstUnreach:
		return s.told(m, body.Data, from)
	case *icmp.PacketTooBig:
		return s.told(m, body.Data, from)
	case *icmp.TimeExceeded:
		return s.told(m, body.Data, from)
	}
	return Answer{}, false
}
