package netns

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// makeWorld makes a World that is closed at the end of the test, which must succeed.
func makeWorld(t testing.TB, o Options) *World {
	t.Helper()
	w, err := New(o)
	return closed(t, w, err)
}

// worldHere makes a World on this side of the wall.
func worldHere(t testing.TB, o Options) *World {
	t.Helper()
	w, err := NewHere(o)
	return closed(t, w, err)
}

func closed(t testing.TB, w *World, err error) *World {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// each runs the test in every kind of World.
func each(t *testing.T, test func(t *testing.T, w *World)) {
	t.Run("in the sandbox", func(t *testing.T) { test(t, makeWorld(t, Options{})) })
	t.Run("here", func(t *testing.T) { test(t, worldHere(t, Options{})) })
	t.Run("shared", func(t *testing.T) { test(t, makeWorld(t, Options{Shared: true})) })
}

func TestNames(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		wantNames(t, w)
		for _, name := range []string{"testns", "prodns"} {
			if err := w.Add(name); err != nil {
				t.Fatal(err)
			}
		}
		wantNames(t, w, "prodns", "testns")
		if err := w.Add("testns"); !errors.Is(err, unix.EEXIST) {
			t.Errorf("adding testns again: %v, want EEXIST", err)
		}
		if err := w.Delete("prodns"); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete("prodns"); !errors.Is(err, unix.ENOENT) {
			t.Errorf("deleting prodns again: %v, want ENOENT", err)
		}
		if _, err := w.Open("prodns"); !errors.Is(err, unix.ENOENT) {
			t.Errorf("opening prodns: %v, want ENOENT", err)
		}
		wantNames(t, w, "testns")
		for _, name := range []string{"", ".", "..", "a/b", strings.Repeat("n", 256)} {
			if err := w.Add(name); !errors.Is(err, unix.EINVAL) {
				t.Errorf("adding %q: %v, want EINVAL", name, err)
			}
		}
		if err := w.Add(Host); !errors.Is(err, unix.EEXIST) {
			t.Errorf("adding host: %v, want EEXIST", err)
		}
	})
}

func wantNames(t *testing.T, w *World, want ...string) {
	t.Helper()
	got, err := w.Names()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("namespaces %q, want %q", got, want)
	}
}

func TestProgramsSeeTheNames(t *testing.T) {
	need(t, "ip")
	each(t, func(t *testing.T, w *World) {
		if err := w.Add("testns"); err != nil {
			t.Fatal(err)
		}
		if got := output(t, w, Host, "ip", "netns", "list"); !strings.Contains("\n"+w.Lesson(got), "\ntestns") {
			t.Errorf("ip netns list shows %q", got)
		}
		output(t, w, Host, "ip", "netns", "add", w.Real("prodns"))
		if err := w.Adopt(); err != nil {
			t.Fatal(err)
		}
		wantNames(t, w, "prodns", "testns")
		output(t, w, Host, "ip", "-n", w.Real("prodns"), "link", "add", "v0", "type", "veth", "peer", "name", "v1")
		got := output(t, w, Host, "ip", "netns", "exec", w.Real("prodns"), "ls", "/sys/class/net")
		if want := "lo\nv0\nv1\n"; got != want {
			t.Errorf("/sys/class/net by ip netns exec: %q, want %q", got, want)
		}
		if got := output(t, w, "prodns", "ls", "/sys/class/net"); got != "lo\nv0\nv1\n" {
			t.Errorf("/sys/class/net by StartIn: %q", got)
		}
		if err := w.Do("prodns", func() error {
			_, err := netlink.LinkByName("v1")
			return err
		}); err != nil {
			t.Errorf("v1 in prodns: %v", err)
		}
	})
}

func TestHostHasLoopbackUpOnly(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		nl, err := w.Netlink(Host)
		if err != nil {
			t.Fatal(err)
		}
		defer nl.Close()
		links, err := nl.LinkList()
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			up := link.Attrs().RawFlags&unix.IFF_UP != 0
			if (link.Attrs().Name == "lo") != up {
				t.Errorf("%s is up: %v", link.Attrs().Name, up)
			}
		}
	})
}

func TestCloseEndsWhatRuns(t *testing.T) {
	need(t, "ip")
	need(t, "sleep")
	each(t, func(t *testing.T, w *World) {
		if err := w.Add("testns"); err != nil {
			t.Fatal(err)
		}
		// One in the host, one in a namespace, and one that has lost its parent and the lab's mounts. In the sandbox,
		// where there are no other programs, it has lost its tag, too; outside, the keeper would have to kill such a
		// one.
		output(t, w, Host, "sh", "-c", "sleep 4711 >/dev/null 2>&1 &")
		output(t, w, "testns", "sh", "-c", "sleep 4711 >/dev/null 2>&1 &")
		descends, env := func(int) bool { return true }, "env -i "
		if s, ok := w.ground.(*site); ok {
			descends, env = s.started(), ""
		}
		output(t, w, Host, "sh", "-c",
			"ip netns exec "+w.Real("testns")+" "+env+lookPath("sleep")+" 4711 >/dev/null 2>&1 &")
		sleepers := func() int {
			pids, err := processes(func(pid int) bool {
				return strings.Contains(commandLine(pid), "sleep 4711") && descends(pid)
			}, patience)
			if err != nil {
				t.Fatal(err)
			}
			return len(pids)
		}
		if err := await(patience, func() error {
			if n := sleepers(); n != 3 {
				return errors.New("not all three programs run")
			}
			return nil
		}); err != nil {
			t.Fatal(err, sleepers())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if n := sleepers(); n != 0 {
			t.Errorf("%d programs still run", n)
		}
	})
}

func lookPath(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return name
	}
	return path
}

