package echo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/net/icmp"
	"golang.org/x/sys/unix"
)

// Sizes in bytes: an ICMP echo header, an IPv6 header, a struct sock_extended_err.
const (
	echoHeader    = 8
	ipv6Header    = 40
	extendedError = 16
)

// The types of echo requests (RFC 792, RFC 4443).
const (
	echoRequest  = 8
	echoRequest6 = 128
)

// afterIPv4 is the part of a packet after its IPv4 header; nil if the header is incomplete.
func afterIPv4(packet []byte) []byte {
	if len(packet) < 20 {
		return nil
	}
	header := int(packet[0]&0xf) * 4
	if header < 20 || len(packet) < header {
		return nil
	}
	return packet[header:]
}

// told is the answer in an ICMP error that quotes one of our requests. With an error queue it is read from there
// instead.
func (s *Socket) told(m *icmp.Message, quoted []byte, from netip.Addr) (Answer, bool) {
	switch {
	case s.o.ErrorQueue:
		return Answer{}, false
	case s.o.Dest.Is4():
		quoted = afterIPv4(quoted)
	case len(quoted) >= ipv6Header:
		quoted = quoted[ipv6Header:]
	default:
		quoted = nil
	}
	if len(quoted) < echoHeader || int(binary.BigEndian.Uint16(quoted[4:])) != s.id {
		return Answer{}, false
	}
	return Answer{From: from, Seq: int(binary.BigEndian.Uint16(quoted[6:])), Type: m.Type, Code: m.Code}, true
}

// receiveError reads one error from the queue of the socket: the request, and a struct sock_extended_err.
func (s *Socket) receiveError(b []byte) (a Answer, ours bool, err error) {
	oob := make([]byte, 512)
	var n, oobn int
	var recvErr error
	err = s.conn.Control(func(fd uintptr) {
		n, oobn, _, _, recvErr = unix.Recvmsg(int(fd), b, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	})
	if err = errors.Join(err, recvErr); err != nil {
		if errors.Is(err, unix.EAGAIN) { // already read
			return a, false, nil
		}
		return a, false, err
	}
	seq, ours := s.requestIn(b[:n])
	reported, found, err := readQueue(oob[:oobn])
	if err != nil || !found || reported.Local { // a local one was already returned by Send
		return a, false, err
	}
	delete(s.waiting, seq)
	return Answer{Seq: seq, Errno: reported.Errno, From: reported.From}, ours, nil
}

// Reported is an error about a sent packet in the queue of a socket (IP_RECVERR, ip(7)).
type Reported struct {
	Errno syscall.Errno
	Local bool       // by the own kernel, without a packet
	From  netip.Addr // the sender of the ICMP message
}

// NextError reads one error from the queue of a socket; found is false if that is empty.
func NextError(fd int) (r Reported, found bool, err error) {
	oob := make([]byte, 512)
	_, oobn, _, _, err := unix.Recvmsg(fd, make([]byte, 1), oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	switch {
	case err == unix.EAGAIN:
		return r, false, nil
	case err != nil:
		return r, false, err
	}
	return readQueue(oob[:oobn])
}

// readQueue reads a struct sock_extended_err, and behind it the sender of the error.
func readQueue(control []byte) (r Reported, found bool, err error) {
	controls, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return r, false, fmt.Errorf("read the error queue: %w", err)
	}
	for _, c := range controls {
		isError := c.Header.Level == unix.IPPROTO_IP && c.Header.Type == unix.IP_RECVERR ||
			c.Header.Level == unix.IPPROTO_IPV6 && c.Header.Type == unix.IPV6_RECVERR
		if isError && len(c.Data) >= extendedError {
			return Reported{Errno: syscall.Errno(binary.NativeEndian.Uint32(c.Data)),
				Local: c.Data[4] == unix.SO_EE_ORIGIN_LOCAL, From: offender(c.Data[extendedError:])}, true, nil
		}
	}
	return r, false, nil
}

// requestIn is the number of the request in a message; ours is false if it is not one of ours that awaits an answer.
func (s *Socket) requestIn(message []byte) (seq int, ours bool) {
	kind := byte(echoRequest)
	if s.o.Dest.Is6() {
		kind = echoRequest6
	}
	if len(message) < echoHeader || message[0] != kind || int(binary.BigEndian.Uint16(message[4:])) != s.id {
		return 0, false
	}
	seq = int(binary.BigEndian.Uint16(message[6:]))
	_, waited := s.waiting[seq]
	return seq, waited
}

// offender is the source of an error (SO_EE_OFFENDER, ip(7)): a struct sockaddr.
func offender(b []byte) netip.Addr {
	switch {
	case len(b) >= 8 && binary.NativeEndian.Uint16(b) == unix.AF_INET:
		return netip.AddrFrom4([4]byte(b[4:8]))
	case len(b) >= 24 && binary.NativeEndian.Uint16(b) == unix.AF_INET6:
		return netip.AddrFrom16([16]byte(b[8:24]))
	}
	return netip.Addr{}
}
