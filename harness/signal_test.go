package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"netnscheck/harness/internal/worker"
	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// asNobody makes a command run as an ordinary user, who owns the folder that it runs in.
func asNobody(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Env = append(os.Environ(), "HOME=/nonexistent")
	for dir := cmd.Dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(cmd.Dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
}

// interrupted runs a scenario whose second step takes a minute, calls do while that step runs, and reads the report.
func interrupted(t *testing.T, do func(p *os.Process), args ...string) (call, *reports.Run) {
	t.Helper()
	needSandbox(t)
	dir := write(t, map[string]string{"slow.md": slow, "good.md": good})
	cmd := command(t, dir, append([]string{"run", "slow.md", "good.md", "--driver", "netlink"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(stdout)
	first, err := in.ReadString('\n') // the first step ended
	if err != nil {
		t.Fatalf("%v; it said: %s%s", err, first, stderr.String())
	}
	do(cmd.Process)
	rest, _ := io.ReadAll(in)
	cmd.Wait()
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("it took %v", took)
	}
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatalf("%v\n%s%s%s", err, first, rest, stderr.String())
	}
	validJUnit(t, filepath.Join(dir, "results", "junit.xml"))
	return call{first + string(rest), stderr.String(), cmd.ProcessState.ExitCode()}, r
}

// wantInterrupted: the first step passed, everything else was not run, with the reason.
func wantInterrupted(t *testing.T, c call, r *reports.Run, why string) {
	t.Helper()
	c.want(t, 5, why)
	n := 0
	for _, s := range r.Suites {
		for _, k := range s.Cases {
			n++
			switch {
			case n == 1 && k.Outcome != scenario.Pass:
				t.Errorf("%s: %s, it had passed", k.Name, k.Outcome)
			case n > 1 && (k.Outcome != scenario.NotRun || !strings.Contains(k.Reason, why)):
				t.Errorf("%s: %s %q, want not run with %q", k.Name, k.Outcome, k.Reason, why)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d cases in the report, want 6", n)
	}
}

func TestSignals(t *testing.T) {
	for s, name := range map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, r := interrupted(t, func(p *os.Process) { p.Signal(s) })
			wantInterrupted(t, c, r, "interrupted: by "+name)
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	c, r := interrupted(t, func(*os.Process) {}, "--timeout", "10s")
	wantInterrupted(t, c, r, "--timeout")
}

// TestWorkerIsKilled: the worker is killed from outside; the report still has every case.
func TestWorkerIsKilled(t *testing.T) {
	c, r := interrupted(t, func(p *os.Process) {
		for _, child := range childrenOf(t, p.Pid) {
			syscall.Kill(child, syscall.SIGKILL)
		}
	})
	c.want(t, 5, "the worker was killed (SIGKILL) by somebody")
	if n := r.Count(); n.Total() != 6 || n.Error+n.NotRun != 2 || n.Pass != 4 {
		t.Errorf("counts %+v", n)
	}
}

func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	children := childrenNow(pid)
	if len(children) == 0 {
		t.Fatal("the harness has no worker")
	}
	return children
}

func childrenNow(pid int) []int {
	var children []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name of the program, in brackets, may contain blanks; the state and the parent follow it: proc(5).
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			children = append(children, child)
		}
	}
	return children
}

// workerOf waits for the worker of a run in the sandbox, and returns it with the first process of its sandbox. The
// harness may have another child: it does not wait for the end of its trial sandbox.
func workerOf(t *testing.T, harness int) (first, pid int) {
	t.Helper()
	role := worker.Role.Name
	asWorker := func(pid int) bool {
		words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && strings.HasSuffix(string(words), "\x00"+role+"\x00")
	}
	if !eventually(patience, func() bool {
		for _, first = range childrenNow(harness) {
			for _, pid = range childrenNow(first) {
				if asWorker(first) && asWorker(pid) {
					return true
				}
			}
		}
		return false
	}) {
		t.Fatal("the harness has no worker")
	}
	return first, pid
}

// TestKeep: the lab stays until Enter, and can be entered from outside with the command that is printed.
func TestKeep(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "nsenter", "ip")
	dir := write(t, map[string]string{"red.md": red})
	cmd := command(t, dir, "run", "red.md", "--driver", "netlink", "--keep")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	enter := ""
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if way, ok := strings.CutPrefix(lines.Text(), "  nsenter"); ok && enter == "" {
			enter = "nsenter" + way
		}
		if strings.HasPrefix(lines.Text(), "There `ip netns exec") {
			shell := exec.Command("sh", "-c", enter)
			shell.Stdin = strings.NewReader(
				"ls /run/netns\nharness version\nip netns exec testns ls /sys/class/net\nexit\n")
			out, err := shell.CombinedOutput()
			for _, want := range []string{"testns", "netnscheck ", "[red] # "} {
				if err != nil || !strings.Contains(string(out), want) {
					t.Errorf("%s: %v, no %q: %s", enter, err, want, out)
				}
			}
			for _, refused := range []string{"Permission denied", "not permitted"} {
				if strings.Contains(string(out), refused) {
					t.Errorf("%s: %s", enter, out)
				}
			}
			if !strings.Contains(said.String(), "failed: Claim it (netlink)\n  red.md:8: ") {
				t.Errorf("before the way in it said:\n%s", said.String())
			}
			io.WriteString(stdin, "\n")
		}
	}
	cmd.Wait()
	if enter == "" || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("status %d; it said:\n%s", cmd.ProcessState.ExitCode(), said.String())
	}
}

// TestKeepEndsWithTheInput: where nobody can press Enter, the lab is not kept for ever.
func TestKeepEndsWithTheInput(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"red.md": red})
	finish(t, command(t, dir, "run", "red.md", "--driver", "netlink", "--keep")).want(t, 1, "kept: the lab of red")
}
