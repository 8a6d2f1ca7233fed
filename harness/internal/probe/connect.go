package probe

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/echo"
)

// ConnectResult is the outcome of a TCP connection attempt: connected, refused (by a RST), silence, or another errno.
// Found describes it.
type ConnectResult struct {
	Connected, Refused, Silence bool
	Found                       string
	Errno                       syscall.Errno
	Unsent                      bool   // nothing was sent, since the outgoing link has no carrier
	OwnPort                     uint16 // from which it was attempted; 0 if that is not known any more
}

// ConnectRequest is a TCP connection to attempt. The zone of Dest, if any, is an interface name; From is the source
// address, or the zero Addr to let the kernel choose.
type ConnectRequest struct {
	Dest, From netip.Addr
	Port       int
}

// Connect attempts a TCP connection from the namespace and waits at most for the time of listen.
func Connect(ctx context.Context, w Place, ns string, r ConnectRequest, listen time.Duration) (ConnectResult, error) {
	route, dead, err := sight(w, ns,
		RouteRequest{Dest: r.Dest, From: r.From, Protocol: unix.IPPROTO_TCP, Port: uint16(r.Port)})
	if err != nil {
		return ConnectResult{}, fmt.Errorf("connect from %s to %s port %d: %w", ns, r.Dest, r.Port, err)
	}
	if dead != "" {
		return ConnectResult{Silence: true, Found: dead, Errno: route.Errno, Unsent: route.Errno == 0}, nil
	}
	askAfresh(w, ns, route, r.Dest)
	var result ConnectResult
	err = w.Go(ns, func() error {
		var err error
		result, err = connect(ctx, r, listen)
		return err
	})
	if err != nil {
		return ConnectResult{}, fmt.Errorf("connect from %s to %s port %d: %w", ns, r.Dest, r.Port, err)
	}
	return result, nil
}

// connect is Connect in the namespace of the calling thread.
func connect(ctx context.Context, r ConnectRequest, listen time.Duration) (ConnectResult, error) {
	family := unix.AF_INET
	if r.Dest.Is6() {
		family = unix.AF_INET6
	}
	zone, err := zoneIndex(r.Dest)
	if err != nil {
		return ConnectResult{}, err
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ConnectResult{}, fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	if r.From.IsValid() {
		if err := unix.Bind(fd, echo.Sockaddr(r.From.WithZone(""), 0, zone)); err != nil {
			if errno, ok := err.(syscall.Errno); ok {
				return ConnectResult{Found: inWords("bind to "+r.From.String(), errno), Errno: errno}, nil
			}
			return ConnectResult{}, err
		}
	}
	err = unix.Connect(fd, echo.Sockaddr(r.Dest.WithZone(""), r.Port, zone))
	if errno, ok := err.(syscall.Errno); ok && errno != unix.EINPROGRESS {
		return ended(errno), nil
	}
	own, nameless := unix.Getsockname(fd)
	if nameless != nil {
		return ConnectResult{}, fmt.Errorf("read the socket's address: %w", nameless)
	}
	port := portOf(own)
	if err != nil {
		answered, err := awaitSocket(ctx, fd, unix.POLLOUT, listen)
		if err != nil {
			return ConnectResult{}, fmt.Errorf("wait for the connection: %w", err)
		}
		if !answered {
			return ConnectResult{Silence: true, Found: fmt.Sprintf("no answer within %v", listen), OwnPort: port}, nil
		}
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return ConnectResult{}, fmt.Errorf("read the result of the connection attempt: %w", err)
	}
	result := ended(syscall.Errno(code))
	result.OwnPort = port
	return result, nil
}

// portOf is the port in a socket address.
func portOf(s unix.Sockaddr) uint16 {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return uint16(s.Port)
	case *unix.SockaddrInet6:
		return uint16(s.Port)
	}
	return 0
}

func ended(errno syscall.Errno) ConnectResult {
	switch errno {
	case 0:
		return ConnectResult{Connected: true, Found: "connected"}
	case unix.ECONNREFUSED:
		return ConnectResult{Refused: true, Found: "refused (ECONNREFUSED)", Errno: errno}
	case unix.ETIMEDOUT:
		return ConnectResult{Silence: true, Found: inWords("connect", errno), Errno: errno}
	}
	return ConnectResult{Found: inWords("connect", errno), Errno: errno}
}
