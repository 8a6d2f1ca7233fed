package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting/progress"
)

// lockVariable makes this binary a process that locks a lab in the named folder, says so, and waits.
const lockVariable = "NETNSCHECK_TEST_LOCK"

func TestMain(m *testing.M) {
	if root := os.Getenv(lockVariable); root != "" {
		l := (&Store{root: root}).Lab("veth-pair")
		if err := l.Lock(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		os.Stdin.Read(make([]byte, 1)) // until the test ends it
		os.Exit(0)
	}
	os.Exit(sandbox.TestMain(m))
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// locked is a lab in a folder that is new below another one.
func locked(t *testing.T, below string) *Lab {
	t.Helper()
	s, err := Open(environment("XDG_STATE_HOME", filepath.Join(below, "state")))
	if err != nil {
		t.Fatal(err)
	}
	l := s.Lab("veth-pair")
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Unlock)
	return l
}

// file is a progress file with so many commands in its log.
func file(t *testing.T, commands int) *progress.File {
	t.Helper()
	const text = "---\nid: veth-pair\n---\n# T\n\n## S\n\n- [ ] namespace `a` exists\n"
	sc, err := scenario.Parse("t.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f := progress.New(sc, time.Unix(1_800_000_000, 0))
	for range commands {
		f.Add(progress.Entry{At: f.Began, Step: 1, Line: "ip netns add a"})
	}
	return f
}

func encoded(t *testing.T, commands int) []byte {
	t.Helper()
	text, err := file(t, commands).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func same(t *testing.T, got, want *progress.File) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(progress.File{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// names are the files in the lab's folder.
func names(t *testing.T, l *Lab) string {
	t.Helper()
	entries, err := os.ReadDir(l.dir())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestOpen(t *testing.T) {
	me, err := user.LookupId(fmt.Sprint(os.Geteuid()))
	if err != nil {
		sandbox.Lacking(t, err)
	}
	caller, err := user.LookupId("1")
	if err != nil {
		sandbox.Lacking(t, err)
	}
	home := strings.TrimSuffix(me.HomeDir, "/")
	for _, c := range []struct {
		name string
		env  []string
		want string
	}{
		{"the variable", []string{"XDG_STATE_HOME", "/s", "HOME", "/h"}, "/s/netnscheck"},
		{"the home folder", []string{"HOME", "/h"}, "/h/.local/state/netnscheck"},
		{"a relative path is ignored", []string{"XDG_STATE_HOME", "s", "HOME", "/h"}, "/h/.local/state/netnscheck"},
		{"no HOME", nil, home + "/.local/state/netnscheck"},
		{"a relative HOME", []string{"HOME", "."}, home + "/.local/state/netnscheck"},
		{"sudo", []string{"HOME", "/root", "SUDO_UID", "1"}, caller.HomeDir + "/.local/state/netnscheck"},
		{"sudo of nobody known", []string{"HOME", "/h", "SUDO_UID", "4000000"}, "/h/.local/state/netnscheck"},
	} {
		s, err := Open(environment(c.env...))
		if err != nil || s.root != c.want {
			t.Errorf("%s: got %+v, %v", c.name, s, err)
		}
	}
}

func TestID(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/my-lab.md", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{ID("veth-pair", "", ""), "veth-pair"},
		{ID("veth-pair", "challenge", ""), "veth-pair+challenge"},
		{ID("my-lab", "", "/no/my-lab.md"), "my-lab-" + shortHash("/no/my-lab.md")},
		{ID("my-lab", "challenge", dir+"/link/my-lab.md"), ID("my-lab", "challenge", dir+"/my-lab.md")},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if ID("a", "", "/x/a.md") == ID("a", "", "/y/a.md") {
		t.Error("two files have one lab")
	}
}

// TestSave: what is saved is read, by whoever opens the lab next, and only its owner can read it.
func TestSave(t *testing.T) {
	l := locked(t, t.TempDir())
	if f, note, err := l.Load(); f != nil || note != "" || err != nil {
		t.Errorf("before: %v, %q, %v", f, note, err)
	}
	for _, commands := range []int{3, 1} {
		if err := l.Save(encoded(t, commands)); err != nil {
			t.Fatal(err)
		}
		f, note, err := l.Load()
		if err != nil || note != "" {
			t.Errorf("%q, %v", note, err)
		}
		same(t, f, file(t, commands))
	}
	if got := names(t, l); got != "lock progress.json" {
		t.Errorf("files: %s", got)
	}
	_ = filepath.WalkDir(filepath.Dir(l.store.root), func(path string, e fs.DirEntry, err error) error {
		if info, _ := e.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return nil
	})
	l.Unlock()
	if err := l.Save(encoded(t, 1)); err == nil ||
		err.Error() != "save the progress of veth-pair: the lab is not locked" {
		t.Errorf("without the lock: %v", err)
	}
}

// TestBroken: a file that cannot be read is set aside, whatever it is, and nothing of it is lost; a newer one stays.
func TestBroken(t *testing.T) {
	l := locked(t, t.TempDir())
	for i, damage := range []func(path string) error{
		func(path string) error { return os.WriteFile(path, []byte("\x00\x00"), 0o600) },
		func(path string) error { return os.WriteFile(path, nil, 0o600) },
		func(path string) error { return os.Mkdir(path, 0o700) },
		func(path string) error { return syscall.Mkfifo(path, 0o600) },
		func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
	} {
		if err := damage(l.Progress()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(); !errors.Is(err, errDamaged) {
			t.Errorf("%d is read: %v", i, err)
		}
		f, note, err := l.Load()
		if f != nil || err != nil || !strings.HasPrefix(note, "read the progress of veth-pair: damaged: ") ||
			!strings.Contains(note, "progress.json.broken-2") ||
			!strings.HasSuffix(note, ", and the lab begins anew.") {
			t.Errorf("%d: %v, %q, %v", i, f, note, err)
		}
		if aside, _ := filepath.Glob(l.Progress() + ".broken-*"); len(aside) != i+1 {
			t.Errorf("%d: %d files are set aside", i, len(aside))
		}
	}
	newer := []byte(`{"format": "netnscheck progress", "version": 9}`)
	if err := os.WriteFile(l.Progress(), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	var version *progress.NewerError
	if _, _, err := l.Load(); !errors.As(err, &version) || version.Version != 9 {
		t.Errorf("a newer one: %v", err)
	}
	if text, err := os.ReadFile(l.Progress()); err != nil || string(text) != string(newer) {
		t.Errorf("a newer one is now %q, %v", text, err)
	}
}

// TestLock: one process at a time has a lab; others are told which; a killed one leaves nothing in the way.
func TestLock(t *testing.T) {
	l := locked(t, t.TempDir())
	var busy *BusyError
	other := l.store.Lab(l.id)
	if err := other.Lock(); !errors.As(err, &busy) || busy.Process != os.Getpid() ||
		time.Since(busy.Since) > time.Hour {
		t.Errorf("a second time: %v, %+v", err, busy)
	}
	if err := l.store.Lab("another").Lock(); err != nil {
		t.Errorf("another lab: %v", err)
	}
	l.Unlock()

	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), lockVariable+"="+l.store.root)
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	n, _ := out.Read(said)
	if string(said[:n]) != "locked\n" {
		t.Fatalf("the child says %q", said[:n])
	}
	want := fmt.Sprintf("open the lab veth-pair: process %d has it open since ", child.Process.Pid)
	if err := l.Lock(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := os.WriteFile(l.file(".new-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if err := l.Lock(); err != nil {
		t.Errorf("after its end: %v", err)
	}
	if got := names(t, l); got != "lock" {
		t.Errorf("files: %s", got)
	}
	for _, text := range []string{"", "process", "process x on y since z\n", strings.Repeat("process ", 1000)} {
		if err := os.WriteFile(l.file(lockName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := other.Lock(); err == nil || err.Error() != "open the lab veth-pair: another process has it open" {
			t.Errorf("a lock that says %.20q: %v", text, err)
		}
	}
}

// TestFullDisk: nothing is lost when there is no room, and the cause is told.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		sandbox.Lacking(t, fmt.Sprintf("mount a small disk: %v", err))
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l := locked(t, dir)
	if err := l.Save(encoded(t, 5)); err != nil {
		t.Fatal(err)
	}
	err := l.Save(encoded(t, 2000))
	if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "save the progress of veth-pair: ") {
		t.Errorf("got %v", err)
	}
	f, err := l.Read()
	if err != nil {
		t.Fatal(err)
	}
	same(t, f, file(t, 5))
	if got := names(t, l); got != "lock progress.json" {
		t.Errorf("files: %s", got)
	}
	l.Unlock()
	if err := os.WriteFile(dir+"/filler", make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := l.Lock(); err != nil {
		t.Errorf("open a lab on a full disk: %v", err)
	}
	fresh := l.store.Lab("fresh")
	if err := fresh.Lock(); err != nil { // only what the lock says finds no room
		t.Fatalf("open a new lab on a full disk: %v", err)
	}
	if err := fresh.Save(encoded(t, 1)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("save in a new lab on a full disk: %v", err)
	}
	if f, err := fresh.Read(); f != nil || err != nil {
		t.Errorf("it saved %v, %v", f, err)
	}
}

// TestReadOnly: where nothing can be written, what is there can be read, and the cause is told.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		sandbox.Lacking(t, fmt.Sprintf("mount a disk: %v", err))
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	l := locked(t, dir)
	if err := l.Save(encoded(t, 5)); err != nil {
		t.Fatal(err)
	}
	l.Unlock()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		sandbox.Lacking(t, fmt.Sprintf("make it read-only: %v", err))
	}
	f, err := l.Read()
	if err != nil {
		t.Fatal(err)
	}
	same(t, f, file(t, 5))
	for _, id := range []string{"veth-pair", "new"} {
		err := l.store.Lab(id).Lock()
		if !errors.Is(err, syscall.EROFS) || !strings.HasPrefix(err.Error(), "open the lab "+id+": ") {
			t.Errorf("%s: got %v", id, err)
		}
	}
}

// TestAdopt: what root makes in the home folder of a user belongs to the user.
func TestAdopt(t *testing.T) {
	home := t.TempDir()
	if err := os.Chown(home, 1, 1); err != nil {
		t.Skipf("only root has a second user here: %v", err)
	}
	l := locked(t, home)
	if err := errors.Join(l.Save(encoded(t, 1)), l.SaveHistory([]byte("ls\n"))); err != nil {
		t.Fatal(err)
	}
	socket, err := l.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_ = filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		info, failed := os.Lstat(path)
		if err = errors.Join(err, failed); err != nil || ownerOf(info) != 1 {
			t.Errorf("%s is not the user's: %v", path, err)
		}
		return nil
	})
}

// TestPlantedLinks: what another process of the user has put in the place of a lab's files leads nowhere: started as
// root, with sudo, this process must not write, empty or give away what a link leads to.
func TestPlantedLinks(t *testing.T) {
	home := t.TempDir()
	_ = os.Chown(home, 1, 1) // only root has a second user here; without one it is root's, or the user's own
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := locked(t, home)
	l.Unlock()
	for _, name := range []string{lockName, progressName, historyName} {
		if err := errors.Join(os.RemoveAll(l.file(name)), os.Symlink(precious, l.file(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Lock(); err == nil || !strings.HasSuffix(err.Error(), "lock is no regular file with one name") {
		t.Errorf("a lock that is a link: %v", err)
	}
	if text, err := l.History(); err == nil || text != nil {
		t.Errorf("a history that is a link: %q, %v", text, err)
	}
	if err := os.Remove(l.file(lockName)); err != nil {
		t.Fatal(err)
	}
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Save(encoded(t, 1)), l.SaveHistory([]byte("ls\n"))); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(precious)
	text, failed := os.ReadFile(precious)
	if err := errors.Join(err, failed); err != nil || string(text) != "text" || ownerOf(info) != uint32(os.Geteuid()) {
		t.Errorf("what the links led to: %q, %v", text, err)
	}
	for _, name := range []string{progressName, historyName} {
		if info, err := os.Lstat(l.file(name)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is %v, %v", name, info.Mode(), err)
		}
	}
}

// TestPlantedFolder: a lab whose folder is a link out of the state folder is refused.
func TestPlantedFolder(t *testing.T) {
	l := locked(t, t.TempDir())
	elsewhere := t.TempDir()
	if err := errors.Join(os.RemoveAll(l.dir()), os.Symlink(elsewhere, l.dir())); err != nil {
		t.Fatal(err)
	}
	saved := l.Save(encoded(t, 1))
	locked := l.store.Lab(l.id).Lock()
	for what, err := range map[string]error{"save": saved, "lock": locked} {
		if err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("there is %v, %v", left, err)
	}
}

// TestRemovedFolder: a learner may remove everything while the lab is open.
func TestRemovedFolder(t *testing.T) {
	l := locked(t, t.TempDir())
	if err := os.RemoveAll(l.store.root); err != nil {
		t.Fatal(err)
	}
	if err := l.Save(encoded(t, 1)); err != nil {
		t.Error(err)
	}
}

func TestHistory(t *testing.T) {
	l := locked(t, t.TempDir())
	if text, err := l.History(); text != nil || err != nil {
		t.Errorf("before: %q, %v", text, err)
	}
	line := []byte("ip netns exec testns ip link show\n")
	var long []byte
	for len(long) < 2*historySize {
		long = append(long, line...)
	}
	if err := l.SaveHistory(long); err != nil {
		t.Fatal(err)
	}
	text, err := l.History()
	if err != nil || len(text) > historySize || len(text) < historySize-len(line) || len(text)%len(line) != 0 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if got := lastLines([]byte("ab\ncd\n"), 3); string(got) != "cd\n" {
		t.Errorf("the end from a line's beginning is %q", got)
	}
	if got := lastLines([]byte("abcdef"), 3); string(got) != "" {
		t.Errorf("the end of one long line is %q", got)
	}
}

// TestSocket: its path is short enough, and nobody else can enter its folder.
func TestSocket(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, strings.Repeat("d", 90))
	runtime := filepath.Join(dir, "run")
	for _, d := range []string{deep, runtime} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", dir)
	long := strings.Repeat("x", 100)
	own := func(state string) string { return "/netnscheck-" + shortHash(state+"/netnscheck") }
	fallback := fmt.Sprintf("%s%s-%d/", dir, own(deep), os.Geteuid())
	for _, c := range []struct{ name, id, state, runtime, want string }{
		{"the runtime folder", "a", dir, runtime, runtime + own(dir) + "/a.sock"},
		{"the lab of another state folder", "a", "/other", runtime, runtime + own("/other") + "/a.sock"},
		{"none", "a", dir, "", dir + "/netnscheck/run/a.sock"},
		{"one that is not there", "a", dir, dir + "/gone", dir + "/netnscheck/run/a.sock"},
		{"a long id", long, dir, runtime, runtime + own(dir) + "/" + shortHash(long) + ".sock"},
		{"a deep folder", "a", deep, "", fallback + "a.sock"},
	} {
		s := &Store{root: filepath.Join(c.state, "netnscheck"), runtime: c.runtime}
		got, err := s.Lab(c.id).Listen()
		if err != nil || got.Addr().String() != c.want {
			t.Errorf("%s: got %v, %v", c.name, got, err)
			continue
		}
		if again, err := s.Lab(c.id).Listen(); err == nil || !strings.Contains(err.Error(), "has it open") {
			t.Errorf("%s: a second one listens at %v, %v", c.name, again, err)
		}
		got.Close()
		if _, err := os.Stat(filepath.Dir(c.want)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the folder of the socket stays (%v)", c.name, err)
		}
	}
	s := &Store{root: filepath.Join(deep, "netnscheck"), runtime: runtime}
	if err := errors.Join(os.Mkdir(fallback, 0o755), os.Chmod(fallback, 0o755), // whatever the umask is
		os.WriteFile(runtime+own(deep), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lab("a").Listen(); err == nil || strings.Contains(err.Error(), "\n") ||
		strings.Count(err.Error(), "is no folder of this user alone") != 2 {
		t.Errorf("a folder that others can enter, and a file: %v", err)
	}
	// Where one folder can have no socket, the next one has it.
	s = &Store{root: filepath.Join(dir, "netnscheck"), runtime: runtime}
	if err := os.MkdirAll(runtime+own(dir)+"/b.sock/full", 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := s.Lab("b").Listen()
	if err != nil || l.Addr().String() != dir+"/netnscheck/run/b.sock" {
		t.Errorf("listens at %v, %v", l, err)
	}
	if all, err := s.Sockets(); err != nil || all["b"] != dir+"/netnscheck/run/b.sock" {
		t.Errorf("it is found at %v, %v", all, err)
	}
}
