package netns

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// tag is the environment variable that marks the programs of a lab: its value is the lab's id.
const tag = "NETNSCHECK_LAB"

// Program is a program to be started in a lab.
type Program struct {
	Path string   // absolute, as the programs of the lab see files
	Args []string // with the name of the program first
	Env  []string // the whole environment; the lab's tag is added
	Dir  string   // the working directory; "" is /
	// Input is its standard input, Output its standard output and standard error; nil is /dev/null. If Errors is there,
	// that is its standard error.
	Input, Output, Errors *os.File `json:"-"`
	// Terminal makes Input, which is then a terminal, the controlling terminal of the program's session, as an
	// interactive shell needs it.
	Terminal bool
}

// Running is a started program.
type Running struct {
	// PID is its process id as the lab's programs see it. It leads a session of its own.
	PID int

	mu     sync.Mutex    // held while it is killed
	ended  chan struct{} // closed when it has ended
	status syscall.WaitStatus
	lost   error // why nothing is known about its end
	kill   func() error
	pidfd  int // in the helper, to be sent to the worker
}

// Ended is closed when the program has ended, or when the helper that would report its end is gone.
func (r *Running) Ended() <-chan struct{} { return r.ended }

// Wait waits for the end of the program and returns its wait status (wait(2)).
func (r *Running) Wait() (syscall.WaitStatus, error) {
	<-r.ended
	return r.status, r.lost
}

// Kill kills the program and its process group. It does nothing once the program has ended.
func (r *Running) Kill() error {
	select {
	case <-r.ended:
		return nil
	default:
		return r.kill()
	}
}

// Start starts a program in the host namespace of the lab, with the lab's tag in its environment. It dies with the
// harness. The error wraps exec.ErrNotFound if there is no such program.
func (w *World) Start(p Program) (*Running, error) {
	w.started.Store(true)
	r, err := w.ground.start("", p)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Path, err)
	}
	return r, nil
}

// StartIn starts a program in the namespace `name` as `ip netns exec` would: with the /sys of that namespace and the
// files of /etc/netns/NAME over those in /etc.
func (w *World) StartIn(name string, p Program) (*Running, error) {
	if name == Host {
		return w.Start(p)
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("start %s in %q: %w", p.Path, name, err)
	}
	w.started.Store(true)
	r, err := w.ground.start(w.Real(name), p)
	if err != nil {
		return nil, fmt.Errorf("start %s in %s: %w", p.Path, name, err)
	}
	return r, nil
}

// start starts a program: in the host from the site's thread, in a namespace from a thread of its own. Without a PID
// namespace that thread lives as long as the program, which the kernel kills when it ends (PR_SET_PDEATHSIG, prctl(2)).
func (s *site) start(real string, p Program) (*Running, error) {
	if real == "" {
		var r *Running
		err := s.life.do(func() (err error) {
			s.prepare()
			r, err = s.exec(p)
			return err
		})
		return r, err
	}
	h, err := s.open(real)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	if err := s.life.do(func() error { s.prepare(); return nil }); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	type started struct {
		r   *Running
		err error
	}
	told := make(chan started)
	sandbox.OnNewThread(func() {
		defer s.done()
		var t started
		if t.err = s.join(h); t.err == nil {
			t.r, t.err = s.execIn(real, p)
		}
		// The kernel ends the program when this thread ends: stay, but do not keep the namespace alive.
		stay := t.err == nil && !s.mortal && s.host.enter() == nil && s.places.join() == nil
		told <- t
		if stay {
			<-t.r.ended
		}
	})
	t := <-told
	return t.r, t.err
}

// join moves the calling thread, which is not used for anything else afterwards, into the lab's mounts and into the
// namespace.
func (s *site) join(h Handle) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare the working directory: %w", err)
	}
	if err := s.places.join(); err != nil {
		return err
	}
	return h.enter()
}

func (s *site) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errThreadEnded
	}
	s.beside++
	return nil
}

