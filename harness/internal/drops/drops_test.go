package drops

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// awaited is how long the tests wait for what has to come.
const awaited = 20 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

// listens listens in namespaces, until the end of the test. It skips the test where that cannot be had.
func listens(t *testing.T, inodes ...uint64) *Listener {
	t.Helper()
	l, err := Listen(Filter{Namespaces: inodes, Addresses: []netip.Addr{loopback}})
	var unavailable *Unavailable
	if errors.As(err, &unavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// inNew runs f in a new namespace whose loopback is up, on a thread that ends with it.
func inNew(t *testing.T, f func(inode uint64) error) {
	t.Helper()
	listens(t) // or skip the test
	done := make(chan error)
	go func() {
		defer close(done) // also if f ends the test
		runtime.LockOSThread()
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			lo, err := netlink.LinkByName("lo")
			if err != nil {
				return err
			}
			if err := netlink.LinkSetUp(lo); err != nil {
				return err
			}
			var s unix.Stat_t
			if err := unix.Stat("/proc/thread-self/ns/net", &s); err != nil {
				return err
			}
			return f(s.Ino)
		}()
	}()
	if err := <-done; errors.Is(err, unix.EPERM) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
}

// refused connects to a port on which nobody listens, and returns the own port.
func refused() (own uint16, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback.As4()}); err != nil {
		return 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: loopback.As4(), Port: 9})
	if err != unix.ECONNREFUSED {
		return 0, errors.Join(errors.New("the connection is not refused"), err)
	}
	return uint16(name.(*unix.SockaddrInet4).Port), nil
}

// TestListen: a drop is heard with its reason, place, namespace, link and packet, and none of another namespace.
func TestListen(t *testing.T) {
	inNew(t, func(here uint64) error {
		l, nobody := listens(t, here), listens(t)
		own, err := refused()
		if err != nil {
			return err
		}
		d, err := l.Next(t.Context(), time.Now().Add(awaited))
		if err != nil {
			return err
		}
		want := Packet{Source: loopback, Dest: loopback, Protocol: 6, SourcePort: own, DestPort: 9}
		if d.Reason != "NO_SOCKET" || d.Netns != here || d.Link != "lo" || d.Packet != want ||
			d.Place != "" && d.Place != "tcp_v4_rcv" {
			t.Errorf("heard %+v", d)
		}
		if d, err := nobody.Next(t.Context(), time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("heard of another namespace: %+v, %v", d, err)
		}
		lost, err := l.Lost()
		if lost != 0 {
			t.Errorf("%d drops were lost", lost)
		}
		return err
	})
}

// TestLost: when nobody reads, the buffer keeps what it has room for, and the rest is counted.
func TestLost(t *testing.T) {
	inNew(t, func(here uint64) error {
		l := listens(t, here)
		const dropped = 2 * bufferSize / recordSize
		for range dropped {
			if _, err := refused(); err != nil {
				return err
			}
		}
		heard := 0
		for {
			_, err := l.Next(t.Context(), time.Now())
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return err
			}
			heard++
		}
		lost, err := l.Lost()
		if heard == 0 || lost == 0 || heard+int(lost) < dropped {
			t.Errorf("of %d drops %d were heard, and %d are counted as lost", dropped, heard, lost)
		}
		return err
	})
}

// TestClose: after Close, the kernel does not have the program any more.
func TestClose(t *testing.T) {
	l := listens(t)
	info, err := l.loaded.Programs[programName].Info()
	if err != nil {
		t.Fatal(err)
	}
	id, ok := info.ID()
	if !ok {
		t.Skip("this kernel does not number its programs")
	}
	l.Close()
	for end := time.Now().Add(awaited); ; runtime.Gosched() { // the kernel frees it after a grace period
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		if time.Now().After(end) {
			t.Fatalf("program %d is still there", id)
		}
	}
}

// TestUnavailable: what is missing is told, and is no fault.
func TestUnavailable(t *testing.T) {
	for _, err := range []error{unix.EPERM, unix.EACCES, ebpf.ErrNotSupported, unix.ENOSYS} {
		var u *Unavailable
		if !errors.As(unavailable(err), &u) || u.Reason == "" {
			t.Errorf("%v: %v", err, unavailable(err))
		}
	}
	var u *Unavailable
	if err := unavailable(net.ErrClosed); errors.As(err, &u) || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}
