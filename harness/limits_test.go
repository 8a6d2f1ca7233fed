package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
	"netnscheck/reports"
)

// limitsVariable makes the test binary set limits for itself and then execute another program.
const limitsVariable = "NETNSCHECK_TEST_LIMITS"

// limits are limits that a machine may set.
type limits struct {
	Deny     []denial          // by a seccomp filter
	Rlimits  map[int]uint64    // soft and hard
	Settings map[string]string // files of the kernel and what is written into them
}

// denial is a system call that a filter refuses if its first argument has any of some flags and none of others.
type denial struct {
	Call          int
	With, Without uint32
	Errno         syscall.Errno
}

// limit makes a command run within limits.
func limit(t *testing.T, cmd *exec.Cmd, l limits) *exec.Cmd {
	t.Helper()
	self, err := ownBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args = append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = self
	cmd.Env = append(cmd.Environ(), limitsVariable+"="+string(text))
	return cmd
}

// ownBinary is a copy of the test binary that all users may execute.
var ownBinary = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "limits")
	return path, os.WriteFile(path, text, 0o755)
})

// beLimited is the main function of such a binary. It does not return.
func beLimited(text string) {
	var l limits
	err := json.Unmarshal([]byte(text), &l)
	for path, value := range l.Settings {
		if err == nil {
			err = os.WriteFile(path, []byte(value), 0)
		}
	}
	for resource, value := range l.Rlimits {
		if err == nil {
			err = unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value})
		}
	}
	if err == nil && len(l.Deny) > 0 {
		runtime.LockOSThread() // the filter is that of the thread that executes the program
		err = filter(l.Deny)
	}
	if err == nil {
		os.Unsetenv(limitsVariable)
		err = unix.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "limit the program:", err)
	os.Exit(100)
}

// filter installs a seccomp filter on this thread. Source: seccomp(2); struct seccomp_data.
func filter(denials []denial) error {
	const number, firstArgument = 0, 16 // its lower half, where numbers begin with their end
	var program []bpf.Instruction
	for _, d := range denials {
		var flags []bpf.JumpIf
		if d.With != 0 {
			flags = append(flags, bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: d.With})
		}
		if d.Without != 0 {
			flags = append(flags, bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: d.Without})
		}
		program = append(program, bpf.LoadAbsolute{Off: number, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(d.Call), SkipFalse: uint8(len(flags) + 2)},
			bpf.LoadAbsolute{Off: firstArgument, Size: 4})
		for i, flag := range flags {
			flag.SkipFalse = uint8(len(flags) - i)
			program = append(program, flag)
		}
		program = append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(d.Errno)})
	}
	program = append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&unix.SockFprog{
		Len: uint16(len(code)), Filter: &code[0]})), 0, 0)
}

// inUserNamespace makes a command run in a new user namespace, as root, where it may lower the limits on namespaces.
func inUserNamespace(cmd *exec.Cmd) *exec.Cmd {
	size := 1
	if os.Geteuid() == 0 {
		size = 1 << 31 // as many as a machine has, so that there are some that own nothing
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 unix.CLONE_NEWUSER,
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: size}},
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: size}},
		GidMappingsEnableSetgroups: size > 1,
	}
	return cmd
}

// TestMachineThatCannot: a run that cannot have a first result ends with status 3, a reason and a remedy, and never
// runs on the machine itself for lack of a sandbox.
func TestMachineThatCannot(t *testing.T) {
	needSandbox(t)
	deny := func(d ...denial) limits { return limits{Deny: d} }
	atMost := func(kind string, n int) limits {
		return limits{Settings: map[string]string{"/proc/sys/user/max_" + kind + "_namespaces": fmt.Sprint(n)}}
	}
	noUnshare := denial{Call: unix.SYS_UNSHARE, Errno: unix.EPERM}
	noClone := denial{Call: unix.SYS_CLONE, With: unix.CLONE_NEWUSER | unix.CLONE_NEWNET, Errno: unix.EPERM}
	noFork := denial{Call: unix.SYS_CLONE, Without: unix.CLONE_THREAD, Errno: unix.EAGAIN}
	full := denial{Call: unix.SYS_UNSHARE, Errno: unix.ENOSPC}
	noPipe := func(e syscall.Errno) limits { return deny(denial{Call: unix.SYS_PIPE2, Errno: e}) }
	for name, c := range map[string]struct {
		limits limits
		says   []string
	}{
		"no user namespace by clone": {deny(noClone), []string{"seccomp"}},
		"no unshare":                 {deny(noUnshare), []string{"seccomp"}},
		"neither":                    {deny(noClone, noUnshare), []string{"seccomp"}},
		"no namespace left":          {deny(full), []string{"a limit is reached", "raise it"}},
		"no process left": {deny(noFork),
			[]string{"RLIMIT_NPROC", "kernel.threads-max", "pids.max", "raise"}},
		"no descriptor left":    {noPipe(unix.EMFILE), []string{"RLIMIT_NOFILE", "ulimit -n"}},
		"no file left":          {noPipe(unix.ENFILE), []string{"fs.file-max", "raise it"}},
		"out of memory":         {noPipe(unix.ENOMEM), []string{"out of memory", "free some"}},
		"user namespaces, 0":    {atMost("user", 0), []string{"user.max_user_namespaces"}},
		"PID namespaces, 0":     {atMost("pid", 0), []string{"user.max_pid_namespaces"}},
		"mount namespaces, 0":   {atMost("mnt", 0), []string{"user.max_mnt_namespaces"}},
		"network namespaces, 0": {atMost("net", 0), []string{"user.max_net_namespaces"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, map[string]string{"good.md": good})
			for _, line := range []string{"run good.md", "run good.md --procs 2", "scenario check good.md", "doctor"} {
				cmd := limit(t, command(t, dir, strings.Fields(line)...), c.limits)
				if len(c.limits.Settings) > 0 {
					inUserNamespace(cmd)
				}
				finish(t, cmd).want(t, 3, c.says...)
			}
		})
	}
}