func (s *site) done() {
	s.mu.Lock()
	s.beside--
	s.mu.Unlock()
}

// execIn starts the program from the calling thread, which is in the namespace.
func (s *site) execIn(real string, p Program) (*Running, error) {
	warnings, err := execMounts(real)
	if err != nil {
		return nil, err
	}
	if said := cmp.Or(p.Errors, p.Output); said != nil {
		for _, warning := range warnings {
			said.WriteString(warning)
		}
	}
	return s.exec(p)
}

// exec starts the program from the calling thread.
func (s *site) exec(p Program) (*Running, error) {
	input, output := cmp.Or(p.Input, s.null), cmp.Or(p.Output, s.null)
	attr := &syscall.ProcAttr{
		Dir: p.Dir, Env: append(p.Env[:len(p.Env):len(p.Env)], tag+"="+s.id),
		Files: []uintptr{input.Fd(), output.Fd(), cmp.Or(p.Errors, output).Fd()},
		// A session of its own has no terminal but the program's, and tells the program and its descendants from other
		// children of this process. Ctty, a descriptor of the program, is its standard input.
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: p.Terminal, Ctty: 0},
	}
	if !s.mortal {
		attr.Sys.Pdeathsig = syscall.SIGKILL
	}
	if attr.Dir == "" {
		attr.Dir = "/"
	}
	s.programs.Store(true)
	r := &Running{ended: make(chan struct{}), pidfd: -1}
	if !s.shared && !s.here {
		attr.Sys.PidFD = &r.pidfd
	}
	pid, ended, err := s.spawn(p.Path, p.Args, attr)
	if err != nil {
		err := &fs.PathError{Op: "fork/exec", Path: p.Path, Err: err}
		if errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("%w: %w", exec.ErrNotFound, err)
		}
		return nil, err
	}
	r.PID = pid
	r.kill = func() error {
		err := unix.Kill(-pid, unix.SIGKILL)
		if err != nil && err != unix.ESRCH {
			return fmt.Errorf("kill the process group %d: %w", pid, err)
		}
		return nil
	}
	go func() {
		r.status = <-ended
		close(r.ended)
	}()
	return r, nil
}

// Tasks returns the number of processes and threads of all programs of the sandbox.
func (w *World) Tasks() (int, error) {
	pids, err := w.processes()
	if err != nil {
		return 0, err
	}
	tasks := 0
	for _, pid := range pids {
		var st unix.Stat_t
		// A directory has two links more than subdirectories. A process that has ended has no tasks.
		if unix.Fstatat(w.places.proc, filepath.Join(strconv.Itoa(pid), "task"), &st, 0) == nil {
			tasks += int(st.Nlink) - 2
		}
	}
	return tasks, nil
}

// MaxTasks is how many processes and threads the programs of the sandbox may have; 0 if there is no limit.
func (w *World) MaxTasks() int {
	if w.shared {
		return 0
	}
	return sandbox.MaxTasks
}

// Process opens the network namespace of a process of the lab, by its process id as programs see it. The error wraps
// EPERM if the namespace does not belong to them.
func (w *World) Process(pid int) (Handle, error) {
	dir, err := w.namespacesOf(pid)
	if err != nil {
		return Handle{}, fmt.Errorf("open the namespace of process %d: %w", pid, err)
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, "net", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return Handle{}, fmt.Errorf("open the namespace of process %d: %w", pid, err)
	}
	h, err := newHandle(fd)
	if _, here := w.ground.(*site); here || err != nil {
		return h, err
	}
	if h, err = h.belonging(); err != nil {
		return h, fmt.Errorf("open the namespace of process %d: %w", pid, unix.EPERM)
	}
	return h, nil
}

// namespacesOf opens the directory of a process's namespaces in the /proc of the programs. It does not enter mounts
// that they may have made in it.
func (w *World) namespacesOf(pid int) (fd int, err error) {
	path := filepath.Join(strconv.Itoa(pid), "ns")
	fd, err = unix.Openat2(w.places.proc, path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS,
	})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 5.6, or a container's filter
		fd, err = unix.Openat(w.places.proc, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	}
	return fd, err
}

