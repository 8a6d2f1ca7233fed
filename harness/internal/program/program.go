// Package program runs a program of a lesson in a lab and collects its output: no standard input, standard output and
// standard error through one pipe unless somebody wants them apart, LC_ALL=C, a time limit. It also feeds a shell with
// the lines of a script, and knows which programs a command starts and which packages contain them. It may be imported
// by lab, the command line and the packages below internal; it imports the language (scenario, scenario/operation,
// scenario/started), internal/netns and internal/sandbox. It never interprets a program's output and never waits for
// processes that a program leaves in the background.
package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"netnscheck/harness/internal/netns"
)

// Limit is how long one command of a lesson may take (docs/format.md, "Commands").
const Limit = 30 * time.Second

// ErrLimit is the cause if a program was killed at its time limit.
var ErrLimit = errors.New("it did not end in time")

// workDir is the working directory of programs: one that exists and that the root of a sandbox may enter, wherever the
// harness was started.
const workDir = "/"

// Run runs argv in the namespace ns of the world (netns.Host, or a name: then as `ip netns exec` would) and waits for
// it, at most for limit. The output is what was printed until the program itself ended, at most 1 MiB. The status is
// its exit status, or 128+N if signal N ended it. Its background processes keep running.
//
// The error says why the program did not run to its end, and comes with the output so far: exec.ErrNotFound if there is
// no such program, ErrLimit, or the cause of ctx. In the last two cases its process group was killed.
func Run(ctx context.Context, w *netns.World, ns string, argv []string, limit time.Duration) (output []byte, status int,
	err error) {
	p, status, err := RunCommand(ctx, w, ns, argv, limit, false)
	return p.All, status, err
}

// Printed is what a program has printed: everything and, if it is told apart, what went to its standard error. Then
// All has both in the order in which they were read, which is not quite that in which they were written.
type Printed struct{ All, Errors []byte }

// RunCommand is Run for a command of a lesson. apart tells standard error apart from standard output.
func RunCommand(ctx context.Context, w *netns.World, ns string, argv []string, limit time.Duration,
	apart bool) (p Printed, status int, err error) {
	r := runner{
		start: func(p netns.Program) (*netns.Running, error) { return w.StartIn(cmp.Or(ns, netns.Host), p) },
		tasks: w.Tasks, maxTasks: w.MaxTasks(), doing: w.Doing,
	}
	p, status, err = r.run(ctx, argv, limit, apart)
	if err != nil {
		err = fmt.Errorf("run %s in %s: %w", strings.Join(argv, " "), ns, err)
	}
	return p, status, err
}

// runner runs programs in one place.
type runner struct {
	start    func(netns.Program) (*netns.Running, error)
	tasks    func() (int, error)
	maxTasks int                      // 0: no limit
	doing    func() ([]string, error) // what the processes of the place are doing; nil if nobody knows
}

func (r runner) run(ctx context.Context, argv []string, limit time.Duration, apart bool) (Printed, int, error) {
	if len(argv) == 0 {
		return Printed{}, 0, errors.New("the command is empty")
	}
	path, err := LookPath(argv[0])
	if err != nil {
		return Printed{}, 0, err
	}
	from, err := newStreams(apart)
	if err != nil {
		return Printed{}, 0, err
	}
	p := netns.Program{Path: path, Args: argv, Env: environment(), Dir: workDir, Output: from.output.in}
	if apart {
		p.Errors = from.errors.in
	}
	running, err := r.start(p)
	if errors.Is(err, ErrNotFound) && (!strings.Contains(argv[0], "/") || exists(path)) {
		// The lesson removed or hid it: the host does not lack the program.
		err = fmt.Errorf("%s is gone from the files of the lab", path)
	}
	if err != nil {
		from.abandon()
		return Printed{}, 0, err
	}
	from.collect()
	cause := r.await(ctx, running, limit)
	status, err := running.Wait()
	printed, readErr := from.finish()
	if err != nil {
		return printed, 0, errors.Join(cause, err)
	}
	if cause == nil {
		cause = readErr
	}
	return printed, exitStatus(status), cause
}

// await waits until the program has ended. It kills its process group at the time limit, at the end of ctx and near the
// limit of processes; the error says why.
func (r runner) await(ctx context.Context, running *netns.Running, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	look := time.NewTicker(lookAfter)
	defer look.Stop()
	var cause error
	for cause == nil {
		select {
		case <-running.Ended():
			return r.crowded()
		case <-ctx.Done():
			cause = context.Cause(ctx)
		case <-timer.C:
			cause = r.late(limit)
		case <-look.C:
			cause = r.crowded()
		}
	}
	return errors.Join(cause, running.Kill())
}

// late is the error of a program that has not ended within its limit, with what runs at this moment.
func (r runner) late(limit time.Duration) error {
	var doing []string
	if r.doing != nil {
		doing, _ = r.doing() // where it cannot be read, the error says less
	}
	if len(doing) == 0 {
		return fmt.Errorf("%w (%v)", ErrLimit, limit)
	}
	const most = 5
	if more := len(doing) - most; more > 0 {
		doing = append(doing[:most], fmt.Sprintf("%d more", more))
	}
	return fmt.Errorf("%w (%v); running are: %s", ErrLimit, limit, strings.Join(doing, "; "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lookAfter is how often the processes of the sandbox are counted while a program runs.
const lookAfter = 100 * time.Millisecond

// crowded is an error if the programs have come near the limit of processes, whether or not a fork(2) has failed.
func (r runner) crowded() error {
	if r.maxTasks == 0 {
		return nil
	}
	if n, err := r.tasks(); err == nil && n > r.maxTasks*9/10 {
		return fmt.Errorf("the limit of %d processes and threads was met", r.maxTasks)
	}
	return nil
}

func exitStatus(w syscall.WaitStatus) int {
	if w.Signaled() {
		return 128 + int(w.Signal())
	}
	return w.ExitStatus()
}
