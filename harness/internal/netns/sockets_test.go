package netns

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketCookies: each namespace has a cookie (SO_NETNS_COOKIE, Linux 5.14), which a socket keeps wherever it is
// used. Each socket has a cookie of its own (SO_COOKIE), unique across namespaces.
func TestSocketCookies(t *testing.T) {
	w := makeWorld(t, Options{})
	places := []string{Host, "testns", "prodns"}
	for _, name := range places[1:] {
		if err := w.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	var ofNamespaces, ofSockets []uint64
	for _, name := range places {
		var within []uint64
		for range 2 {
			fd := socket(t, w, name, unix.AF_INET, unix.SOCK_DGRAM)
			within = append(within, cookie(t, fd, unix.SO_NETNS_COOKIE))
			ofSockets = append(ofSockets, cookie(t, fd, unix.SO_COOKIE))
		}
		if within[0] != within[1] {
			t.Errorf("two sockets in %s have the namespace cookies %d and %d", name, within[0], within[1])
		}
		ofNamespaces = append(ofNamespaces, within[0])
	}
	distinct(t, "the cookies of the namespaces host, testns and prodns", ofNamespaces)
	distinct(t, "the cookies of sockets in host, testns and prodns", ofSockets)
}

// TestAddressesOfSocketsAreTheNamespaces: a port or an abstract Unix socket name (unix(7)) that is bound in one
// namespace is taken there and free in others.
func TestAddressesOfSocketsAreTheNamespaces(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		family, kind int
		address      unix.Sockaddr
	}{
		"a TCP port": {unix.AF_INET, unix.SOCK_STREAM,
			&unix.SockaddrInet4{Port: 7, Addr: [4]byte{127, 0, 0, 1}}},
		"a UDP port":              {unix.AF_INET, unix.SOCK_DGRAM, &unix.SockaddrInet4{Port: 7}},
		"an abstract Unix socket": {unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: "@netnscheck"}},
	} {
		t.Run(what, func(t *testing.T) {
			for _, name := range []string{Host, "testns"} {
				if name != Host {
					if err := w.Do(name, loopbackUp); err != nil {
						t.Fatal(err)
					}
				}
				if err := unix.Bind(socket(t, w, name, c.family, c.kind), c.address); err != nil {
					t.Errorf("bind it in %s: %v", name, err)
				}
				if err := unix.Bind(socket(t, w, name, c.family, c.kind), c.address); !errors.Is(err, unix.EADDRINUSE) {
					t.Errorf("bind it in %s again: %v, want EADDRINUSE", name, err)
				}
			}
		})
	}
}

// socket opens a socket in the namespace, to be used from outside.
func socket(t *testing.T, w *World, name string, family, kind int) (fd int) {
	t.Helper()
	if err := w.Do(name, func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// cookie reads one of the cookies of a socket.
func cookie(t *testing.T, fd, option int) uint64 {
	t.Helper()
	value, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, option)
	if errors.Is(err, unix.ENOPROTOOPT) {
		t.Skipf("this kernel has no such cookie: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func distinct(t *testing.T, what string, values []uint64) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(values))
	if len(slices.Compact(sorted)) < len(values) || sorted[0] == 0 {
		t.Errorf("%s are not all different: %d", what, values)
	}
}
