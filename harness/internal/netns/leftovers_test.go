package netns

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleVariable makes the test binary the owner of a shared lab, to be killed.
const roleVariable = "NETNSCHECK_TEST_ROLE"

// own makes shared labs with programs in them. As "owner" it makes one, prints its id and waits; as "churner" it makes
// and closes labs forever.
func own() int {
	if os.Getenv(roleVariable) == "worker" {
		return beWorker()
	}
	for {
		w, err := New(Options{Shared: true})
		if err == nil {
			err = w.Add("testns")
		}
		if err == nil {
			err = startSleepers(w)
		}
		if err == nil {
			fmt.Println(w.ID())
			if os.Getenv(roleVariable) == "owner" {
				select {}
			}
			err = w.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

// startSleepers starts two programs in testns: one that dies with its owner, and one that does not.
func startSleepers(w *World) error {
	out, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	p := command("sh", "-c", "(setsid sleep 4713 &) ; echo; exec sleep 4713")
	p.Output = write
	_, err = w.StartIn("testns", p)
	write.Close()
	if err != nil {
		return err
	}
	_, err = out.Read(make([]byte, 1)) // before that the end of the shell could kill the other one, too
	return err
}

// startOwner starts another process that owns a lab, and returns the lab's id.
func startOwner(t *testing.T, role string) (owner *exec.Cmd, id string) {
	t.Helper()
	owner = exec.Command("/proc/self/exe")
	owner.Env = append(os.Environ(), roleVariable+"="+role)
	owner.Stderr = os.Stderr
	stdout, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Process.Kill(); owner.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal("the owner has ended: ", err)
	}
	return owner, strings.TrimSpace(line)
}

func kill(t *testing.T, owner *exec.Cmd) {
	t.Helper()
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	owner.Wait()
}

// leftover returns the only leftover; there must be exactly one.
func leftover(t *testing.T) Leftover {
	t.Helper()
	found, err := Leftovers()
	if err != nil || len(found) != 1 {
		t.Fatalf("leftovers %v, error %v; want one", found, err)
	}
	return found[0]
}

func none(t *testing.T) {
	t.Helper()
	if found, err := Leftovers(); err != nil || len(found) > 0 {
		t.Errorf("leftovers %v, error %v; want none", found, err)
	}
}

func TestLeftovers(t *testing.T) {
	need(t, "setsid")
	none(t)
	owner, id := startOwner(t, "owner")
	none(t) // the owner is alive
	living := makeWorld(t, Options{Shared: true})
	if err := living.Add("testns"); err != nil {
		t.Fatal(err)
	}
	inside := namespaceNumber(t, "testns-"+id)
	bystander := startBystander(t, "testns-"+id)
	kill(t, owner)

	l := leftover(t)
	if want := []string{"host-" + id, "testns-" + id}; l.ID != id || l.PID != owner.Process.Pid ||
		!slices.Equal(l.Names, want) {
		t.Errorf("found %+v, want lab %s of %d with %q", l, id, owner.Process.Pid, want)
	}
	ours := func(pid int) bool {
		inode, ok := namespaceOf(pid, "net")
		return ok && inode == inside && marked(pid, id)
	}
	if pids, err := processes(ours, patience); err != nil || len(pids) == 0 {
		t.Errorf("no program survived its owner, so this test shows nothing: %v, %v", pids, err)
	}
	if err := l.Remove(); err != nil {
		t.Error(err)
	}
	none(t)
	if pids, err := processes(ours, patience); err != nil || len(pids) > 0 {
		t.Errorf("the programs %v are left, %v", pids, err)
	}
	if got := entries(t, namesDir); slices.ContainsFunc(got, func(name string) bool {
		return strings.HasSuffix(name, id)
	}) {
		t.Errorf("left: %q", got)
	}
	if err := unix.Kill(bystander, 0); err != nil {
		t.Errorf("a program that is not the lab's was ended: %v", err)
	}
	wantNames(t, living, "testns")
}

// startBystander starts a program that does not belong to the lab in its namespace.
func startBystander(t *testing.T, real string) (pid int) {
	t.Helper()
	cmd := exec.Command("sleep", "4713")
	err := onThrowawayThread(func() error {
		fd, err := unix.Open(filepath.Join(namesDir, real), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return err
		}
		return cmd.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}

func namespaceNumber(t *testing.T, real string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(namesDir, real), &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// Somebody has given the name to another namespace meanwhile: that one is theirs.
func TestALeftoverNameThatIsAnothersStays(t *testing.T) {
	owner, id := startOwner(t, "owner")
	kill(t, owner)
	real := "testns-" + id
	path := filepath.Join(namesDir, real)
	old, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) // keeps the inode number from being reused
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(old)
	if err := unmountName(path); err != nil {
		t.Fatal(err)
	}
	if err := onThrowawayThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		if err := os.WriteFile(path, nil, 0); err != nil {
			return err
		}
		return unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, "")
	}); err != nil {
		t.Fatal(err)
	}
	theirs := namespaceNumber(t, real)
	err = leftover(t).Remove()
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name %s: %v", path, err)
	}
	if got := namespaceNumber(t, real); got != theirs {
		t.Errorf("it is namespace %d now, was %d", got, theirs)
	}
	if err := unmountName(path); err != nil {
		t.Fatal(err)
	}
	if err := leftover(t).Remove(); err != nil {
		t.Error(err)
	}
	none(t)
}

