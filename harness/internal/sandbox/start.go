package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// entry is how long a program may take from its start until Enter returns.
const entry = 20 * time.Second

// Command is how this program is started again inside.
type Command struct {
	Args   []string // with the name of the program first
	Env    []string // nil: the part of this process's environment that is meant for a worker
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// ExtraFiles are the descriptors from 3 on.
	ExtraFiles []*os.File

	// Visible are files and directories that stay visible inside, read-only, in addition to those of PATH.
	Visible []string
	// TUN lets programs create links through /dev/net/tun.
	TUN bool
	// Open lets the worker see the host's files as they are, and write those that it may: for this project's tests. The
	// programs of its labs see what all programs see.
	Open bool

	trial bool
}

// Process is a program running inside.
type Process struct {
	facts   Facts
	missing []Lack
	met     []string // limits that were reached
	oom     bool     // the OOM killer has killed a process of the control group
	cmd     *exec.Cmd
	control *os.File
	mu      sync.Mutex    // of writes to control
	heard   chan struct{} // closed when the answer was read, or reading it failed
	ended   chan struct{}
	err     error // of the program's end
}

// answer is what the process inside reports when it has entered, or has failed to.
type answer struct {
	// Failed is the text of the error, Errno its cause.
	Failed string        `json:"failed,omitempty"`
	Errno  syscall.Errno `json:"errno,omitempty"`
	// NoProc is true if mounting a fresh /proc failed, which a sandbox without a PID namespace does not need.
	NoProc bool `json:"no_proc,omitempty"`
	// Missing are the walls that could not be had.
	Missing []Lack `json:"missing,omitempty"`
}

// err returns the error in the answer, or nil.
func (a answer) err() error {
	if a.Failed == "" {
		return nil
	}
	return &failure{a.Failed, a.Errno}
}

// failure is an error of another process.
type failure struct {
	text  string
	errno syscall.Errno
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.errno }

// noPID remembers why a PID namespace cannot be used on this host: no /proc can be mounted in it.
var noPID struct {
	sync.Mutex
	why string
}

// Start starts this program again inside, and returns when it has entered. The program and everything in its sandbox
// die with this process, even if it is killed, and when ctx ends. The program has a session of its own: it has no
// terminal, and gets signals through Signal alone. The error wraps a *ForbiddenError if this host allows no sandbox.
func Start(ctx context.Context, c Command) (*Process, error) {
	noPID.Lock()
	why := noPID.why
	noPID.Unlock()
	p, reply, err := start(ctx, c, why)
	if err == nil && reply.NoProc {
		why = reply.Failed
		noPID.Lock()
		noPID.why = why
		noPID.Unlock()
		p, reply, err = start(ctx, c, why)
	}
	if err == nil && reply.Failed != "" {
		err = explain(reply.err())
	}
	if err != nil {
		return nil, fmt.Errorf("enter the sandbox: %w", err)
	}
	return p, nil
}

// start makes one attempt, without a PID namespace if noPID says why there can be none.
func start(ctx context.Context, c Command, noPID string) (*Process, answer, error) {
	ids, err := chooseIDs()
	if err != nil {
		return nil, answer{}, err
	}
	o := orders{Stage: stageInit, Control: 3 + len(c.ExtraFiles)}
	o.Facts = Facts{PIDNamespace: noPID == "", NoPIDNamespace: noPID, IDs: ids.size, OuterUID: os.Getuid(),
		FirstID: ids.firstUID}
	// One clone(2) makes all namespaces. The user namespace comes first, so that it owns the others: copy_process
	// (kernel/fork.c) calls copy_creds before copy_namespaces.
	flags := uintptr(unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS)
	if noPID == "" {
		flags |= unix.CLONE_NEWPID
	}
	planned := make(chan plan, 1)
	go func() { planned <- planOf(c, ids) }() // while init starts
	l := theLauncher(!c.Open && !c.trial)
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, answer{}, err
	}

	p := &Process{facts: o.Facts, control: ours, heard: make(chan struct{}), ended: make(chan struct{})}
	prepare := func(program string) {
		p.cmd = exec.CommandContext(ctx, program)
		p.cmd.Args = c.Args
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
		p.cmd.ExtraFiles = append(append([]*os.File(nil), c.ExtraFiles...), theirs)
		if p.cmd.Env = c.Env; c.Env == nil {
			p.cmd.Env = workerEnvironment()
		}
		p.cmd.Env = append(p.cmd.Env, o.environment())
		p.cmd.SysProcAttr = ids.attributes(flags)
		if l.group != nil && l.group.unified != nil {
			p.cmd.SysProcAttr.UseCgroupFD, p.cmd.SysProcAttr.CgroupFD = true, int(l.group.unified.Fd())
		}
		p.cmd.WaitDelay = entry // without a PID namespace a process may be left that holds the output pipes open
	}
	err = p.launch(l, func() error { return startAgain(prepare, &p.cmd, ids) })
	if err != nil && l.group != nil && l.group.unified != nil { // it may be the control group that is refused
		l.drop()
		err = p.launch(l, func() error { return startAgain(prepare, &p.cmd, ids) })
	}
	theirs.Close() // the program has the only copy now: reading from ours ends when the program does
	if err != nil {
		ours.Close()
		return nil, answer{}, err
	}
	// init runs now. It builds the sandbox by the plan, starts the worker and answers.
	var reply answer
	if err = (<-planned).send(ours); err == nil {
		reply, err = p.hear()
	}
	p.missing = reply.Missing
	if slices.ContainsFunc(reply.Missing, func(l Lack) bool { return l.Wall == WallFiles }) {
		plainFolders.Store(true)
	}
	close(p.heard)
	if err != nil || reply.Failed != "" {
		p.Kill()
		ended := p.Wait()
		if err != nil {
			err = fmt.Errorf("%w (it ended: %v)", err, ended)
		}
	}
	return p, reply, err
}

