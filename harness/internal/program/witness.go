package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
)

// witnessLimit is how long a program may take that a check asks.
const witnessLimit = 10 * time.Second

// Witness runs a program of the machine for a check: in the network namespace ns, but beside this process, where the
// programs of the lab can neither replace it nor reach it. Its environment is LC_ALL=C alone, its standard input
// empty. It is for programs that only read and that start no others. The output is what it printed, at most 1 MiB; if
// there was more, cut is set. The error says why it did not run to its end.
func Witness(ctx context.Context, w *netns.World, ns string, argv ...string) (output string, cut bool, status int,
	err error) {
	path, err := witnessPath(argv[0])
	if err != nil {
		return "", false, 0, fmt.Errorf("run %s for a check: %w", argv[0], err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, witnessLimit, fmt.Errorf("%w (%v)", ErrLimit, witnessLimit))
	defer cancel()
	var printed bounded
	err = w.Go(ns, func() error { // the new process is born in the namespace of the thread that starts it
		cmd := exec.CommandContext(ctx, path, argv[1:]...)
		cmd.Dir, cmd.Env = workDir, []string{"LC_ALL=C"}
		cmd.Stdout, cmd.Stderr = &printed, &printed
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
		err := cmd.Run()
		var ended *exec.ExitError
		if errors.As(err, &ended) && ctx.Err() == nil {
			status = exitStatus(ended.Sys().(syscall.WaitStatus))
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("run %s in %s for a check: %w", strings.Join(argv, " "), ns, err)
	}
	return printed.String(), printed.cut, status, err
}

// witnessPath is the program's file. The worker of a run takes it from a read-only mount alone, as all folders of the
// host are (docs/sandbox.md): a program of the lab may have made another one, in a folder of PATH that the host lacks.
func witnessPath(name string) (string, error) {
	path, err := LookPath(name)
	if err != nil || !sandbox.Closed() {
		return path, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return "", fmt.Errorf("look at the mount of %s: %w", path, err)
	}
	if fs.Flags&unix.ST_RDONLY == 0 {
		return "", fmt.Errorf("%s is in a folder that the programs of the lab can change", path)
	}
	return path, nil
}

// bounded keeps the first maxOutput bytes.
type bounded struct {
	bytes.Buffer
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), maxOutput-b.Len())
	b.cut = b.cut || room < len(p)
	b.Buffer.Write(p[:room])
	return len(p), nil
}
