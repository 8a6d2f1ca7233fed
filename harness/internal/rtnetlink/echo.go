package rtnetlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

// ICMP and ICMPv6 message types (RFC 792, RFC 4443).
const (
	echoReply, echoRequest     = 0, 8
	echoRequest6, echoReply6   = 128, 129
	icmpHeader, icmpErrorExtra = 8, 16 // bytes; struct sock_extended_err
)

// echoSocket sends ICMP echo requests from a namespace.
type echoSocket struct {
	file *os.File
	conn syscall.RawConn
	dest netip.Addr
	to   unix.Sockaddr
	id   uint16
	sent map[uint16]time.Time
}

// echoAnswer is one reply, or an error that somebody on the way, or the kernel itself, reported about a request.
type echoAnswer struct {
	from  netip.Addr
	seq   int
	size  int
	rtt   time.Duration
	errno syscall.Errno
}

// openEcho opens the socket in the namespace, if packets to dest can leave it at all: what the kernel says to that, ping(8)
// says before it sends anything.
func openEcho(w *netns.World, ns string, dest netip.Addr, op operation.Ping) (*echoSocket, error) {
	device, source := op.Source, netip.Addr{}
	if a, err := netip.ParseAddr(op.Source); err == nil {
		device, source = "", a.Unmap()
	}
	zone, err := zoneIndex(w, ns, dest.Zone())
	if err != nil {
		return nil, err
	}
	e := &echoSocket{dest: dest.WithZone(""), id: uint16(rand.Uint32()), sent: map[uint16]time.Time{}}
	e.to = sockaddr(e.dest, 0, zone)
	err = within(w, ns, func() error {
		if err := e.tryRoute(device, source, zone); err != nil {
			return err
		}
		return e.open(device, source, zone, op)
	})
	if err != nil {
		return nil, err
	}
	if e.conn, err = e.file.SyscallConn(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func zoneIndex(w *netns.World, ns, zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	s, err := dial(w, ns)
	if err != nil {
		return 0, err
	}
	defer s.close()
	index, err := s.index(zone)
	if err != nil {
		return 0, refuse(2, err, "ping: Cannot find device %q", zone)
	}
	return uint32(index), nil
}

func (e *echoSocket) close() { e.file.Close() }

// tryRoute asks by a connected datagram socket whether there is a route and a source address.
func (e *echoSocket) tryRoute(device string, source netip.Addr, zone uint32) error {
	const anyPort = 1025
	fd, err := unix.Socket(familyOf(e.dest), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return refuse(2, err, "ping: socket")
	}
	defer unix.Close(fd)
	if err := bind(fd, device, source, zone); err != nil {
		return err
	}
	if err := unix.Connect(fd, sockaddr(e.dest, anyPort, zone)); err != nil {
		return refuse(2, err, "ping: connect")
	}
	return nil
}

func bind(fd int, device string, source netip.Addr, zone uint32) error {
	if device != "" {
		if err := unix.BindToDevice(fd, device); err != nil {
			return refuse(2, err, "ping: SO_BINDTODEVICE %s", device)
		}
	}
	if source.IsValid() {
		if err := unix.Bind(fd, sockaddr(source, 0, zone)); err != nil {
			return refuse(2, err, "ping: bind")
		}
	}
	return nil
}

func sockaddr(a netip.Addr, port int, zone uint32) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port, ZoneId: zone}
}

