package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// serve is what the helper does for the worker.
var serve func(conn *net.UnixConn)

// OnHelper sets what the helper does. f is called there once, with the connection to the worker, which asks for what
// only a process of the second layer can do. When f returns, the helper exits, and all programs end with it. Call
// OnHelper before Enter.
func OnHelper(f func(conn *net.UnixConn)) { serve = f }

// startHelper starts process 1 of the second layer. The kernel kills it when the calling thread ends
// (PR_SET_PDEATHSIG).
func startHelper(o orders, p plan, conn int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	complaints := null // not stderr: programs could take it over from the helper
	if p.Open {
		complaints = 2
	}
	inside := orders{Stage: stageHelper, Facts: o.Facts, Control: 3, Open: p.Open}
	_, err = syscall.ForkExec(ProgramPath, os.Args[:1], &syscall.ProcAttr{
		Dir: "/", Env: append(ProgramEnvironment(), inside.environment()), Sys: secondLayer(o, p),
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(complaints), uintptr(conn)},
	})
	if err != nil {
		return fmt.Errorf("start the helper: %w", err)
	}
	return nil
}

// secondLayer returns the attributes that give the helper its namespaces. It stays in the network namespace of the
// first layer, where its programs have no capabilities: they can neither change it nor leave anything in it.
func secondLayer(o orders, p plan) *syscall.SysProcAttr {
	flags := uintptr(unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS)
	if o.PIDNamespace {
		flags |= unix.CLONE_NEWPID
	}
	i := p.ids()
	return &syscall.SysProcAttr{
		Cloneflags: flags, UidMappings: i.mapping(0), GidMappings: i.mapping(0), GidMappingsEnableSetgroups: i.foreign,
		Pdeathsig: syscall.SIGKILL, Setsid: true,
	}
}

// tryHelper does all that startHelper does up to the execve(2), which fails on a path that does not exist.
func tryHelper(o orders, p plan) error {
	const none = "/proc/self/exe/none"
	_, err := syscall.ForkExec(none, []string{none}, &syscall.ProcAttr{Dir: "/", Sys: secondLayer(o, p)})
	if err != nil && err != unix.ENOTDIR && err != unix.ENOENT {
		return fmt.Errorf("start the helper: %w", err)
	}
	return nil
}

// beHelper is process 1 of the second layer.
func beHelper(o orders) {
	conn := os.NewFile(uintptr(o.Control), "worker")
	unix.CloseOnExec(o.Control)
	// Its programs may send it signals. They are caught, not ignored: execve(2) resets a caught signal to its default
	// action in the programs, and would leave an ignored one ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	runtime.LockOSThread() // some of what settle sets belongs to the thread
	missing, err := settle(o)
	runtime.UnlockOSThread()
	greet(conn, layer{missing: missing, err: err}.answer())
	if err != nil {
		exit(1)
	}
	worker, err := net.FileConn(conn)
	conn.Close()
	if err != nil {
		exit(1)
	}
	if serve != nil {
		serve(worker.(*net.UnixConn))
	}
	exit(0)
}

// settle sets up the second layer: its root, the reaping of orphans, and its limits.
func settle(o orders) (missing []Lack, err error) {
	if err := secondRoot(o.PIDNamespace); err != nil {
		return nil, err
	}
	if !o.PIDNamespace { // then this is not process 1, to which orphans are reparented
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return missing, fmt.Errorf("become the reaper of orphans: %w", err)
		}
	}
	return append(missing, confine(o)...), nil
}

// confine limits what this process and all its descendants may use and which system calls they may make. missing are
// the walls that could not be had.
func confine(o orders) (missing []Lack) {
	// If memory runs out, the OOM killer should choose a program, not the worker.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0); err != nil {
		missing = append(missing, Lack{WallLimits, err.Error()})
	}
	if err := setLimits(o.FirstID != o.OuterUID, o.Open); err != nil {
		missing = append(missing, Lack{WallLimits, err.Error()})
	}
	if err := refuseCalls(); err != nil {
		missing = append(missing, Lack{WallCalls, err.Error()})
	}
	return missing
}

// tryLab does once what every lab needs, on a thread that ends afterwards: mounts, and three network namespaces, for
// the helper's /sys, the lab's host and one that a scenario adds.
func tryLab() error {
	result := make(chan error)
	OnNewThread(func() {
		result <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return fmt.Errorf("unshare a lab's mounts: %w", err)
			}
			if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
				return fmt.Errorf("mount a lab's /run: %w", err)
			}
			for range 3 {
				if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
					return fmt.Errorf("unshare a lab's namespaces: %w", err)
				}
				held, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					return fmt.Errorf("hold a lab's namespaces: %w", err)
				}
				defer unix.Close(held)
			}
			return nil
		}()
	})
	return <-result
}

// greet sends the worker the helper's first message.
func greet(conn *os.File, a answer) {
	text, err := json.Marshal(a)
	if err == nil {
		_, err = conn.Write(append(text, '\n'))
	}
	if err != nil {
		exit(1)
	}
}

// maxGreeting limits the helper's greeting, in bytes: a program may have taken the helper's place.
const maxGreeting = 64 << 10

// greeting reads the helper's first message. It reads byte by byte, so that it consumes nothing of what follows.
func greeting(conn *os.File) (missing []Lack, err error) {
	var line []byte
	for b := make([]byte, 1); len(line) < maxGreeting; line = append(line, b[0]) {
		if n, err := conn.Read(b); err != nil || n == 0 {
			return nil, fmt.Errorf("read from the helper in the sandbox: it has ended (%v)", err)
		}
		if b[0] == '\n' {
			break
		}
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("read from the helper in the sandbox: %w", err)
	}
	return a.Missing, a.err()
}

// Helper returns the connection to the helper, in the worker alone. The protocol on it is the caller's. The error says
// why there is no connection.
var Helper = sync.OnceValues(func() (*net.UnixConn, error) {
	if received == nil || received.Stage != stageInside || received.Control == 0 {
		return nil, errors.New("find the helper: this is not the worker of a sandbox")
	}
	file := os.NewFile(uintptr(received.Control), "helper")
	defer file.Close()
	if _, err := greeting(file); err != nil {
		return nil, err
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("connect to the helper: %w", err)
	}
	return conn.(*net.UnixConn), nil
})