func TestWhoIsDead(t *testing.T) {
	self, err := ownerOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	changed := func(change func(o *owner)) owner { o := self; change(&o); return o }
	for name, c := range map[string]struct {
		owner      owner
		dead, gone bool
		fails      bool
	}{
		"this process":           {owner: self},
		"an ended one":           {owner: changed(func(o *owner) { o.PID = ended.Process.Pid }), dead: true},
		"one with that number":   {owner: changed(func(o *owner) { o.StartTime-- }), dead: true},
		"one before the boot":    {owner: changed(func(o *owner) { o.Boot = "other" }), dead: true, gone: true},
		"one that we cannot see": {owner: changed(func(o *owner) { o.PIDSpace++ }), fails: true},
	} {
		dead, gone, err := c.owner.dead()
		if dead != c.dead || gone != c.gone || (err != nil) != c.fails {
			t.Errorf("%s: dead %v, gone %v, %v", name, dead, gone, err)
		}
	}
}

// A harness killed between writing the record and mounting the namespace leaves the intention and an empty file.
func TestAnIntentionIsRemoved(t *testing.T) {
	r, err := newRecord("bbbbbb", 0)
	if err != nil {
		t.Fatal(err)
	}
	r.Owner.StartTime--
	for _, real := range []string{"testns-bbbbbb", "prodns-bbbbbb"} {
		if err := r.intend(real); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(namesDir, "testns-bbbbbb"), nil, 0); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(namesDir, "prodns-bbbbbb")
	if err := os.WriteFile(full, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := leftover(t).Remove(); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("a file with something in it: %v", err)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	if err := leftover(t).Remove(); err != nil {
		t.Error(err)
	}
	gone(t, namesDir, recordsDir)
}

func TestKilledAtAnyMomentEverythingIsFound(t *testing.T) {
	for range 10 {
		owner, _ := startOwner(t, "churner")
		pause := time.Duration(rand.Int64N(int64(30 * time.Millisecond)))
		time.Sleep(pause)
		kill(t, owner)
		found, err := Leftovers()
		if err != nil {
			t.Error(err)
		}
		for _, l := range found {
			if err := l.Remove(); err != nil {
				t.Errorf("killed after %v: %v", pause, err)
			}
		}
		none(t)
		gone(t, namesDir, recordsDir)
		if t.Failed() {
			return
		}
		pids, err := processes(func(pid int) bool {
			return strings.HasPrefix(commandLine(pid), "sleep 4713")
		}, patience)
		if err != nil || len(pids) > 0 {
			t.Errorf("killed after %v: the programs %v are left, %v", pause, pids, err)
		}
	}
}

// TestProcessesComesToAnEnd: processes returns even if every listing has a new process.
func TestProcessesComesToAnEnd(t *testing.T) {
	need(t, "sleep")
	var born []*exec.Cmd
	defer func() {
		for _, cmd := range born {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}()
	begun := time.Now()
	if _, err := processes(func(int) bool {
		if len(born) < 300 {
			cmd := exec.Command(lookPath("sleep"), "4715")
			if err := cmd.Start(); err == nil {
				born = append(born, cmd)
			}
		}
		return false
	}, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if len(born) == 300 {
		t.Errorf("it went on for %v, as long as there were new processes", time.Since(begun))
	}
}
