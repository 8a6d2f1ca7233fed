// Package program runs a program of a lesson in a lab and collects what it prints: no standard input, standard output
// and standard error through one pipe, LC_ALL=C, a limit of time. It may be imported by lab, internal/kernel and the drivers
// (internal/iproute2, internal/rtnetlink, internal/busybox); it imports scenario, scenario/operation and internal/netns. It never
// interprets what a program says and never waits for what a program leaves running in the background.
package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// Limit is how long one command of a lesson may take (SCENARIO-FORMAT.md, "Console blocks").
const Limit = 30 * time.Second

// ErrLimit is the cause when a program was killed because it had not ended in time.
var ErrLimit = errors.New("it did not end in time")

// workDir is where programs run: a folder that is there, and open to whoever root is in a sandbox, wherever the harness was started.
const workDir = "/"

// Run runs argv in the namespace ns of the world (netns.Host, or a name: then as `ip netns exec` would) and waits for it,
// limit at most. The output is what was printed until the program itself ended, at most 1 MiB. The status is its exit
// status, or 128+N when signal N ended it. What it left running in the background runs on.
//
// The error is for what kept the program from running to its own end, with the output so far: exec.ErrNotFound when
// there is no such program, ErrLimit, or the cause of ctx; in the last two cases its process group was killed.
func Run(ctx context.Context, w *netns.World, ns string, argv []string, limit time.Duration) (output []byte, status int, err error) {
	start := func(cmd *exec.Cmd) error { return w.StartIn(ns, cmd) }
	if ns == netns.Host || ns == "" {
		start = w.Start
	}
	output, status, err = run(ctx, start, argv, limit)
	if err != nil {
		return output, status, fmt.Errorf("run %s in %s: %w", strings.Join(argv, " "), ns, err)
	}
	return output, status, nil
}

// run is Run for any way to start a program.
func run(ctx context.Context, start func(*exec.Cmd) error, argv []string, limit time.Duration) ([]byte, int, error) {
	if len(argv) == 0 {
		return nil, 0, errors.New("no program is named")
	}
	path, err := LookPath(argv[0])
	if err != nil {
		return nil, 0, err
	}
	pipe, err := newPipe()
	if err != nil {
		return nil, 0, err
	}
	cmd := &exec.Cmd{
		Path: path, Args: argv, Env: environment(), Dir: workDir,
		Stdout: pipe.in, Stderr: pipe.in, // Stdin nil is /dev/null
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := start(cmd); err != nil {
		pipe.abandon()
		var execErr *fs.PathError // of fork and exec; the namespace may be what does not exist
		if errors.As(err, &execErr) && execErr.Op == "fork/exec" && errors.Is(err, unix.ENOENT) {
			return nil, 0, fmt.Errorf("%w: %w", exec.ErrNotFound, err)
		}
		return nil, 0, err
	}
	pipe.collect()
	cause := await(ctx, cmd.Process.Pid, limit)
	err = cmd.Wait()
	output, readErr := pipe.finish()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return output, 0, err
	}
	if cause == nil {
		cause = readErr
	}
	return output, exitStatus(cmd.ProcessState), cause
}

// await waits until the process has ended, and kills its group if that takes too long; the error says why it was killed.
// It leaves the process unreaped, so that its number cannot mean anybody else when the group is killed.
func await(ctx context.Context, pid int, limit time.Duration) error {
	ended := make(chan error, 1)
	go func() {
		for {
			err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
			if err != unix.EINTR {
				ended <- err
				return
			}
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var cause error
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		cause = context.Cause(ctx)
	case <-timer.C:
		cause = fmt.Errorf("%w (%v)", ErrLimit, limit)
	}
	if err := unix.Kill(-pid, unix.SIGKILL); err != nil {
		return errors.Join(cause, fmt.Errorf("kill the process group %d: %w", pid, err))
	}
	<-ended
	return cause
}

func exitStatus(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
