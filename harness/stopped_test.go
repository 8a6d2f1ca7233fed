package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/internal/sandbox"
	"netnscheck/reports"
)

const (
	workerStopped = "the worker was stopped (SIGSTOP) and did not go on"
	firstStopped  = "the first process of its sandbox was stopped (SIGSTOP)"
)

// TestWorkerIsStopped: the run does not wait for ever for a stopped worker. Its running case is an error with the
// reason, its later cases are not run, and the other scenario is played.
func TestWorkerIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(init, worker int) []int
		says string
	}{
		"worker":       {func(_, worker int) []int { return []int{worker} }, workerStopped},
		"init and all": {func(init, worker int) []int { return []int{init, worker} }, firstStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call, r := interrupted(t, func(p *os.Process) {
				send(t, syscall.SIGSTOP, c.stop(workerOf(t, p.Pid))...)
			})
			wantStopped(t, call, r, c.says)
		})
	}
	t.Run("without a sandbox", func(t *testing.T) {
		t.Parallel()
		there := ownRun(t)
		dir := write(t, map[string]string{"slow.md": slow, "good.md": good})
		cmd := command(t, dir)
		there(cmd, "run", "slow.md", "good.md", "--driver", "netlink", "--sandbox", "off")
		rest := startAndAwaitFirstLine(t, cmd)
		keeper := childrenOf(t, cmd.Process.Pid)[0]
		send(t, syscall.SIGSTOP, childrenOf(t, keeper)[0])
		said := rest()
		r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
		if err != nil {
			t.Fatal(err)
		}
		wantStopped(t, call{stdout: said, status: cmd.ProcessState.ExitCode()}, r, workerStopped)
	})
}

func send(t *testing.T, s syscall.Signal, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
}

// wantStopped: of the slow scenario the first case passed, the second one was running or about to begin, the third one
// was not run.
func wantStopped(t *testing.T, c call, r *reports.Run, says string) {
	t.Helper()
	c.want(t, 5, says)
	var got []string
	for _, s := range r.Suites {
		for _, k := range s.Cases {
			got = append(got, fmt.Sprintf("%s %s", k.Outcome, k.Reason))
		}
	}
	if len(got) != 6 || got[0]+got[3]+got[4]+got[5] != "pass pass pass pass " {
		t.Fatalf("the cases are %q", got)
	}
	for i, k := range []struct{ got, outcome string }{
		{strings.Replace(got[1], "not run ", "error ", 1), "error the "}, {got[2], "not run the "},
	} {
		if !strings.HasPrefix(k.got, k.outcome) || !strings.Contains(k.got, says) {
			t.Errorf("case %d is %q", i+1, got[i+1])
		}
	}
}

// waits is slow with a program that waits until the test continues it.
var waits = strings.Replace(slow, "ping -c 600 127.0.0.1", "sh -c 'kill -STOP $$'", 1)

// stoppedBelow waits for a stopped process among the children of a process and their children, and returns it.
func stoppedBelow(t *testing.T, parent int) (stopped int) {
	t.Helper()
	if !eventually(patience, func() bool {
		for below := childrenNow(parent); len(below) > 0; below = below[1:] {
			if stopped = below[0]; sandbox.StoppedProcess("it", stopped) != "" {
				return true
			}
			below = append(below, childrenNow(below[0])...)
		}
		return false
	}) {
		t.Fatal("no program waits")
	}
	return stopped
}

// TestFirstProcessIsStopped: all cases complete, but the process that ends the sandbox does not react.
func TestFirstProcessIsStopped(t *testing.T) {
	needSandbox(t)
	t.Parallel()
	dir := write(t, map[string]string{"waits.md": waits})
	cmd := command(t, dir, "run", "waits.md", "--driver", "netlink")
	rest := startAndAwaitFirstLine(t, cmd)
	init, _ := workerOf(t, cmd.Process.Pid)
	program := stoppedBelow(t, cmd.Process.Pid)
	send(t, syscall.SIGSTOP, init)
	send(t, syscall.SIGCONT, program)
	said := rest()
	call{stdout: said, status: cmd.ProcessState.ExitCode()}.want(t, 5, "3 cases: 3 passed", firstStopped)
}

