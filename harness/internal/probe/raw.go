package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// rawEcho is a ping on a socket of our own, which is opened in the namespace and used from here: with DF set, to a link-local
// address, and with the errors that routers send back. Silence is a result without words.
func rawEcho(ctx context.Context, w Place, ns string, r EchoRequest, window time.Duration) (EchoResult, error) {
	var s *rawSocket
	err := w.Do(ns, func() (err error) {
		s, err = openRaw(r)
		return err
	})
	var refused syscall.Errno
	if errors.As(err, &refused) && refusal(refused) {
		return EchoResult{Found: inWords("prepare to send", refused), Errno: refused}, nil
	}
	if err != nil {
		return EchoResult{}, err
	}
	defer unix.Close(s.fd)
	start := time.Now()
	err = unix.Sendto(s.fd, s.request, 0, s.dest)
	var errno syscall.Errno
	if errors.As(err, &errno) && refusal(errno) {
		return EchoResult{Found: inWords("send", errno), Errno: errno}, nil
	}
	if err != nil {
		return EchoResult{}, fmt.Errorf("send: %w", err)
	}
	for {
		if ctx.Err() != nil {
			return EchoResult{}, context.Cause(ctx)
		}
		left := window - time.Since(start)
		if left <= 0 {
			return EchoResult{}, nil
		}
		packet, from, err := s.receive(left)
		if err != nil {
			return EchoResult{}, err
		}
		if result, mine := s.read(packet, from, time.Since(start)); mine {
			return result, nil
		}
	}
}

// rawSocket is an ICMP socket and the request that is sent on it.
type rawSocket struct {
	fd      int
	v6      bool
	dest    unix.Sockaddr
	addr    netip.Addr
	request []byte
	id      uint16
	payload []byte
}

func openRaw(r EchoRequest) (*rawSocket, error) {
	s := &rawSocket{v6: r.Dest.Is6(), addr: r.Dest.WithZone(""), id: uint16(rand.Uint32())}
	family, protocol, kind := unix.AF_INET, unix.IPPROTO_ICMP, icmp.Type(ipv4.ICMPTypeEcho)
	if s.v6 {
		family, protocol, kind = unix.AF_INET6, unix.IPPROTO_ICMPV6, ipv6.ICMPTypeEchoRequest
	}
	size := r.Bytes
	if size == 0 {
		size = 56
	}
	s.payload = make([]byte, size)
	for i := range s.payload {
		s.payload[i] = byte(rand.Uint32())
	}
	message := icmp.Message{Type: kind, Body: &icmp.Echo{ID: int(s.id), Seq: 1, Data: s.payload}}
	var err error
	if s.request, err = message.Marshal(nil); err != nil { // the kernel fills in the checksum of ICMPv6
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if s.fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol); err != nil {
		return nil, fmt.Errorf("open a raw socket: %w", err)
	}
	if err = s.prepare(r); err != nil {
		unix.Close(s.fd)
		return nil, err
	}
	return s, nil
}

func (s *rawSocket) prepare(r EchoRequest) error {
	if r.Bytes > 0 {
		level, option := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
		if s.v6 {
			level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
		}
		if err := unix.SetsockoptInt(s.fd, level, option, unix.IP_PMTUDISC_DO); err != nil {
			return fmt.Errorf("set DF: %w", err)
		}
	}
	var zone uint32
	if name := r.Dest.Zone(); name != "" {
		// net.InterfaceByName asks the kernel each time; the zones of net's addresses are cached over namespaces.
		iface, err := net.InterfaceByName(name)
		if err != nil {
			return fmt.Errorf("find the interface %s: %w", name, err)
		}
		zone = uint32(iface.Index)
	}
	s.dest = sockaddr(s.addr, 0, zone)
	if !r.From.IsValid() {
		return nil
	}
	if err := unix.Bind(s.fd, sockaddr(r.From, 0, zone)); err != nil {
		return fmt.Errorf("bind to %s: %w", r.From, err)
	}
	return nil
}

// receive waits for a packet, limit at most; after it the packet is empty.
func (s *rawSocket) receive(limit time.Duration) ([]byte, netip.Addr, error) {
	poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n, err := unix.Ppoll(poll, ptr(unix.NsecToTimespec(int64(limit))), nil)
	if n == 0 || err == unix.EINTR {
		return nil, netip.Addr{}, nil
	}
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("wait for the reply: %w", err)
	}
	buf := make([]byte, len(s.request)+256) // a quoted request with its headers at most; what is longer is no answer
	n, from, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
	if err == unix.EAGAIN {
		return nil, netip.Addr{}, nil
	}
	var errno syscall.Errno
	if errors.As(err, &errno) && refusal(errno) { // an error that came back for what was sent
		return nil, netip.Addr{}, nil
	}
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("receive the reply: %w", err)
	}
	return buf[:n], addressOf(from), nil
}

// read tells whether a packet answers the request.
func (s *rawSocket) read(packet []byte, from netip.Addr, after time.Duration) (EchoResult, bool) {
	protocol := unix.IPPROTO_ICMPV6
	if !s.v6 {
		protocol = unix.IPPROTO_ICMP
		header, err := ipv4.ParseHeader(packet)
		if err != nil || len(packet) < header.Len {
			return EchoResult{}, false
		}
		packet = packet[header.Len:]
	}
	m, err := icmp.ParseMessage(protocol, packet)
	if err != nil {
		return EchoResult{}, false
	}
	switch body := m.Body.(type) {
	case *icmp.Echo:
		reply := m.Type == ipv4.ICMPTypeEchoReply || m.Type == ipv6.ICMPTypeEchoReply
		if reply && body.ID == int(s.id) && from == s.addr && bytes.Equal(body.Data, s.payload) {
			return EchoResult{Reached: true, Found: fmt.Sprintf("reply in %v", after.Round(time.Microsecond))}, true
		}
		return EchoResult{}, false
	case *icmp.DstUnreach:
		return s.errorOf(m, body.Data, from)
	case *icmp.PacketTooBig:
		return s.errorOf(m, body.Data, from)
	case *icmp.TimeExceeded:
		return s.errorOf(m, body.Data, from)
	}
	return EchoResult{}, false
}

// errorOf tells whether an ICMP error quotes our request.
func (s *rawSocket) errorOf(m *icmp.Message, quoted []byte, from netip.Addr) (EchoResult, bool) {
	header := 40
	if !s.v6 {
		if len(quoted) < 20 {
			return EchoResult{}, false
		}
		header = int(quoted[0]&0xf) * 4
	}
	if len(quoted) < header+8 || binary.BigEndian.Uint16(quoted[header+4:]) != s.id {
		return EchoResult{}, false
	}
	return EchoResult{Found: fmt.Sprintf("ICMP %v code %d from %s", m.Type, m.Code, from)}, true
}

func sockaddr(a netip.Addr, port int, zone uint32) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port, ZoneId: zone}
}

func addressOf(s unix.Sockaddr) netip.Addr {
	switch a := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr)
	}
	return netip.Addr{}
}

func ptr[T any](v T) *T { return &v }