// controlPair makes a pair of connected sockets. When ours is closed, at the latest at the end of this process, the
// sandbox ends.
func controlPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}

// launch starts the program and waits for it in the background.
func (p *Process) launch(l *launcher, start func() error) error {
	if err := l.do(start); err != nil {
		return err
	}
	go func() {
		p.err = p.cmd.Wait()
		<-p.heard // a program may enter, answer and end before its answer is read
		p.met, p.oom = l.group.met(), l.group.killed()
		p.control.Close()
		close(p.ended)
	}()
	return nil
}

// startAgain starts this program, or a copy of it if the sandbox's user may not read and execute its file.
func startAgain(prepare func(program string), cmd **exec.Cmd, ids ids) error {
	const self = "/proc/self/exe"
	st, err := os.Stat(self)
	if err == nil && (!ids.foreign || st.Mode()&0o005 == 0o005) {
		prepare(self)
		if err = (*cmd).Start(); err == nil || !errors.Is(err, unix.EACCES) || !ids.foreign {
			return explainStart(err)
		}
	}
	copied, err := copyOfProgram(self)
	if err != nil {
		return err
	}
	defer copied.Close()
	prepare(fmt.Sprintf("/proc/self/fd/%d", copied.Fd()))
	return explainStart((*cmd).Start())
}

func explainStart(err error) error {
	if err == nil {
		return nil
	}
	return explain(err)
}

// copyOfProgram returns a nameless copy in memory that everybody may read and execute.
func copyOfProgram(path string) (*os.File, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	fd, err := unix.MemfdCreate("netnscheck", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3 there is no MFD_EXEC, and every memfd is executable
		fd, err = unix.MemfdCreate("netnscheck", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("copy the program: %w", err)
	}
	to := os.NewFile(uintptr(fd), "program")
	if _, err = io.Copy(to, from); err == nil {
		err = to.Chmod(0o555)
	}
	if err != nil {
		to.Close()
		return nil, fmt.Errorf("copy the program: %w", err)
	}
	// A file that is open for writing cannot be executed.
	readable, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	to.Close()
	if err != nil {
		return nil, fmt.Errorf("copy the program: %w", err)
	}
	defer readable.Close()
	// Its number must not be one that the child needs for its own files.
	high, err := unix.FcntlInt(readable.Fd(), unix.F_DUPFD_CLOEXEC, 1000)
	if err != nil {
		return nil, fmt.Errorf("copy the program: %w", err)
	}
	return os.NewFile(uintptr(high), "program"), nil
}

// hear reads the answer of the process inside.
func (p *Process) hear() (answer, error) {
	var a answer
	if err := p.control.SetReadDeadline(time.Now().Add(entry)); err != nil {
		return a, err
	}
	line, err := bufio.NewReader(p.control).ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("wait for the program inside to call Enter: %w", err)
	}
	return a, json.Unmarshal(line, &a)
}

// Facts describes the sandbox of the program.
func (p *Process) Facts() Facts { return p.facts }

// Missing returns the walls that could not be had on this host.
func (p *Process) Missing() []Lack { return p.missing }

// Met returns the limits for all processes together that were reached, each as a sentence. Call it after Wait.
func (p *Process) Met() []string { return p.met }

// OutOfMemory reports whether the OOM killer has killed a process of the sandboxes' control group. Call it after Wait.
func (p *Process) OutOfMemory() bool { return p.oom }

// PID returns the process id, as seen outside, of the sandbox's init.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the program inside. It does nothing once the program has ended.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.control.Write([]byte{byte(s)})
	if errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EPIPE) {
		return nil
	}
	return err
}

// Kill kills the program and everything else in the sandbox.
func (p *Process) Kill() { p.cmd.Process.Kill() }

// Wait waits for the end of the program, and with it of everything in the sandbox. The error is an *exec.ExitError for
// any exit status but 0; a program ended by signal N has the status 128+N.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Status returns the exit status for an error of Wait; 1 if the error is not about a status.
func Status(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 1
	case exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	return 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
}
