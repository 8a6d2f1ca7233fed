package siege_test

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watch adds a canary.
func (c *caller) watch(k canary) { c.canaries = append(c.canaries, k) }

// secretCanary is a word that must appear nowhere.
type secretCanary struct{ what, word string }

// secret watches that a word is in nothing that the run prints or writes.
func (c *caller) secret(what string) string {
	k := &secretCanary{what, "secret" + rand.Text()}
	c.watch(k)
	return k.word
}

func (k *secretCanary) check(t *testing.T, o *outcome) {
	t.Helper()
	if strings.Contains(o.text, k.word) {
		t.Errorf("%s was revealed", k.what)
	}
}

// fileCanary is a file whose content and mode must not change.
type fileCanary struct {
	path, text string
	mode       os.FileMode
}

// precious makes a file with the text that everybody may write and that must not change.
func (c *caller) precious(path, text string, mode os.FileMode) string {
	c.Helper()
	c.file(path, text, mode)
	c.Cleanup(func() { os.Remove(path) })
	c.watch(&fileCanary{path, text, mode})
	return path
}

func (k *fileCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	info, err := os.Lstat(k.path)
	if err != nil {
		t.Errorf("a file of the host is gone: %v", err)
		return
	}
	text, err := os.ReadFile(k.path)
	if err != nil || string(text) != k.text {
		t.Errorf("the file %s holds %q, %v; it held %q", k.path, text, err, k.text)
	}
	if info.Mode() != k.mode {
		t.Errorf("the file %s has the mode %v, it had %v", k.path, info.Mode(), k.mode)
	}
}

// folderCanary is a directory whose entries must not change.
type folderCanary struct {
	path  string
	names []string
}

// stays watches a directory in its present state.
func (c *caller) stays(path string) {
	c.Helper()
	names, err := namesIn(path)
	c.must(err)
	c.watch(&folderCanary{path, names})
}

func (k *folderCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	if names, err := namesIn(k.path); err != nil || !slices.Equal(names, k.names) {
		t.Errorf("the folder %s holds %q, %v; it held %q", k.path, names, err, k.names)
	}
}

func namesIn(path string) (names []string, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// absentCanary is a path at which nothing may appear.
type absentCanary string

// absent watches a path that does not exist, and at the end removes what an attack has put there.
func (c *caller) absent(path string) string {
	c.watch(absentCanary(path))
	c.Cleanup(func() { os.RemoveAll(path) })
	return path
}

func (k absentCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	if _, err := os.Lstat(string(k)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s has appeared outside (%v)", string(k), err)
	}
}

// listenerCanary is a server that no attack may reach.
type listenerCanary struct {
	net.Listener
	mu    sync.Mutex
	heard []string
	ended chan struct{}
}

// roll is what the canary itself sends last: connections are accepted in order, so that all earlier ones have been
// counted by then.
const roll = "that was all"

// listen starts a server, tcp on the host's loopback or unix at a path or an abstract name, and returns its address.
func (c *caller) listen(network, address string) string {
	c.Helper()
	l, err := net.Listen(network, address)
	c.must(err)
	if network == "unix" && address[0] != '@' {
		c.must(os.Chmod(address, 0o777))
	}
	k := &listenerCanary{Listener: l, ended: make(chan struct{})}
	go k.serve()
	c.Cleanup(func() { l.Close(); <-k.ended })
	c.watch(k)
	return l.Addr().String()
}

func (k *listenerCanary) serve() {
	defer close(k.ended)
	for {
		conn, err := k.Accept()
		if err != nil {
			return
		}
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		text, err := io.ReadAll(io.LimitReader(conn, 100))
		conn.Close()
		if string(text) == roll {
			return
		}
		k.mu.Lock()
		k.heard = append(k.heard, string(text))
		if err != nil {
			k.heard = append(k.heard, err.Error())
		}
		k.mu.Unlock()
	}
}

func (k *listenerCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	conn, err := net.Dial(k.Addr().Network(), k.Addr().String())
	if err == nil {
		_, err = io.WriteString(conn, roll)
		conn.Close()
	}
	if err != nil {
		t.Errorf("the canary at %s does not answer: %v", k.Addr(), err)
		return
	}
	<-k.ended
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, text := range k.heard {
		t.Errorf("the attack reached %s and said %q", k.Addr(), text)
	}
}

// fifoCanary is a FIFO with a reader, to which nobody may write.
type fifoCanary struct {
	path string
	end  int // the reader's descriptor
}

// fifo makes a FIFO that everybody may write to.
func (c *caller) fifo(path string) string {
	c.Helper()
	c.must(unix.Mkfifo(path, 0o666))
	c.must(os.Chmod(path, 0o666))
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	c.must(err)
	c.Cleanup(func() { unix.Close(fd); os.Remove(path) })
	c.watch(&fifoCanary{path, fd})
	return path
}

func (k *fifoCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	buf := make([]byte, 100)
	if n, err := unix.Read(k.end, buf); err != unix.EAGAIN {
		t.Errorf("the reader of %s has got %q, %v", k.path, buf[:max(n, 0)], err)
	}
}

// processCanary is a process of the caller's that must keep running.
type processCanary struct{ cmd *exec.Cmd }

// bystander starts a process of the caller's outside.
func (c *caller) bystander() *exec.Cmd {
	c.Helper()
	cmd := exec.Command(inScratch("bin", attackName), "linger", c.name)
	if c.uid > 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.uid)}}
	}
	c.must(cmd.Start())
	c.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	c.watch(&processCanary{cmd})
	return cmd
}

func (k *processCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	text, err := os.ReadFile(inProc(k.cmd.Process.Pid, "stat"))
	_, rest, _ := strings.Cut(string(text), ") ")
	if err != nil || !strings.HasPrefix(rest, "S") && !strings.HasPrefix(rest, "R") {
		t.Errorf("the bystander was affected: %q, %v", text, err)
	}
}

// machinePlaces are directories of the host that everybody may write to: the tests may make files here if they remove
// them.
func machinePlaces() (places []string) {
	for _, place := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if info, err := os.Stat(place); err == nil && info.Mode().Perm() == 0o777 {
			places = append(places, place)
		}
	}
	return places
}

// ownPlaces are directories of the host that are replaced by the caller's own, for the harness alone.
var ownPlaces = []string{"/opt", "/srv", "/var/lib", "/usr/local/share"}

// places makes a directory of the caller's, open to everybody, in each kind of place. The private ones are where people
// keep their files; files in the others may be read.
func (c *caller) places() (private, open []place) {
	c.Helper()
	for _, dir := range append(machinePlaces(), c.home, c.dir) {
		path := c.folder(filepath.Join(dir, c.name), 0o777)
		private = append(private, place{inside: path, outside: path})
	}
	for _, dir := range ownPlaces {
		if _, err := os.Stat(dir); err == nil {
			open = append(open, place{inside: dir, outside: c.over(dir)})
		}
	}
	return private, open
}

// place is a directory by its path in the harness and in the test.
type place struct{ inside, outside string }