// open opens the raw socket, which gets all ICMP messages of its namespace.
func (e *echoSocket) open(device string, source netip.Addr, zone uint32, op operation.Ping) error {
	protocol := unix.IPPROTO_ICMP
	if e.dest.Is6() {
		protocol = unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(familyOf(e.dest), unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return refuse(2, err, "ping: socktype: SOCK_RAW")
	}
	err = bind(fd, device, source, zone)
	if err == nil {
		err = setPingOptions(fd, e.dest.Is6(), op)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	e.file = os.NewFile(uintptr(fd), "icmp")
	return nil
}

func setPingOptions(fd int, six bool, op operation.Ping) error {
	level, errorQueue, discover, hops := unix.IPPROTO_IP, unix.IP_RECVERR, unix.IP_MTU_DISCOVER, unix.IP_TTL
	if six {
		level, errorQueue, discover, hops = unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.IPV6_MTU_DISCOVER, unix.IPV6_UNICAST_HOPS
	}
	if err := unix.SetsockoptInt(fd, level, errorQueue, 1); err != nil {
		return refuse(2, err, "ping: IP_RECVERR")
	}
	modes := map[string]int{"dont": unix.IP_PMTUDISC_DONT, "want": unix.IP_PMTUDISC_WANT, "do": unix.IP_PMTUDISC_DO,
		"probe": unix.IP_PMTUDISC_PROBE}
	if mode, ok := modes[op.PMTU]; ok {
		if err := unix.SetsockoptInt(fd, level, discover, mode); err != nil {
			return refuse(2, err, "ping: IP_MTU_DISCOVER")
		}
	}
	if op.TTL > 0 {
		if err := unix.SetsockoptInt(fd, level, hops, op.TTL); err != nil {
			return refuse(2, err, "ping: can't set unicast time-to-live")
		}
	}
	return nil
}

// send sends one request with so many bytes of payload.
func (e *echoSocket) send(seq, size int) error {
	b := make([]byte, icmpHeader+size)
	b[0] = echoRequest
	if e.dest.Is6() {
		b[0] = echoRequest6 // the kernel sums ICMPv6 itself
	}
	binary.BigEndian.PutUint16(b[4:], e.id)
	binary.BigEndian.PutUint16(b[6:], uint16(seq))
	for i := range b[icmpHeader:] {
		b[icmpHeader+i] = byte(i)
	}
	if e.dest.Is4() {
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	e.sent[uint16(seq)] = time.Now()
	var sendErr error
	err := e.conn.Write(func(fd uintptr) bool {
		sendErr = unix.Sendto(int(fd), b, 0, e.to)
		return sendErr != unix.EAGAIN
	})
	return errors.Join(err, sendErr)
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// receive waits for an answer to one of the requests; os.ErrDeadlineExceeded when none came until then, or ctx has ended.
func (e *echoSocket) receive(ctx context.Context, until time.Time) (echoAnswer, error) {
	if err := e.file.SetReadDeadline(until); err != nil {
		return echoAnswer{}, err
	}
	stop := context.AfterFunc(ctx, func() { e.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b := make([]byte, 1<<16)
	for {
		a, ours, err := e.receiveOne(b)
		if err != nil || ours {
			return a, err
		}
	}
}

func (e *echoSocket) receiveOne(b []byte) (a echoAnswer, ours bool, err error) {
	var n int
	var from unix.Sockaddr
	var recvErr error
	err = e.conn.Read(func(fd uintptr) bool {
		n, from, recvErr = unix.Recvfrom(int(fd), b, 0)
		return recvErr != unix.EAGAIN
	})
	switch {
	case err != nil:
		return a, false, err
	case recvErr == unix.EINTR:
		return a, false, nil
	case recvErr != nil: // an error is in the queue
		return e.receiveError(b)
	}
	message, reply := b[:n], byte(echoReply6)
	if e.dest.Is4() {
		reply = echoReply
		if n < 20 || n < int(b[0]&0xf)*4 {
			return a, false, nil
		}
		message = message[int(b[0]&0xf)*4:]
	}
	seq, ours := e.ours(message, reply)
	if !ours {
		return a, false, nil
	}
	a = echoAnswer{from: addressOf(from), seq: int(seq), size: len(message), rtt: time.Since(e.sent[seq])}
	if a.from != e.dest && !e.dest.IsMulticast() {
		return a, false, nil
	}
	delete(e.sent, seq)
	return a, true, nil
}

// ours looks whether a message is of this type and belongs to a request that is waited for.
func (e *echoSocket) ours(message []byte, kind byte) (seq uint16, ours bool) {
	if len(message) < icmpHeader || message[0] != kind || binary.BigEndian.Uint16(message[4:]) != e.id {
		return 0, false
	}
	seq = binary.BigEndian.Uint16(message[6:])
	_, waited := e.sent[seq]
	return seq, waited
}

// receiveError takes one error from the socket's queue: the request it is about, and a struct sock_extended_err.
func (e *echoSocket) receiveError(b []byte) (a echoAnswer, ours bool, err error) {
	oob := make([]byte, 512)
	var n, oobn int
	var recvErr error
	err = e.conn.Control(func(fd uintptr) {
		n, oobn, _, _, recvErr = unix.Recvmsg(int(fd), b, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	})
	if err = errors.Join(err, recvErr); err != nil {
		if errors.Is(err, unix.EAGAIN) { // it has been taken
			return a, false, nil
		}
		return a, false, err
	}
	request := byte(echoRequest)
	if e.dest.Is6() {
		request = echoRequest6
	}
	seq, ours := e.ours(b[:n], request)
	controls, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return a, false, fmt.Errorf("read the error queue: %w", err)
	}
	for _, c := range controls {
		isError := c.Header.Level == unix.IPPROTO_IP && c.Header.Type == unix.IP_RECVERR ||
			c.Header.Level == unix.IPPROTO_IPV6 && c.Header.Type == unix.IPV6_RECVERR
		if !isError || len(c.Data) < icmpErrorExtra {
			continue
		}
		origin := c.Data[4]
		if origin == unix.SO_EE_ORIGIN_LOCAL { // send has returned it already
			return a, false, nil
		}
		a = echoAnswer{seq: int(seq), errno: syscall.Errno(binary.NativeEndian.Uint32(c.Data)), from: offender(c.Data[icmpErrorExtra:])}
		delete(e.sent, seq)
		return a, ours, nil
	}
	return a, false, nil
}

// offender is the address of the one who reported an error: a struct sockaddr.
func offender(b []byte) netip.Addr {
	switch {
	case len(b) >= 8 && binary.NativeEndian.Uint16(b) == unix.AF_INET:
		return netip.AddrFrom4([4]byte(b[4:8]))
	case len(b) >= 24 && binary.NativeEndian.Uint16(b) == unix.AF_INET6:
		return netip.AddrFrom16([16]byte(b[8:24]))
	}
	return netip.Addr{}
}

func addressOf(s unix.Sockaddr) netip.Addr {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(s.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(s.Addr)
	}
	return netip.Addr{}
}