// InodeOf returns the inode of the network namespace of a process of the lab, by its process id as programs see it.
func (w *World) InodeOf(pid int) (uint64, error) {
	dir, err := w.namespacesOf(pid)
	if err != nil {
		return 0, fmt.Errorf("look at the namespace of process %d: %w", pid, err)
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstatat(dir, "net", &st, 0); err != nil {
		return 0, fmt.Errorf("look at the namespace of process %d: %w", pid, err)
	}
	return st.Ino, nil
}

// Processes returns the processes whose main thread is in the namespace: their ids as programs see them, sorted.
func (w *World) Processes(inode uint64) (inside []int, err error) {
	pids, err := w.processes()
	for _, pid := range pids {
		// A process that has ended or belongs to somebody else is in none.
		if in, err := w.InodeOf(pid); err == nil && in == inode {
			inside = append(inside, pid)
		}
	}
	slices.Sort(inside)
	return inside, err
}

// Going are the processes that programs of this lab have left running, by their ids as programs see them, each with the
// beginning of its command line. They are known by the lab's tag in their environment; in a sandbox those of no lab
// count, too: their environment was cleared. One that is about to begin still looks like the first of the sandbox.
func (w *World) Going() (map[int]string, error) {
	pids, err := w.processes()
	if err != nil {
		return nil, err
	}
	tagged, first := []byte(tag+"="), w.fileOf(1, "cmdline", 256)
	mine := append(tagged[:len(tagged):len(tagged)], w.ID()+"\x00"...)
	going := map[int]string{}
	for _, pid := range pids {
		line := w.lineOf(pid)
		environment := w.fileOf(pid, "environ", 128<<10)
		if pid == 1 || !bytes.Contains(environment, mine) && (w.shared || bytes.Contains(environment, tagged)) {
			continue
		}
		if len(line) > 0 && (w.shared || !bytes.Equal(line, first)) {
			going[pid] = strings.TrimSpace(string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return going, nil
}

// executing is how long a process may take to become another program.
const executing = 20 * time.Millisecond

// lineOf is the beginning of the command line of a process; nil if it has ended. While it becomes another program it has
// none for a moment, and no environment either (begin_new_exec and create_elf_tables in fs); one that has taken its
// words away has its name in brackets.
func (w *World) lineOf(pid int) []byte {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		line := w.fileOf(pid, "cmdline", 256)
		if memory := w.fileOf(pid, "statm", 2); len(line) > 0 || len(memory) == 0 || memory[0] == '0' {
			return line
		}
		if time.Since(start) > executing {
			return []byte("[" + string(bytes.TrimSpace(w.fileOf(pid, "comm", 64))) + "]")
		}
	}
}

// Doing tells what the processes of this lab are doing, the oldest first: the command line of each, with the function
// of the kernel in which it waits (proc_pid_wchan(5)) where that can be read.
func (w *World) Doing() (all []string, err error) {
	going, err := w.Going()
	for _, pid := range slices.Sorted(maps.Keys(going)) {
		words := going[pid]
		if in := string(w.fileOf(pid, "wchan", 128)); in != "" && in != "0" {
			words += " (waits in " + in + ")"
		}
		all = append(all, words)
	}
	return all, err
}

// fileOf is the beginning of a file about a process, nil if it cannot be read.
func (w *World) fileOf(pid int, name string, most int) []byte {
	fd, err := unix.Openat(w.places.proc, strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	text := make([]byte, most)
	n, err := unix.Read(fd, text)
	if err != nil || n < 0 {
		return nil
	}
	return text[:n]
}

// processes returns the ids of all processes that programs see.
func (w *World) processes() (pids []int, err error) {
	fd, err := unix.Openat(w.places.proc, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	proc := os.NewFile(uintptr(fd), "/proc")
	defer proc.Close()
	entries, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
