package netns

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Files in /run/netns that are not namespaces do not count; errors are those that `ip` gets from the kernel.
func TestOtherFilesAreNoNamespaces(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		for name, make := range map[string]func(path string) error{
			"stale":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"fifo":    func(path string) error { return unix.Mkfifo(path, 0o600) },
			"mounted": func(path string) error { return mountOn(path, "/proc/1/ns/uts") },
		} {
			if err := w.InMounts(func() error { return make(filepath.Join(namesDir, w.Real(name))) }); err != nil {
				t.Fatal(err)
			}
			wantNames(t, w)
			if _, err := w.Open(name); !errors.Is(err, unix.EINVAL) {
				t.Errorf("opening %s: %v, want EINVAL", name, err)
			}
			if _, err := w.StartIn(name, command("true")); !errors.Is(err, unix.EINVAL) {
				t.Errorf("starting a program in %s: %v, want EINVAL", name, err)
			}
			if err := w.Delete(name); err != nil {
				t.Errorf("deleting %s: %v", name, err)
			}
		}
		wantNames(t, w)
	})
}

func mountOn(path, source string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	return unix.Mount(source, path, "", unix.MS_BIND, "")
}

// A program in a namespace keeps it alive, but not its name: the name can be reused, even if the program has its own
// mount namespace.
func TestDeletingANamespaceInUse(t *testing.T) {
	each(t, func(t *testing.T, w *World) {
		if err := w.Add("testns"); err != nil {
			t.Fatal(err)
		}
		before, err := w.Open("testns")
		if err != nil {
			t.Fatal(err)
		}
		before.Close()
		running, err := w.StartIn("testns", command("sleep", "4711"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Delete("testns"); err != nil {
			t.Fatal(err)
		}
		if h, err := w.Process(running.PID); err != nil || h.Inode() != before.Inode() {
			t.Errorf("the program is in namespace %d, was in %d: %v", h.Inode(), before.Inode(), err)
		} else {
			h.Close()
		}
		if err := w.Add("testns"); err != nil {
			t.Errorf("adding it again: %v", err)
		}
	})
}

// A program in a namespace is not killed when the thread that started it ends.
func TestAProgramOutlivesItsStart(t *testing.T) {
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	inRead, in, err1 := os.Pipe()
	out, outWrite, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	p := command("sh", "-c", "read line; echo $line")
	p.Input, p.Output = inRead, outWrite
	running, err := w.StartIn("testns", p)
	inRead.Close()
	outWrite.Close()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // other threads come and go meanwhile
		if err := w.Go("testns", func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(in, "alive")
	in.Close()
	text, err := io.ReadAll(out)
	out.Close()
	if status, ended := running.Wait(); err != nil || ended != nil || status != 0 || string(text) != "alive\n" {
		t.Errorf("%q, %v, status %d, %v", text, err, status, ended)
	}
}

func TestFilesOfEtcNetns(t *testing.T) {
	w := makeWorld(t, Options{})
	lacks, err := w.Lacks()
	if err != nil {
		t.Fatal(err)
	}
	for _, lack := range lacks {
		if errors.Is(lack, ErrNoEtc) {
			t.Skip(lack)
		}
	}
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	output(t, w, Host, "sh", "-c",
		"mkdir -p /etc/netns/testns && echo of the namespace >/etc/netns/testns/hosts && touch "+
			"/etc/netns/testns/no-such-file")
	if _, err := os.Stat("/etc/netns/testns"); err == nil {
		t.Error("what a program writes to /etc goes to the machine's")
	}
	if got := output(t, w, "testns", "sh", "-c", "cat /etc/hosts"); !strings.HasSuffix(got, "of the namespace\n") {
		t.Errorf("/etc/hosts in testns by StartIn: %q", got)
	}
	if got := output(t, w, Host, "sh", "-c", "cat /etc/hosts"); strings.Contains(got, "of the namespace") {
		t.Errorf("/etc/hosts in the host: %q", got)
	}
	need(t, "ip")
	if byIP, byUs := output(t, w, Host, "ip", "netns", "exec", "testns", "cat", "/etc/hosts"),
		output(t, w, "testns", "cat", "/etc/hosts"); byIP != byUs {
		t.Errorf("`ip netns exec` prints %q, StartIn %q", byIP, byUs)
	}
}

// Labs do not see each other, and all of them can be used at the same time.
func TestLabsSideBySide(t *testing.T) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			w, err := New(Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}()
			var inside sync.WaitGroup
			for _, name := range []string{"testns", "prodns"} {
				if err := w.Add(name); err != nil {
					t.Error(err)
				}
				inside.Go(func() {
					if err := addVeth(w, name); err != nil {
						t.Error(err)
					}
				})
			}
			inside.Wait()
			wantNames(t, w, "prodns", "testns")
			nl, err := w.Netlink(Host)
			if err != nil {
				t.Error(err)
				return
			}
			defer nl.Close()
			if _, err := nl.LinkByName("v0"); err == nil {
				t.Error("v0 is in the host")
			}
		})
	}
	group.Wait()
}

func addVeth(w *World, name string) error {
	nl, err := w.Netlink(name)
	if err != nil {
		return err
	}
	defer nl.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "v0"
	if err := nl.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "v1"}); err != nil {
		return err
	}
	return w.Do(name, func() error {
		_, err := os.ReadFile("/proc/sys/net/ipv4/conf/v0/forwarding")
		if err != nil {
			return fmt.Errorf("the thread does not see v0: %w", err)
		}
		return nil
	})
}

func TestNamelessNamespaces(t *testing.T) {
	w := makeWorld(t, Options{})
	h, err := w.AddNameless()
	if err != nil {
		t.Fatal(err)
	}
	wantNames(t, w)
	nl, err := w.NetlinkIn(h)
	if err != nil {
		t.Fatal(err)
	}
	defer nl.Close()
	links, err := nl.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.Attrs().Name == "lo" && l.Attrs().RawFlags&unix.IFF_UP != 0 {
			t.Error("lo is up in a fresh namespace")
		}
	}
	h.Close()
	h.Close() // a second Close does nothing
	if err := w.DoIn(h, func() error { return nil }); err == nil {
		t.Error("a closed handle could be entered")
	}
}
