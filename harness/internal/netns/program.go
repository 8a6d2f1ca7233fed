package netns

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// tag is the environment variable by which the programs of a lab are found again.
const tag = "NETNSCHECK_LAB"

// Start starts a program from the lab's thread in the host namespace. It gets the lab's tag into its environment, and it
// dies with the harness.
func (w *World) Start(cmd *exec.Cmd) error {
	err := w.thread.do(func() error {
		w.prepare()
		w.mark(cmd)
		return cmd.Start()
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", cmd, err)
	}
	return nil
}

// StartIn starts a program in the namespace `name` as `ip netns exec` would: /sys of that namespace, the files of
// /etc/netns/NAME over those of /etc.
func (w *World) StartIn(name string, cmd *exec.Cmd) error {
	h, err := w.Open(name)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := w.thread.do(func() error { w.prepare(); return nil }); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	started := make(chan error)
	onNewThread(func() {
		defer w.done()
		err := w.join(h)
		if err == nil {
			err = w.exec(name, cmd)
		}
		pidfd := -1
		if err == nil {
			pidfd, _ = unix.PidfdOpen(cmd.Process.Pid, 0)
			// The program is to die with the harness, not with this thread: stay, but do not keep the namespace alive.
			if w.host.enter() != nil || w.places.join() != nil {
				unix.Close(pidfd)
				pidfd = -1
			}
		}
		started <- err
		if pidfd >= 0 {
			awaitExit(pidfd)
			unix.Close(pidfd)
		}
	})
	if err := <-started; err != nil {
		return fmt.Errorf("start %s in %s: %w", cmd, name, err)
	}
	return nil
}

// exec starts cmd from the calling thread, which is in the namespace.
func (w *World) exec(name string, cmd *exec.Cmd) error {
	warnings, err := execMounts(w.Real(name))
	if err != nil {
		return err
	}
	if cmd.Stderr != nil {
		for _, warning := range warnings {
			io.WriteString(cmd.Stderr, warning)
		}
	}
	w.mark(cmd)
	return cmd.Start()
}

// mark puts the lab's tag into the environment, and asks the kernel to end the program when its parent thread ends.
// The program has a session of its own, and with that a process group: so it and what it leaves are told from what
// else this process has started.
func (w *World) mark(cmd *exec.Cmd) {
	w.programs.Store(true)
	cmd.Env = append(cmd.Environ(), tag+"="+w.id)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setpgid = true, false // who leads a session may not change its group
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// awaitExit blocks until the process of the pidfd has exited.
func awaitExit(pidfd int) {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return
		}
	}
}