// output runs a program in the namespace and returns what it printed; it must succeed.
func output(t *testing.T, w *World, ns string, argv ...string) string {
	t.Helper()
	out, status := finish(t, w, ns, argv...)
	if status != 0 {
		t.Fatalf("%s: status %d\n%s", argv, status, out)
	}
	return out
}

// finish runs a program in the namespace to its end.
func finish(t *testing.T, w *World, ns string, argv ...string) (output string, status int) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	p := command(argv...)
	p.Output = write
	running, err := w.StartIn(ns, p)
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := running.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return string(text), ended.ExitStatus()
}

// command is a program with the environment of the test.
func command(argv ...string) Program {
	return Program{Path: lookPath(argv[0]), Args: argv, Env: os.Environ()}
}

func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		sandbox.Lacking(t, err)
	}
}

func TestThreadEndsWithTheLab(t *testing.T) {
	w, err := NewHere(Options{}) // a thread id from the other side of the wall means nothing here
	if err != nil {
		t.Fatal(err)
	}
	for _, tid := range []int{w.thread.tid, w.ground.thread()} {
		if tid == unix.Getpid() {
			t.Error("the lab lives on the main thread")
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Add("late"); !errors.Is(err, errThreadEnded) {
		t.Errorf("adding to a closed lab: %v", err)
	}
}

func TestDoComesBack(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	inside := func(name string) (inode uint64) {
		t.Helper()
		if err := w.Do(name, func() error {
			h, err := current()
			inode = h.Inode()
			h.Close()
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return inode
	}
	h, err := w.Open("testns")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if got := inside("testns"); got != h.Inode() || got == w.host.Inode() {
		t.Errorf("in namespace %d, want %d", got, h.Inode())
	}
	func() {
		defer func() {
			if r := recover(); r != "on purpose" {
				t.Errorf("recovered %v", r)
			}
		}()
		w.Do("testns", func() error { panic("on purpose") })
	}()
	if got := inside(Host); got != w.host.Inode() {
		t.Errorf("after a panic the thread is in namespace %d, want the host's %d", got, w.host.Inode())
	}
}

func TestGoexitInDoIsAnError(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Do(Host, func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("no error")
	}
	if err := w.Add("testns"); !errors.Is(err, errThreadEnded) {
		t.Errorf("adding afterwards: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestGoDoesNotHoldTheLabUp(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	go1, release := make(chan uint64), make(chan struct{})
	result := make(chan error)
	go func() {
		result <- w.Go("testns", func() error {
			h, err := current()
			h.Close()
			go1 <- h.Inode()
			<-release
			return err
		})
	}()
	inode := <-go1
	h, err := w.Open("testns")
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if inode != h.Inode() {
		t.Errorf("Go ran in %d, want %d", inode, h.Inode())
	}
	if err := w.Do("testns", func() error { return nil }); err != nil { // while Go runs
		t.Error(err)
	}
	close(release)
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// BenchmarkSmallLab makes and closes a lab like the tutorial's: a host, two namespaces, a veth pair with addresses.
func BenchmarkSmallLab(b *testing.B) {
	var parts [4]time.Duration
	for b.Loop() {
		at := time.Now()
		lap := func(part int) {
			now := time.Now()
			parts[part] += now.Sub(at)
			at = now
		}
		w, err := New(Options{})
		if err != nil {
			b.Fatal(err)
		}
		lap(0)
		for _, name := range []string{"testns", "prodns"} {
			if err := w.Add(name); err != nil {
				b.Fatal(err)
			}
		}
		lap(1)
		if err := connect(w); err != nil {
			b.Fatal(err)
		}
		lap(2)
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		lap(3)
	}
	for part, name := range []string{"new", "add", "connect", "close"} {
		b.ReportMetric(float64(parts[part].Microseconds())/float64(b.N), "us/"+name)
	}
}

// connect makes a veth pair with its ends in testns and prodns, with addresses, up.
func connect(w *World) error {
	prodns, err := w.Open("prodns")
	if err != nil {
		return err
	}
	defer prodns.Close()
	ends := []struct {
		ns, name string
		host     byte
	}{{"testns", "vnic-testns", 102}, {"prodns", "vnix-prodns", 103}}
	for i, end := range ends {
		nl, err := w.Netlink(end.ns)
		if err != nil {
			return err
		}
		defer nl.Close()
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.Index = end.name, 10+i
		attrs.NumTxQueues, attrs.NumRxQueues = 1, 1
		if i == 0 {
			pair := netlink.NewVeth(attrs)
			pair.PeerName, pair.PeerNamespace = ends[1].name, netlink.NsFd(prodns.file.fd)
			pair.PeerNumTxQueues, pair.PeerNumRxQueues = 1, 1
			if err := nl.LinkAdd(pair); err != nil {
				return err
			}
		}
		l, err := nl.LinkByName(end.name)
		if err != nil {
			return err
		}
		if err := nl.LinkSetUp(l); err != nil {
			return err
		}
		if err := nl.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(192, 168, 2, end.host),
			Mask: net.CIDRMask(24, 32)}}); err != nil {
			return err
		}
	}
	return nil
}