// TestSleepingMachine: all processes of a run are stopped for longer than a worker may be, as by a laptop's lid, and go
// on.
func TestSleepingMachine(t *testing.T) {
	needSandbox(t)
	t.Parallel()
	dir := write(t, map[string]string{"waits.md": waits})
	cmd := command(t, dir, "run", "waits.md", "--driver", "netlink")
	rest := startAndAwaitFirstLine(t, cmd)
	init, worker := workerOf(t, cmd.Process.Pid)
	program := stoppedBelow(t, cmd.Process.Pid)
	all := []int{cmd.Process.Pid, init, worker}
	send(t, syscall.SIGSTOP, all...)
	<-time.After(12 * time.Second) // what does not happen cannot be waited for
	send(t, syscall.SIGCONT, append(all, program)...)
	said := rest()
	call{stdout: said, status: cmd.ProcessState.ExitCode()}.want(t, 0, "3 cases: 3 passed")
}

// TestWorkerWithoutMemory: the OOM killer kills the worker in its control group, and the harness reports that.
func TestWorkerWithoutMemory(t *testing.T) {
	needSandbox(t)
	group := memoryGroup(t, 300<<20)
	hungry := strings.Replace(waits, "kill -STOP $$", "kill -STOP $$; x=hungry; while :; do x=$x$x; done", 1)
	dir := write(t, map[string]string{"hungry.md": hungry})
	cmd := command(t, dir)
	cmd.Args = []string{"sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(group, "cgroup.procs"),
		cmd.Path, "run", "hungry.md", "--driver", "netlink"}
	cmd.Path = "/bin/sh"
	rest := startAndAwaitFirstLine(t, cmd)
	_, worker := workerOf(t, cmd.Process.Pid)
	// The kernel is to choose the worker, and not the program that takes the memory.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", worker), []byte("1000"), 0); err != nil {
		t.Fatal(err)
	}
	if !eventually(patience, func() bool { return goOn(group) }) {
		t.Fatal("the hungry program did not come to run")
	}
	said := rest()
	call{stdout: said, status: cmd.ProcessState.ExitCode()}.want(t, 5, "3 cases: 1 passed, 1 error, 1 not run",
		"the worker was killed (SIGKILL) by the OOM killer: the control group reached its memory limit")
}

// goOn continues a stopped process of a control group and reports whether there was one.
func goOn(group string) bool {
	var text []byte
	for _, dir := range []string{group, filepath.Join(group, "*")} { // a sandbox has a group of its own
		files, _ := filepath.Glob(filepath.Join(dir, "cgroup.procs"))
		for _, file := range files {
			more, _ := os.ReadFile(file)
			text = append(text, more...)
		}
	}
	for _, word := range strings.Fields(string(text)) {
		var pid int
		fmt.Sscan(word, &pid)
		if sandbox.StoppedProcess("it", pid) != "" {
			// A program is what the kernel would take first.
			return os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("0"), 0) == nil &&
				syscall.Kill(pid, syscall.SIGCONT) == nil
		}
	}
	return false
}

// memoryGroup makes a control group with a limit on its memory, of whichever version is there.
func memoryGroup(t *testing.T, limit int) string {
	t.Helper()
	const root = "/sys/fs/cgroup"
	var errs []error
	for _, g := range []struct{ parent, file string }{{root + "/memory", "memory.limit_in_bytes"},
		{root, "memory.max"}} {
		dir, err := os.MkdirTemp(g.parent, "netnscheck-test-")
		if err == nil {
			t.Cleanup(func() {
				if !eventually(patience, func() bool { return os.Remove(dir) == nil }) {
					t.Errorf("the control group %s cannot be removed", dir)
				}
			})
			err = os.WriteFile(filepath.Join(dir, g.file), fmt.Append(nil, limit), 0)
		}
		if err == nil {
			return dir
		}
		errs = append(errs, err)
	}
	t.Skipf("no control group can be made here: %v", errs)
	return ""
}
