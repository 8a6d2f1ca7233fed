package siege_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// After a run nothing is left of what its programs have made: no file, no System V or POSIX object, no process.
func TestWhatStays(t *testing.T) {
	besiege(t, func(c *caller) {
		for _, dir := range machinePlaces() {
			c.absent(filepath.Join(dir, plantedName(c.name)))
		}
		number, err := strconv.Atoi(c.name[strings.LastIndex(c.name, "-")+1:])
		c.must(err)
		key := os.Getpid()<<8 + number
		c.watch(ipcCanary{key, "/" + c.name})
		c.Cleanup(func() { ipcCanary{key, "/" + c.name}.remove() })
		c.watch(lingeringCanary(mirrored(c.name)))
		attack := fmt.Sprintf("%s leave %s %d", attackName, mirrored(c.name), key)
		c.repelled(c.play(hostile("ip netns add ns", attack, "ip netns exec ns "+attack)))
	})
}

// attackByLeaving makes what outlives a program: NAME KEY, the name backwards
func attackByLeaving(args []string) {
	name := mirrored(args[0])
	key, err := strconv.Atoi(args[1])
	if err != nil {
		panic(err)
	}
	for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		os.WriteFile(filepath.Join(dir, plantedName(name)), nil, 0o777)
	}
	for _, kind := range ipcKinds {
		_, err := kind.get(key, unix.IPC_CREAT|0o666)
		told(kind.what, err)
	}
	told("message queue", openQueue("/"+name, unix.O_CREAT))
	// Daemons, started in the usual ways, without the environment that would identify them.
	for _, way := range [][]string{
		{attackName, "linger", args[0]},
		{"env", "-i", path(attackName), "linger", args[0]},
		{"setsid", path(attackName), "linger", args[0]},
		{"sh", "-c", "(trap '' HUP TERM INT; " + path(attackName) + " linger " + args[0] + " &)"},
		{"nohup", path(attackName), "linger", args[0]},
	} {
		cmd := exec.Command(way[0], way[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		told(strings.Join(way, " "), cmd.Start())
	}
}

// path returns the path of a program.
func path(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return name
	}
	return path
}

// linger keeps running, far longer than any test, and ignores signals.
func linger([]string) {
	time.AfterFunc(10*time.Minute, func() { os.Exit(1) })
	attackBySleeping(nil)
}

// ipcKinds are the kinds of System V objects, with the calls that get or make one by its key and that remove it by its
// id.
var ipcKinds = []struct {
	what   string
	get    func(key, flags int) (id int, err error)
	remove func(id int)
}{
	{
		"shared memory",
		func(key, flags int) (int, error) { return ipcCall(unix.SYS_SHMGET, key, 1, flags) },
		func(id int) { ipcCall(unix.SYS_SHMCTL, id, unix.IPC_RMID, 0) },
	},
	{
		"semaphores",
		func(key, flags int) (int, error) { return ipcCall(unix.SYS_SEMGET, key, 1, flags) },
		func(id int) { ipcCall(unix.SYS_SEMCTL, id, 0, unix.IPC_RMID) },
	},
	{
		"messages",
		func(key, flags int) (int, error) { return ipcCall(unix.SYS_MSGGET, key, flags, 0) },
		func(id int) { ipcCall(unix.SYS_MSGCTL, id, unix.IPC_RMID, 0) },
	},
}

func ipcCall(number uintptr, a, b, c int) (int, error) {
	result, _, errno := unix.Syscall(number, uintptr(a), uintptr(b), uintptr(c))
	if errno != 0 {
		return 0, errno
	}
	return int(result), nil
}

// openQueue opens a POSIX message queue and closes it.
func openQueue(name string, flags int) error {
	b := append([]byte(name[1:]), 0) // the kernel's names have no slash
	at := uintptr(unsafe.Pointer(&b[0]))
	fd, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, at, uintptr(flags|unix.O_RDWR), 0o666, 0, 0, 0)
	runtime.KeepAlive(b)
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

// ipcCanary is the key of System V objects and the name of a message queue that must not exist.
type ipcCanary struct {
	key   int
	queue string
}

func (k ipcCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	for _, kind := range ipcKinds {
		if _, err := kind.get(k.key, 0); err != unix.ENOENT && err != unix.ENOSYS {
			t.Errorf("%s stays: %v", kind.what, err)
		}
	}
	if err := openQueue(k.queue, 0); err != unix.ENOENT && err != unix.ENOSYS {
		t.Errorf("a message queue stays: %v", err)
	}
}

// remove removes what an attack has left.
func (k ipcCanary) remove() {
	for _, kind := range ipcKinds {
		if id, err := kind.get(k.key, 0); err == nil {
			kind.remove(id)
		}
	}
	b := append([]byte(k.queue[1:]), 0)
	unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(&b[0])), 0, 0)
}

// lingeringCanary is a word that must be in no process's command line.
type lingeringCanary string

func (k lingeringCanary) check(t *testing.T, _ *outcome) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Error(err)
	}
	for _, path := range lines {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), string(k)) {
			t.Errorf("a process stays: %s: %q", filepath.Dir(path), text)
		}
	}
}
