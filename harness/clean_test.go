package main_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netnscheck/harness/internal/sandbox"
)

// TestClean kills all processes of a run with --sandbox=off and removes what it left. It uses a mount namespace with an
// empty /run, so that it does not touch the machine's own leftovers.
func TestClean(t *testing.T) {
	there := ownRun(t)
	dir := write(t, map[string]string{"slow.md": slow})
	run := func(args ...string) call {
		cmd := command(t, dir)
		there(cmd, args...)
		return finish(t, cmd)
	}
	run("clean").want(t, 0, "nothing is left behind")

	cmd := command(t, dir)
	there(cmd, "run", "slow.md", "--driver", "netlink", "--sandbox", "off")
	startAndAwaitFirstLine(t, cmd)
	run("clean").want(t, 0, "nothing is left behind") // its owner lives
	workers := workersOf(t, cmd.Process.Pid)
	for _, pid := range append(workers, cmd.Process.Pid) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	cmd.Wait()
	if !eventually(patience, func() bool { return gone(workers) }) {
		t.Fatal("the worker lives")
	}

	shown := run("clean", "--dry-run")
	shown.want(t, 0, "testns-", "host-")
	run("clean", "--dry-run").want(t, 0, strings.TrimSpace(shown.stdout)) // it was not removed
	run("clean").want(t, 0, "testns-", "removed")
	run("clean").want(t, 0, "nothing is left behind")
}

// TestKilledAloneWithoutSandbox: the worker notices the end of the harness and takes its labs down.
func TestKilledAloneWithoutSandbox(t *testing.T) {
	there := ownRun(t)
	dir := write(t, map[string]string{"slow.md": slow})
	cmd := command(t, dir)
	there(cmd, "run", "slow.md", "--driver", "netlink", "--sandbox", "off")
	startAndAwaitFirstLine(t, cmd)
	workers := workersOf(t, cmd.Process.Pid)
	cmd.Process.Kill()
	cmd.Wait()
	if !eventually(patience, func() bool { return gone(workers) }) {
		t.Fatal("the worker lives on")
	}
	again := command(t, dir)
	there(again, "clean")
	finish(t, again).want(t, 0, "nothing is left behind")
}

// workersOf are the keepers of a run with --sandbox=off, then their workers.
func workersOf(t *testing.T, harness int) []int {
	t.Helper()
	all := childrenOf(t, harness)
	for _, keeper := range all {
		all = append(all, childrenOf(t, keeper)...)
	}
	return all
}

// startAndAwaitFirstLine starts a run and returns when its first case has passed. The returned function waits for the
// end of the run and returns its whole standard output.
func startAndAwaitFirstLine(t *testing.T, cmd *exec.Cmd) (said func() string) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(stdout)
	line, err := in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "pass") {
		t.Fatalf("it said %q, %v", line, err)
	}
	return func() string {
		rest, err := io.ReadAll(in)
		if err != nil {
			t.Error(err)
		}
		cmd.Wait() // its status is for the test to judge
		return line + string(rest)
	}
}

func gone(pids []int) bool {
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			return false
		}
	}
	return true
}

// ownRun makes a mount namespace with an empty /run; the returned function makes a command run the harness there.
func ownRun(t *testing.T) func(cmd *exec.Cmd, args ...string) {
	t.Helper()
	return ownNamespaces(t, "--mount")
}

// ownNamespaces makes the namespaces of these flags, which unshare(1) and nsenter(1) share; one is a mount namespace
// with an empty /run, which hides another with a /run/netns that is mounted, as after the first `ip netns add`.
func ownNamespaces(t *testing.T, kinds ...string) func(cmd *exec.Cmd, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may run with --sandbox=off")
	}
	const script = "mount -t tmpfs run /run; mkdir /run/netns; mount --bind /run/netns /run/netns; " +
		"mount -t tmpfs run /run; echo ready; read forever"
	needPrograms(t, "unshare", "-m", "sh", "-ec", script)
	needPrograms(t, "nsenter")
	holder := exec.Command("unshare", append(kinds, "sh", "-ec", script)...)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		sandbox.Lacking(t, fmt.Sprintf("unshare(1): %v", err))
	}
	t.Cleanup(func() { stdin.Close(); holder.Wait() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		t.Skipf("no mount namespace can be made here: %q, %v", line, err)
	}
	enter, err := exec.LookPath("nsenter")
	if err != nil {
		sandbox.Lacking(t, err)
	}
	pid := strconv.Itoa(holder.Process.Pid)
	return func(cmd *exec.Cmd, args ...string) {
		way := append([]string{"nsenter", "--target", pid, "--wd=" + cmd.Dir}, kinds...)
		cmd.Args = append(append(way, cmd.Path), args...)
		cmd.Path = enter
	}
}
