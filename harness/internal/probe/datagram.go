package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/echo"
)

// DatagramResult is the outcome of a UDP datagram: answered by another one, refused (by an ICMP port unreachable),
// silence, or another error that a router or the destination reported. Found describes it.
type DatagramResult struct {
	Answered, Refused, Silence bool
	Found                      string
}

// DatagramRequest is a UDP datagram to send. The zone of Dest, if any, is an interface name.
type DatagramRequest struct {
	Dest netip.Addr
	Port int
}

// Datagram sends one datagram from the namespace and waits for an answer at most for the time of listen. An answer is
// any datagram from that address and port.
func Datagram(ctx context.Context, w Place, ns string, r DatagramRequest, listen time.Duration) (DatagramResult,
	error) {
	route, dead, err := sight(w, ns, RouteRequest{Dest: r.Dest, Protocol: unix.IPPROTO_UDP, Port: uint16(r.Port)})
	if err != nil {
		return DatagramResult{}, fmt.Errorf("send a datagram from %s to %s port %d: %w", ns, r.Dest, r.Port, err)
	}
	if dead != "" {
		return DatagramResult{Silence: true, Found: dead}, nil
	}
	askAfresh(w, ns, route, r.Dest)
	var result DatagramResult
	err = w.Go(ns, func() (err error) {
		result, err = datagram(ctx, r, listen)
		return err
	})
	if err != nil {
		return DatagramResult{}, fmt.Errorf("send a datagram from %s to %s port %d: %w", ns, r.Dest, r.Port, err)
	}
	if result.Silence {
		result.Found += neighbourWords(w, ns, route, r.Dest)
	}
	return result, nil
}

// datagram is Datagram in the namespace of the calling thread.
func datagram(ctx context.Context, r DatagramRequest, listen time.Duration) (DatagramResult, error) {
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, unix.IP_RECVERR
	if r.Dest.Is6() {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	zone, err := zoneIndex(r.Dest)
	if err != nil {
		return DatagramResult{}, err
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return DatagramResult{}, fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	// A connected socket hears this address and port alone, and the error queue has who reported an error (ip(7)).
	if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
		return DatagramResult{}, fmt.Errorf("prepare a socket: %w", err)
	}
	err = unix.Connect(fd, echo.Sockaddr(r.Dest.WithZone(""), r.Port, zone))
	if err == nil {
		_, err = unix.Write(fd, question(r.Port))
	}
	if errno, ok := err.(syscall.Errno); ok && errno != unix.ECONNREFUSED { // nothing has been sent
		return DatagramResult{Silence: true, Found: inWords("send", errno)}, nil
	}
	start := time.Now()
	came, err := awaitSocket(ctx, fd, unix.POLLIN, listen)
	switch {
	case err != nil:
		return DatagramResult{}, fmt.Errorf("wait for an answer: %w", err)
	case !came:
		return DatagramResult{Silence: true, Found: fmt.Sprintf("no answer within %v", listen)}, nil
	}
	return received(fd, time.Since(start))
}

// question is what is sent: a query that a DNS server answers, for the name servers of the root (RFC 1035, section
// 4.1), on any other port a line of text.
func question(port int) []byte {
	if port != 53 {
		return []byte("netnscheck\n")
	}
	const recursionDesired, typeNS, classIN = 0x0100, 2, 1
	b := binary.BigEndian.AppendUint16(nil, uint16(rand.Uint32()))
	for _, field := range []uint16{recursionDesired, 1, 0, 0, 0} { // flags; one question, no records
		b = binary.BigEndian.AppendUint16(b, field)
	}
	b = append(b, 0) // the root's name
	for _, field := range []uint16{typeNS, classIN} {
		b = binary.BigEndian.AppendUint16(b, field)
	}
	return b
}

// received reads the answer, or the error that has been reported instead.
func received(fd int, after time.Duration) (DatagramResult, error) {
	b := make([]byte, 2048)
	n, err := unix.Read(fd, b)
	if err == nil {
		return DatagramResult{Answered: true,
			Found: fmt.Sprintf("an answer of %d bytes in %v", n, after.Round(time.Microsecond))}, nil
	}
	errno, ok := err.(syscall.Errno)
	switch {
	case !ok:
		return DatagramResult{}, fmt.Errorf("receive the answer: %w", err)
	case errno == unix.EAGAIN: // the kernel has discarded it (udp_recvmsg in net/ipv4/udp.c)
		return DatagramResult{Silence: true, Found: "a datagram with a wrong checksum"}, nil
	}
	reported, _, err := echo.NextError(fd)
	if err != nil {
		return DatagramResult{}, fmt.Errorf("read who reported an error: %w", err)
	}
	from := ""
	if reported.From.IsValid() {
		from = " from " + reported.From.String()
	}
	if errno == unix.ECONNREFUSED {
		return DatagramResult{Refused: true, Found: "port unreachable" + from}, nil
	}
	// The own kernel reports a next hop that does not answer as a router does, from an address of its own.
	own, err := unix.Getsockname(fd)
	if err != nil {
		return DatagramResult{}, fmt.Errorf("read the socket's address: %w", err)
	}
	return DatagramResult{Silence: echo.AddressOf(own) == reported.From, Found: inWords("reported"+from, errno)}, nil
}