// TestLimitOfTheWorker: the first worker meets a limit that the trial of the sandbox did not. The report is complete.
func TestLimitOfTheWorker(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": good})
	// The trial makes as many as it has to have at once, so that the kernel, which counts them until it has taken them
	// down, has none left for the worker.
	l := limits{Settings: map[string]string{"/proc/sys/user/max_net_namespaces": "4"}}
	met := false
	for range 20 {
		cmd := limit(t, command(t, dir, "run", "good.md", "--driver", "netlink"), l)
		c := finish(t, inUserNamespace(cmd))
		if c.status == 0 { // it had taken them down already
			continue
		}
		if c.status == 5 || c.status == 1 { // enough of them for the first lab of the worker, or for some of its commands
			c.want(t, c.status, "no space left on device")
			continue
		}
		c.want(t, 3, "no space left on device", "max_", "3 not run")
		met = true
		break
	}
	if !met {
		t.Skip("the kernel is always done with the trial's namespaces when the worker asks for its own")
	}
	r, err := reports.ReadJSON(filepath.Join(dir, "results", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range r.Suites[0].Cases {
		if k.Outcome != scenario.NotRun {
			t.Errorf("%s: %s %q", k.Name, k.Outcome, k.Reason)
		}
	}
}

// TestFewFiles: with any limit on open files, a run passes, reports that it cannot run, or names the case that met the
// limit.
func TestFewFiles(t *testing.T) {
	needSandbox(t)
	seen := map[int]bool{}
	for n := uint64(3); n < 40; n++ {
		dir := write(t, map[string]string{"good.md": good})
		cmd := command(t, dir, "run", "good.md", "--driver", "netlink")
		c := finish(t, limit(t, cmd, limits{Rlimits: map[int]uint64{unix.RLIMIT_NOFILE: n}}))
		seen[c.status] = true
		switch c.status {
		case 0:
		case 3, 5:
			c.want(t, c.status, "too many open files", "RLIMIT_NOFILE", "ulimit -n 4096")
		default:
			t.Errorf("%d files: status %d\n%s%s", n, c.status, c.stdout, c.stderr)
		}
	}
	if !seen[0] || !seen[3] {
		t.Errorf("the limits prove little: statuses %v", seen)
	}
}

func TestFewProcesses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the limit binds an ordinary user's Go runtime before the harness can look at it")
	}
	dir := write(t, map[string]string{"good.md": good})
	cmd := limit(t, command(t, dir, "run", "good.md"), limits{Rlimits: map[int]uint64{unix.RLIMIT_NPROC: 16}})
	finish(t, cmd).want(t, 3, "RLIMIT_NPROC", "ulimit -u")
}

// TestSandboxIsNotLeft: if root cannot have a sandbox, nothing runs on the machine itself without --sandbox=off; with
// it, the scenario runs there, or the harness reports why it cannot.
func TestSandboxIsNotLeft(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root could go to the machine itself")
	}
	there := ownRun(t)
	dir := write(t, map[string]string{"good.md": good})
	noUserNamespace := denial{Call: unix.SYS_CLONE, With: unix.CLONE_NEWUSER, Errno: unix.EPERM}
	noNamespace := denial{Call: unix.SYS_UNSHARE, Errno: unix.EPERM}
	run := func(box string, d ...denial) call {
		cmd := command(t, dir)
		there(cmd, "run", "good.md", "--driver", "netlink", "--sandbox", box)
		return finish(t, limit(t, cmd, limits{Deny: d}))
	}
	for _, box := range []string{"auto", "on"} {
		c := run(box, noUserNamespace)
		c.want(t, 3, "--sandbox=off")
		if strings.Contains(c.stdout, "pass ") {
			t.Errorf("--sandbox=%s: something was run:\n%s", box, c.stdout)
		}
	}
	run("off", noUserNamespace).want(t, 0, "3 passed")
	run("off", noNamespace).want(t, 3, "operation not permitted")
}
