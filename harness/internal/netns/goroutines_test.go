package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Goroutines, threads and namespaces: facts about Go that this package relies on and protects its users from. Tests
// that spoil threads run in a process of their own.

// here returns the inode of the calling thread's network namespace.
func here() uint64 {
	h, err := current()
	if err != nil {
		panic(err)
	}
	h.Close()
	return h.Inode()
}

// ways are ways to run a function inside a namespace, by its name or its handle.
var ways = map[string]func(w *World, name string, h Handle, f func()) error{
	// What the documentation of vishvananda/netns warns against.
	"unlocked": func(_ *World, _ string, h Handle, f func()) error {
		err := netns.Set(netns.NsHandle(h.FD()))
		f()
		return err
	},
	"locked": func(_ *World, _ string, h Handle, f func()) error {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := netns.Set(netns.NsHandle(h.FD()))
		f()
		return err
	},
	"World.Do": func(w *World, name string, _ Handle, f func()) error {
		return w.Do(name, func() error { f(); return nil })
	},
	"World.Go": func(w *World, name string, _ Handle, f func()) error {
		return w.Go(name, func() error { f(); return nil })
	},
}

// wayVariable makes the test binary try one of the ways and print the result.
const wayVariable = "NETNSCHECK_TEST_WAY"

func goOneWay(way string) int {
	strayed, leaked, err := manyGo(ways[way], way == "unlocked")
	fmt.Printf("strayed=%v leaked=%v", strayed, leaked)
	if err != nil {
		fmt.Print(" ", err)
	}
	return 0
}

// manyGo uses one way in many goroutines at once, with two namespaces in turn. strayed is true if a goroutine found
// itself in another namespace after others had run, leaked if a later goroutine that entered none was not in the
// process's own. If both are expected, it goes on until both have been seen.
func manyGo(way func(*World, string, Handle, func()) error, bothSeen bool) (strayed, leaked bool, err error) {
	w, err := NewHere(Options{})
	if err != nil {
		return false, false, err
	}
	names := []string{"testns", "prodns"}
	var handles []Handle
	for _, name := range names {
		if err := w.Add(name); err != nil {
			return false, false, err
		}
		h, err := w.Open(name)
		if err != nil {
			return false, false, err
		}
		handles = append(handles, h)
	}
	home := here()
	var strays, leaks atomic.Int32
	errs := make(chan error, 1)
	for round, end := 0, time.Now().Add(time.Minute); round < 3 || bothSeen && !(strayed && leaked) &&
		time.Now().Before(end); round++ {
		manyAtOnce(func(i int) {
			h := handles[i%2]
			err := way(w, names[i%2], h, func() {
				runtime.Gosched()
				if here() != h.Inode() {
					strays.Add(1)
				}
			})
			if err != nil {
				select {
				case errs <- err:
				default: // one is enough
				}
			}
		})
		manyAtOnce(func(int) {
			if here() != home {
				leaks.Add(1)
			}
		})
		strayed, leaked = strays.Load() > 0, leaks.Load() > 0
	}
	close(errs)
	return strayed, leaked, <-errs
}

func manyAtOnce(f func(i int)) {
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// A thread enters a namespace, not a goroutine. A goroutine that has not locked its thread may continue on another one,
// while others continue on the one that was moved. The functions of this package, and ways with a lock, avoid this.
//
// case: go-no-lock
func TestSetWithoutLockLeaksTheNamespace(t *testing.T) {
	for name := range ways {
		t.Run(name, func(t *testing.T) {
			want := "strayed=false leaked=false"
			if name == "unlocked" {
				want = "strayed=true leaked=true"
			}
			cmd := exec.Command("/proc/self/exe")
			// the race detector would sleep a second
			cmd.Env = append(os.Environ(), wayVariable+"="+name, "GORACE=atexit_sleep_ms=0")
			output, err := cmd.CombinedOutput()
			if err != nil || string(output) != want {
				t.Errorf("%s, %v; want %s", output, err, want)
			}
		})
	}
}

// A goroutine started from a locked thread runs on another thread, in the process's original namespace. A program
// started from the locked thread is in that thread's namespace. If the goroutine ends without unlocking, its thread
// ends and is not reused.
//
// case: go-child-goroutine
func TestGoroutineOfALockedThreadIsElsewhere(t *testing.T) {
	need(t, "readlink")
	w := makeWorld(t, Options{})
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	h, err := w.Open("testns")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	home, inside := here(), h.Inode()

	tid := 0
	if err := onThrowawayThread(func() error {
		tid = unix.Gettid()
		if err := netns.Set(netns.NsHandle(h.FD())); err != nil {
			return err
		}
		if got := here(); got != inside {
			t.Errorf("the thread is in namespace %d, want %d", got, inside)
		}
		if got := ofGoroutine(); got != home {
			t.Errorf("a goroutine of the thread is in namespace %d, want %d, where the process began", got, home)
		}
		if got := ofProgram(t, (*exec.Cmd).Start); got != inside {
			t.Errorf("a program of the thread is in namespace %d, want %d", got, inside)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := await(patience, func() error {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err == nil {
			return errors.New("the thread has outlived its goroutine")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}

	// The same with a World: its functions run on the thread, goroutines that they start do not. Programs are started
	// with StartIn.
	if err := w.Do("testns", func() error {
		if got := here(); got != inside {
			t.Errorf("Do runs in namespace %d, want %d", got, inside)
		}
		if got := ofGoroutine(); got != home {
			t.Errorf("a goroutine of Do is in namespace %d, want %d, where the process began", got, home)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var got uint64
	said := output(t, w, "testns", "readlink", "/proc/self/ns/net")
	if _, err := fmt.Sscanf(said, "net:[%d]", &got); err != nil || got != inside {
		t.Errorf("a program of StartIn is in namespace %d, want %d: %v", got, inside, err)
	}
}

// ofGoroutine returns the namespace of a new goroutine.
func ofGoroutine() uint64 {
	where := make(chan uint64)
	go func() { where <- here() }()
	return <-where
}

// ofProgram returns the namespace of a program that is started in some way.
func ofProgram(t *testing.T, start func(*exec.Cmd) error) (inode uint64) {
	t.Helper()
	var out strings.Builder
	cmd := exec.Command(lookPath("readlink"), "/proc/self/ns/net")
	cmd.Stdout = &out
	err := start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if _, scanned := fmt.Sscanf(out.String(), "net:[%d]", &inode); err != nil || scanned != nil {
		t.Errorf("%s: %q, %v", cmd, out.String(), err)
	}
	return inode
}
